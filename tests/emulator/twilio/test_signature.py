from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from offhook.emulator.twilio.signature import sign

_NAMES = st.text("ABCabc", min_size=1, max_size=6)
_VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(fields=st.dictionaries(_NAMES, _VALUES, max_size=6), query=st.sampled_from(["", "?op=1", "?a=%20b&a=2"]))
def test_a_signature_is_the_one_that_twilios_validator_accepts(fields: dict[str, str], query: str) -> None:
    url = f"https://example.com/hooks{query}"
    assert RequestValidator("secret").validate(url, fields, sign("secret", url, fields))
    assert not RequestValidator("other").validate(url, fields, sign("secret", url, fields))
