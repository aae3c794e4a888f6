"""Shared kernel: no domain nouns live here."""
