"""The fields of a JSON body, read by type; a field of another type is Telnyx's error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from offhook.emulator.addresses import web_host
from offhook.emulator.telnyx.errors import TelnyxError

URL_MAX_CHARACTERS = 2000  # error 10003's text, support.telnyx.com article 6505121


@dataclass(frozen=True, slots=True)
class Fields:
    body: Mapping[str, object] = field(repr=False)

    @classmethod
    def of(cls, raw: bytes) -> Fields:
        """Raises `TelnyxError` for what is no JSON object."""
        try:
            body: object = json.loads(raw)
        except (ValueError, RecursionError):
            raise TelnyxError("10023") from None
        if not isinstance(body, dict):
            raise TelnyxError("10015", "The body must be a JSON object.")
        return cls(cast("dict[str, object]", body))

    def has(self, name: str) -> bool:
        """Whether it is there and not empty; null and "" are empty."""
        value = self.body.get(name)
        return value is not None and value != ""

    def require(self, *names: str) -> None:
        for name in names:
            if not self.has(name):
                raise TelnyxError("10004", f"Missing required parameter '{name}'.", pointer=f"/{name}")

    def text(self, name: str) -> str | None:
        if not self.has(name):
            return None
        value = self.body[name]
        if not isinstance(value, str):
            raise TelnyxError("10015", f"'{name}' must be a string.", pointer=f"/{name}")
        return _whole_characters(value)

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.body.get(name)
        if value is None:
            return ()
        if isinstance(value, list):
            items = cast("list[object]", value)
            texts = tuple(_whole_characters(item) for item in items if isinstance(item, str))
            if len(texts) == len(items):
                return texts
        raise TelnyxError("10015", f"'{name}' must be a list of strings.", pointer=f"/{name}")

    def truth(self, name: str, default: bool) -> bool:
        value = self.body.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise TelnyxError("10015", f"'{name}' must be a boolean.", pointer=f"/{name}")
        return value

    def web_address(self, name: str) -> str | None:
        url = self.text(name)
        if url is not None and not is_web_address(url):
            raise TelnyxError("10003", pointer=f"/{name}")
        return url


def _whole_characters(value: str) -> str:
    """A lone surrogate, which JSON can spell and UTF-8 cannot, becomes U+FFFD."""
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def is_web_address(url: str) -> bool:
    return web_host(url) is not None and len(url) <= URL_MAX_CHARACTERS
