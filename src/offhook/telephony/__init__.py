"""Carrier accounts, phone numbers, messages, consent, and what carriers tell us."""
