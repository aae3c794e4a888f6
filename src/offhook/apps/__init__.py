"""Wiring only: how the parts become processes and commands."""
