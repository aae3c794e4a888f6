from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from offhook.core.errors import ConfigurationError
from offhook.secrets.keyring import KeyRing, NotWrappedHere, UnknownMasterKey, load_or_create, wrapped_by

PEPPER = "p" * 32
K1, K2 = bytes(range(32)), bytes(range(1, 33))


def _entry(name: str, key: bytes) -> str:
    return f"{name}:{base64.b64encode(key).decode()}"


def test_the_first_key_encrypts_and_all_of_them_decrypt() -> None:
    old = KeyRing.parse(_entry("k1", K1), PEPPER)
    both = KeyRing.parse(f"{_entry('k2', K2)}, {_entry('k1', K1)}", PEPPER)
    wrapped = old.wrap(b"data key", b"purpose")
    assert both.unwrap(wrapped, b"purpose") == b"data key"
    assert (wrapped_by(wrapped), wrapped_by(both.wrap(b"data key", b"purpose"))) == ("k1", "k2")


def test_a_missing_key_is_named() -> None:
    wrapped = KeyRing({"old": K1}, b"").wrap(b"data key", b"")
    with pytest.raises(UnknownMasterKey) as caught:
        KeyRing({"new": K2}, b"").unwrap(wrapped, b"")
    assert caught.value.name == "old"


@pytest.mark.parametrize("index", [0, 1, 3, 10, -1])
def test_a_changed_byte_does_not_unwrap(index: int) -> None:
    ring = KeyRing({"k1": K1}, b"")
    wrapped = bytearray(ring.wrap(b"data key", b""))
    wrapped[index] ^= 1
    with pytest.raises((NotWrappedHere, UnknownMasterKey)):
        ring.unwrap(bytes(wrapped), b"")


def test_what_was_wrapped_for_another_purpose_does_not_unwrap() -> None:
    ring = KeyRing({"k1": K1}, b"")
    with pytest.raises(NotWrappedHere):
        ring.unwrap(ring.wrap(b"data key", b"one"), b"other")


@pytest.mark.parametrize(
    "text",
    ["", ",", "k1", "k1:", "k1:###", "k1:c2hvcnQ=", f"k 1:{base64.b64encode(K1).decode()}", _entry("k1", K1) * 2],
)
def test_master_keys_of_another_form_are_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        KeyRing.parse(text, PEPPER)
    assert "OFFHOOK_MASTER_KEYS" in caught.value.detail
    assert base64.b64encode(K1).decode() not in caught.value.detail


def test_a_name_twice_and_a_short_pepper_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="twice"):
        KeyRing.parse(f"{_entry('k1', K1)},{_entry('k1', K2)}", PEPPER)
    with pytest.raises(ConfigurationError, match="OFFHOOK_KEY_PEPPER"):
        KeyRing.parse(_entry("k1", K1), "short")


def test_a_ring_shows_no_key_when_it_is_printed() -> None:
    assert repr(KeyRing.parse(_entry("k1", K1), PEPPER)) == "KeyRing()"


def test_the_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.keys"
    first = load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create(path) == first
    assert [entry.name for entry in path.parent.iterdir()] == ["master.keys"]


def test_many_that_make_the_file_at_once_get_the_same_ring(tmp_path: Path) -> None:
    path = tmp_path / "master.keys"
    with ThreadPoolExecutor(8) as threads:
        rings = list(threads.map(load_or_create, [path] * 32))
    assert all(ring == rings[0] for ring in rings)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.keys"
    load_or_create(path)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="0600"):
        load_or_create(path)


def test_a_file_without_its_lines_asks_for_the_backup(tmp_path: Path) -> None:
    path = tmp_path / "master.keys"
    path.touch(0o600)
    with pytest.raises(ConfigurationError, match="backup"):
        load_or_create(path)
