"""Whether a webhook was signed with a secret we hold: facts/telephony.md section 4.

Twilio signs the full URL followed by the form's names and values in order (HMAC-SHA1 under the Auth Token; HMAC-SHA256
under a SharedKey). JSON is signed by URL alone, which then carries the body's SHA-256. The scheme has no timestamp, so
a replay verifies: events are stored once instead.

The verdicts are those of the SDK's RequestValidator, with and without the port in the URL; where that one raises, ours
is False.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs, unquote, urlparse

SIGNATURE_HEADER: Final = "x-twilio-signature"
SETTINGS_HEADER: Final = "x-twilio-webhooks-signature-settings"

HMAC_SHA1: Final = "HMAC_SHA1"
_DIGESTS: Final[Mapping[str, str]] = {HMAC_SHA1: "sha1", "HMAC_SHA256": "sha256"}

Pairs = list[tuple[str, str]]


def form_pairs(body: bytes) -> Pairs | None:
    """Names and values of a form in order, blanks kept and nothing trimmed; None if it is not text.

    Like `parse_qsl(keep_blank_values=True)` and several times faster, which is most of the time of a check.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    pairs: Pairs = []
    for field in text.split("&"):
        if not field:
            continue
        name, _, value = field.partition("=")
        pairs.append((_decoded(name), _decoded(value)))
    return pairs


def _decoded(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    return unquote(text) if "%" in text else text


def settings_of(header: str | None) -> tuple[str | None, str]:
    """Key id and algorithm that the settings header names. Without a header: no key, HMAC_SHA1."""
    if not header:
        return None, HMAC_SHA1
    named = {
        name.strip(): value.strip()
        for name, separator, value in (part.partition("=") for part in header.split(","))
        if separator
    }
    return named.get("key") or None, named.get("algorithm") or HMAC_SHA1


def is_signed(
    secrets: Sequence[bytes],
    *,
    url: str,
    pairs: Pairs | None,
    body: bytes,
    signature: str,
    algorithm: str = HMAC_SHA1,
) -> bool:
    """Whether `signature` is that of one of `secrets`; an empty one is none. `pairs`: the form's; None: any other body
    (JSON)."""
    digest = _DIGESTS.get(algorithm.upper())
    urls = _signed_urls(url)
    if digest is None or not urls:
        return False
    suffix = _suffix(pairs) if pairs is not None else ""
    if pairs is None and not _body_matches(url, body):
        return False
    try:
        given = signature.encode()
        for variant in urls:  # almost always the first: the second is not even encoded
            text = (variant + suffix).encode()
            for secret in secrets:
                if secret and hmac.compare_digest(b64encode(hmac.digest(secret, text, digest)), given):
                    return True
    except UnicodeEncodeError:
        return False
    return False


def _suffix(pairs: Pairs) -> str:
    by_name = dict(pairs)
    if len(by_name) == len(pairs):
        return "".join([name + by_name[name] for name in sorted(by_name)])
    return "".join([name + value for name, value in sorted(set(pairs))])


def _body_matches(url: str, body: bytes) -> bool:
    """A body that is no form is vouched for by the hash in the signed URL; one without is not vouched for."""
    try:
        hashes = parse_qs(urlparse(url).query).get("bodySHA256")
    except ValueError:
        return False
    if not hashes:
        return not body
    return hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), hashes[0].encode(errors="replace"))


# What urlparse(...).geturl() gives back unchanged; anything else takes the long way.
_PLAIN_URL: Final = re.compile(r"(https?)://([^/?#\[\]@\\\s;]+)((?:/[^?#\s;]*)?(?:\?[^#\s]+)?)", re.ASCII)


def _signed_urls(url: str) -> tuple[str, ...]:
    """The spellings under which Twilio may have signed `url`: it is inconsistent about the default ports."""
    plain = _PLAIN_URL.fullmatch(url)
    try:
        if plain and plain[3].isprintable():
            scheme, netloc, rest = plain.groups()
            return tuple([origin + rest for origin in _origins(scheme, netloc)])
        return _urls_with_and_without_port(url)
    except ValueError:
        return ()


@lru_cache(maxsize=256)
def _origins(scheme: str, netloc: str) -> tuple[str, ...]:
    return _urls_with_and_without_port(f"{scheme}://{netloc}")


def _urls_with_and_without_port(url: str) -> tuple[str, ...]:
    parsed = urlparse(url)
    if parsed.port:
        other = parsed._replace(netloc=parsed.netloc.split(":")[0])
    else:
        other = parsed._replace(netloc=f"{parsed.netloc}:{443 if parsed.scheme == 'https' else 80}")
    return parsed.geturl(), other.geturl()
