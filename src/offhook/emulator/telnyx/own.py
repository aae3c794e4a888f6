"""What only Telnyx knows of a message: `Message.own`, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Own:
    type: str
    """`SMS` or `MMS`."""
    subject: str | None = field(default=None, repr=False)
    webhook_url: str | None = field(default=None, repr=False)
    webhook_failover_url: str | None = field(default=None, repr=False)
    webhook_urls: tuple[str, ...] = field(default=(), repr=False)
    """Where its events go, first to last: chosen when the message is made."""
    media: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """Of a text from a phone: `url`, `content_type`, `size` and `sha256` of each medium, as its webhook tells them."""
    autoresponse_type: str | None = None
    """`STOP`, `START` or `HELP`, of a text from a phone that Telnyx answered itself."""

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Own:
        lists = {name: tuple(record[name]) for name in ("webhook_urls", "media")}
        fields: dict[str, Any] = {**record, **lists}
        return cls(**fields)

    def to_record(self) -> dict[str, Any]:
        """JSON, and the same when it has been read again."""
        return {**asdict(self), "webhook_urls": list(self.webhook_urls), "media": [dict(one) for one in self.media]}
