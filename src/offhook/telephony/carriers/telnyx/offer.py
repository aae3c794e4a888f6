"""What Telnyx takes in a text and what it usually costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from offhook.telephony.carrier import Prices, TextLimits
from offhook.telephony.carriers.telnyx.account import EXTERNAL_ID_PATTERN

_TOTAL_BYTES: Final = 1_000_000
"""telnyx-python 4.189, messages.send: "less than 1 MB" in total; error 40317 says the same. Carriers take less from
some senders: AT&T 600 KB from toll-free numbers (developers.telnyx.com/docs/messaging/messages/mms-transcoding)."""

_MAX_PARTS: Final = 10  # developers.telnyx.com/docs/messaging/messages/character-and-rate-limits
_PART_CHARACTERS: Final = 153

# developers.telnyx.com/docs/messaging/messages/mms-transcoding names formats; these are their content types.
_TYPES: Final = (
    "image/jpeg", "image/jpg", "image/png", "image/gif", "image/bmp", "image/tiff", "image/webp",
    "video/mp4", "video/3gpp", "video/quicktime",
    "audio/mpeg", "audio/wav", "audio/x-wav", "audio/vnd.wave", "audio/amr", "audio/ogg",
    "application/pdf", "text/vcard", "text/x-vcard", "text/calendar",
)  # fmt: skip

LIMITS: Final = TextLimits(
    max_characters=_MAX_PARTS * _PART_CHARACTERS,
    max_segments=_MAX_PARTS,
    max_media=10,  # developers.telnyx.com/docs/messaging/messages/mms-transcoding
    media_types=dict.fromkeys(_TYPES, _TOTAL_BYTES),
    max_media_total_bytes=_TOTAL_BYTES,
    media_countries=frozenset({"US", "CA"}),  # developers.telnyx.com/docs/messaging/messages/mms-transcoding
)

PRICES: Final = Prices(
    segment=Decimal("0.004"),
    media=Decimal("0.015"),
    currency="USD",
    source="US prices without the carriers' fees, unconfirmed: enter your own with the account",
)

MESSAGING_SERVICE_PATTERN: Final = EXTERNAL_ID_PATTERN
"""A messaging profile's id, which is a UUID too."""
