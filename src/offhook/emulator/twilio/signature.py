"""X-Twilio-Signature: base64(HMAC-SHA1(auth token, URL + sorted name and value of every form field))."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping


def sign(auth_token: str, url: str, fields: Mapping[str, str]) -> str:
    """`url` is the whole URL with its query and without a fragment; an empty `fields` signs the URL alone."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
