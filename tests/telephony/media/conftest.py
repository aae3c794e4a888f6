"""Fixtures of the tests of media."""

from fixtures.media import room

__all__ = ["room"]
