"""What texts are going to cost, before they are sent: an estimate, since carriers know the price afterwards only."""

from __future__ import annotations

from decimal import Decimal

from offhook.telephony.models import Tariff


def estimate(tariff: Tariff | None, *, segments: int, has_media: bool) -> Decimal | None:
    """Of one text, in the tariff's currency; None where its price is not known. A text with media is billed as one,
    whatever its words and their number (facts/telephony.md 1.9)."""
    if tariff is None:
        return None
    if has_media:
        return tariff.media
    return None if tariff.segment is None else tariff.segment * segments
