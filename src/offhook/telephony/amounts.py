"""Amounts of money on the wire: decimal numbers in strings, however many places their column keeps."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer


def amount_text(amount: Decimal) -> str:
    """Without needless zeros, and never in powers of ten."""
    return format(amount.normalize(), "f")


Amount = Annotated[Decimal, PlainSerializer(amount_text, return_type=str)]
