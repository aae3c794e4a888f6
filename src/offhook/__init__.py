"""Offhook."""
