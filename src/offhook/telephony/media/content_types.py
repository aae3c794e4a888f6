"""What a file is, by its first bytes: a declared type is believed only where the bytes do not contradict it.

The table holds what carriers take in an MMS (each carrier's own list is its `TextLimits`). Anything else is not kept
as an upload, and served as plain bytes where somebody texted it to us.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Final

SNIFFED_BYTES: Final = 4096
"""The first bytes, from which the type is read."""

ANY: Final = "application/octet-stream"

EXTENSIONS: Final[Mapping[str, str]] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
    "image/heic": "heic",
    "image/heif": "heif",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/ogg": "oga",
    "audio/webm": "weba",
    "audio/amr": "amr",
    "audio/3gpp": "3ga",
    "audio/vnd.wave": "wav",
    "audio/basic": "au",
    "video/mp4": "mp4",
    "video/mpeg": "mpeg",
    "video/quicktime": "mov",
    "video/3gpp": "3gp",
    "video/3gpp2": "3g2",
    "video/webm": "webm",
    "video/ogg": "ogv",
    "application/pdf": "pdf",
    "text/rtf": "rtf",
    "text/vcard": "vcf",
    "text/calendar": "ics",
    "text/csv": "csv",
    "text/plain": "txt",
    ANY: "bin",
}
"""Content type → extension; each is the other's only one, so that an address can tell the type."""

TYPES: Final[Mapping[str, str]] = {extension: content_type for content_type, extension in EXTENSIONS.items()}

_SAME: Final[Mapping[str, str]] = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-ms-bmp": "image/bmp",
    "image/tif": "image/tiff",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/amr-nb": "audio/amr",
    "audio/wav": "audio/vnd.wave",
    "audio/x-wav": "audio/vnd.wave",
    "audio/wave": "audio/vnd.wave",
    "text/x-vcard": "text/vcard",
    "text/directory": "text/vcard",
    "application/vcard": "text/vcard",
    "application/rtf": "text/rtf",
    "text/richtext": "text/rtf",
    "application/x-pdf": "application/pdf",
}
"""Other names of the same, by which senders know them. The usual name is the one that is served, so it is one that
carriers list: they judge a medium by what its server calls it."""

_FTYP: Final = (4, b"ftyp")
_MP4_BRANDS: Final = (b"iso", b"mp4", b"avc1", b"M4V", b"MSNV", b"dash", b"mmp4", b"F4V")
"""Of films (mp4ra.org); `ftyp` alone says nothing: an AVIF picture begins so too."""
_SIGNATURES: Final[tuple[tuple[tuple[tuple[int, bytes], ...], tuple[str, ...]], ...]] = (
    (((0, b"\xff\xd8\xff"),), ("image/jpeg",)),
    (((0, b"\x89PNG\r\n\x1a\n"),), ("image/png",)),
    (((0, b"GIF87a"),), ("image/gif",)),
    (((0, b"GIF89a"),), ("image/gif",)),
    (((0, b"RIFF"), (8, b"WEBP")), ("image/webp",)),
    (((0, b"RIFF"), (8, b"WAVE")), ("audio/vnd.wave",)),
    (((0, b"BM"), (6, b"\0\0\0\0")), ("image/bmp",)),
    (((0, b"II*\0"),), ("image/tiff",)),
    (((0, b"MM\0*"),), ("image/tiff",)),
    ((_FTYP, (8, b"hei")), ("image/heic", "image/heif")),
    ((_FTYP, (8, b"hev")), ("image/heic", "image/heif")),
    ((_FTYP, (8, b"mif1")), ("image/heif", "image/heic")),
    ((_FTYP, (8, b"qt  ")), ("video/quicktime",)),
    ((_FTYP, (8, b"3g2")), ("video/3gpp2", "video/3gpp")),
    ((_FTYP, (8, b"3g")), ("video/3gpp", "audio/3gpp")),
    ((_FTYP, (8, b"M4A")), ("audio/mp4",)),
    *(((_FTYP, (8, brand)), ("video/mp4", "audio/mp4", "video/quicktime")) for brand in _MP4_BRANDS),
    (((0, b"ID3"),), ("audio/mpeg", "audio/aac")),
    (((0, b"\xff\xfb"),), ("audio/mpeg",)),
    (((0, b"\xff\xf3"),), ("audio/mpeg",)),
    (((0, b"\xff\xf2"),), ("audio/mpeg",)),
    (((0, b"\xff\xf1"),), ("audio/aac",)),
    (((0, b"\xff\xf9"),), ("audio/aac",)),
    (((0, b"OggS"),), ("audio/ogg", "video/ogg")),
    (((0, b"#!AMR"),), ("audio/amr",)),
    (((0, b"\x1aE\xdf\xa3"),), ("video/webm", "audio/webm")),
    (((0, b".snd"),), ("audio/basic",)),
    (((0, b"\0\0\x01\xba"),), ("video/mpeg",)),
    (((0, b"\0\0\x01\xb3"),), ("video/mpeg",)),
    (((0, b"%PDF-"),), ("application/pdf",)),
    (((0, b"{\\rtf"),), ("text/rtf",)),
)
"""Bytes at offsets → the types they may be, the likeliest first."""

_MARKUP: Final = (b"<!", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?xml", b"<iframe")


class WrongType(ValueError):
    """The bytes are not what they are said to be, or nothing that is kept. `sentence`: for whoever sent them."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


def bare(declared: str | None) -> str:
    """A `Content-Type` without its parameters, in lower case; empty for none."""
    return (declared or "").partition(";")[0].strip().lower()


def plain(declared: str | None) -> str | None:
    """A `Content-Type` without its parameters, by its usual name; None for none, and for one that says nothing."""
    name = bare(declared)
    name = _SAME.get(name, name)
    return None if name in ("", ANY, "binary/octet-stream", "application/x-www-form-urlencoded") else name


def candidates(head: bytes) -> tuple[str, ...]:
    """What the first bytes of a file allow it to be, the likeliest first; empty for what is not known."""
    for signature, types in _SIGNATURES:
        if all(head[offset : offset + len(wanted)] == wanted for offset, wanted in signature):
            return types
    return _text_types(head)


def decide(declared: str | None, head: bytes) -> str:
    """The type of a file that is to be sent. Raises WrongType."""
    possible = candidates(head)
    name = plain(declared)
    if not possible:
        raise WrongType(
            "Its bytes are of no type that can be texted: pictures, sound, video, PDF, contact cards, plain text.",
            code="medium_type_unknown",
        )
    if name is None:
        return possible[0]
    if name not in possible:
        raise WrongType(f"It is said to be {name[:80]}, but its bytes are {possible[0]}.", code="medium_type_mismatch")
    return name


def settle(declared: str | None, head: bytes) -> str:
    """The type under which to keep what somebody texted us: never one that its bytes contradict."""
    possible = candidates(head)
    name = plain(declared)
    if name in possible:
        return name
    return possible[0] if possible else ANY


def _text_types(head: bytes) -> tuple[str, ...]:
    if b"\0" in head or not head.strip():
        return ()
    try:
        # A whole head may end in the middle of a character.
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < SNIFFED_BYTES)
    except UnicodeDecodeError:
        return ()
    start = text.lstrip("\ufeff \t\r\n")[:64].lower().encode()
    if start.startswith(_MARKUP):
        return ()
    if start.startswith(b"begin:vcard"):
        return ("text/vcard",)
    if start.startswith(b"begin:vcalendar"):
        return ("text/calendar",)
    return ("text/plain", "text/csv")
