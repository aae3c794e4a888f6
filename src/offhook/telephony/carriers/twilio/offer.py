"""What Twilio takes in a text and what it usually costs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from offhook.telephony.carrier import Prices, TextLimits

_RESIZED_BYTES: Final = 5_000_000
_AS_IT_IS_BYTES: Final = 500_000

# twilio.com/docs/messaging/guides/accepted-mime-types: the first four are fitted to the handset by Twilio, the others
# are accepted and sent as they are. Left out is what cannot be told by its first bytes, or is too rare to be: wallet
# passes, raw and AC-3 sound, RealAudio, raw H.26x, timed text. Sizes: facts/telephony.md 1.1.
_RESIZED: Final = ("image/jpeg", "image/jpg", "image/png", "image/gif")
_ACCEPTED: Final = (
    "image/bmp", "image/tiff", "image/heic", "image/heif",
    "audio/basic", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/vnd.wave", "audio/3gpp", "audio/webm",
    "audio/amr-nb", "audio/amr",
    "video/mpeg", "video/mp4", "video/quicktime", "video/webm", "video/3gpp", "video/3gpp2",
    "text/vcard", "text/x-vcard", "text/csv", "text/rtf", "text/richtext", "text/calendar", "text/directory",
    "application/pdf", "application/vcard",
)  # fmt: skip

_TYPES: Final[Mapping[str, int]] = {
    **dict.fromkeys(_RESIZED, _RESIZED_BYTES),
    **dict.fromkeys(_ACCEPTED, _AS_IT_IS_BYTES),
}

LIMITS: Final = TextLimits(
    max_characters=1600,  # facts/telephony.md 1.1
    max_segments=None,
    max_media=10,  # facts/telephony.md 1.1
    media_types=_TYPES,
    max_media_total_bytes=5_000_000,  # twilio.com/docs/messaging/guides/accepted-mime-types
    media_countries=frozenset({"US", "CA"}),  # facts/telephony.md 1.9
)

PRICES: Final = Prices(
    segment=Decimal("0.0083"),  # facts/telephony.md 1.9, as is the next
    media=Decimal("0.022"),
    currency="USD",
    source="US prices of mid-2026 as third parties tell them, without the carriers' fees",
)

MESSAGING_SERVICE_PATTERN: Final = r"^MG[0-9a-fA-F]{32}$"
