from __future__ import annotations

import uuid
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.core.clock import ManualClock
from offhook.secrets import KeyRing
from offhook.telephony.media.content_types import EXTENSIONS
from offhook.telephony.media.signing import MediaSigner, served_name, served_type

OLD, NEW, OTHER = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
PEPPER = b"p" * 32
MEDIUM = uuid.UUID("0190f3a2-7c1e-7d3b-9a54-0f6f7d2c1b11")


def signer(*keys: bytes, clock: ManualClock | None = None) -> MediaSigner:
    ring = KeyRing({f"k{index}": key for index, key in enumerate(keys)}, PEPPER)
    return MediaSigner(ring, clock or ManualClock(datetime(2026, 1, 5, tzinfo=UTC)))


def parts(path: str) -> tuple[str, str, str]:
    """Expiry, signature and name of an address."""
    empty, media, media_id, expires, signature, name = path.split("/")
    assert (empty, media, media_id) == ("", "media", str(MEDIUM))
    return expires, signature, unquote(name)


def test_an_address_is_genuine_as_long_as_nothing_of_it_is_changed() -> None:
    made = signer(NEW)
    expires, signature, name = parts(made.path(MEDIUM, "image/png", "menu.png", 60))
    assert name == "menu.png"
    assert made.is_genuine(MEDIUM, expires, signature, name)
    assert not made.is_genuine(uuid.uuid4(), expires, signature, name)
    assert not made.is_genuine(MEDIUM, str(int(expires) + 1), signature, name)
    assert not made.is_genuine(MEDIUM, expires, signature, "menu.html")
    for forged in ("", signature[:-1], signature + "=", signature.swapcase(), "ü" * 43, "\ud800", "A" * 43):
        assert not made.is_genuine(MEDIUM, expires, forged, name)


def test_after_a_rotation_the_addresses_of_before_are_good_until_the_old_key_is_gone() -> None:
    expires, signature, name = parts(signer(OLD).path(MEDIUM, "image/png", None, 60))
    assert signer(NEW, OLD).is_genuine(MEDIUM, expires, signature, name)
    assert not signer(NEW, OTHER).is_genuine(MEDIUM, expires, signature, name)
    assert (
        parts(signer(NEW, OLD).path(MEDIUM, "image/png", None, 60))[1]
        == parts(signer(NEW).path(MEDIUM, "image/png", None, 60))[1]
    )


def test_the_key_is_neither_a_master_key_nor_another_purposes() -> None:
    ring = KeyRing({"k1": OLD}, PEPPER)
    assert ring.derive(b"one") != ring.derive(b"other")
    assert OLD not in ring.derive(b"one")


async def test_an_address_is_good_for_its_time() -> None:
    clock = ManualClock()
    made = signer(NEW, clock=clock)
    expires, _, _ = parts(made.path(MEDIUM, "image/png", None, 60))
    assert not made.is_over(expires)
    await clock.advance(59)
    assert not made.is_over(expires)
    await clock.advance(2)
    assert made.is_over(expires)
    assert all(made.is_over(wrong) for wrong in ("", "-1", "x", "9" * 13, "1e20", "१२३"))


@pytest.mark.parametrize(
    ("filename", "content_type", "name"),
    [
        ("menu.png", "image/png", "menu.png"),
        ("menu.PNG", "image/png", "menu.png"),
        ("menu.exe", "image/png", "menu.exe.png"),
        ("../../etc/passwd", "image/png", "passwd.png"),
        ("C:\\Users\\ada\\menu.png", "image/png", "menu.png"),
        ("Grüße aus Köln.jpeg", "image/jpeg", "Grüße aus Köln.jpeg.jpg"),
        ("料理.pdf", "application/pdf", "料理.pdf"),
        ('a";b\r\nc.png', "image/png", "a b c.png"),
        ("\u202egnp.exe", "image/png", "gnp.exe.png"),
        ("...", "image/png", "file.png"),
        (".png", "image/png", "file.png"),
        (None, "text/vcard", "file.vcf"),
        ("", "application/x-unheard-of", "file.bin"),
        ("a" * 300, "image/gif", "a" * 60 + ".gif"),
    ],
)
def test_a_name_is_made_safe_and_keeps_its_letters(filename: str | None, content_type: str, name: str) -> None:
    assert served_name(filename, content_type) == name


@given(st.text(max_size=100), st.sampled_from(sorted(EXTENSIONS)))
def test_whatever_a_file_is_called_its_address_leads_back_to_name_and_type(filename: str, content_type: str) -> None:
    made = signer(NEW)
    path = made.path(MEDIUM, content_type, filename, 60)
    assert path.isascii()
    expires, signature, name = parts(path)
    assert served_type(name) == content_type
    assert made.is_genuine(MEDIUM, expires, signature, name)
    assert not {"/", "\\", '"', "\r", "\n", "\0"} & set(name)
