"""Fixtures of telephony's tests."""

from fixtures.telephony import world

__all__ = ["world"]
