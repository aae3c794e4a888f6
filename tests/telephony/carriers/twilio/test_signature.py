"""Our verdict on a signature is the SDK's, on every URL, form and spelling."""

from __future__ import annotations

import hashlib
import hmac
import timeit
from base64 import b64encode
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from offhook.telephony.carriers.twilio.signature import form_pairs, is_signed, settings_of

TOKEN = "12345678901234567890123456789012"
ORACLE = RequestValidator(TOKEN)
URL = "https://example.com/webhooks/carriers/0192/message-status?op=0193-abc"
FORM = {
    "MessageSid": "SM" + "a" * 32, "SmsSid": "SM" + "a" * 32, "AccountSid": "AC" + "b" * 32,
    "MessagingServiceSid": "", "From": "+12025550100", "To": "+12025550140", "Body": "Grüße & more = fun ",
    "NumMedia": "0", "MessageStatus": "delivered",
    "SmsStatus": "delivered", "ApiVersion": "2010-04-01", "ErrorCode": "",
}  # fmt: skip


class Multi(dict[str, list[str]]):
    """What Django and Flask hand to the SDK: several values under one name."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def ours(url: str, body: bytes, signature: str, algorithm: str = "HMAC_SHA1", *, form: bool = True) -> bool:
    pairs = form_pairs(body) if form else None
    return is_signed([TOKEN.encode()], url=url, pairs=pairs, body=body, signature=signature, algorithm=algorithm)


def theirs(url: str, pairs: list[tuple[str, str]], signature: str, algorithm: str = "HMAC_SHA1") -> bool:
    params = Multi()
    for name, value in pairs:
        params.setdefault(name, []).append(value)
    try:
        return ORACLE.validate(url, params, signature, algorithm)
    except (ValueError, UnicodeEncodeError):
        return False


def test_a_signed_form_is_accepted_and_any_change_refused() -> None:
    body = urlencode(FORM).encode()
    signature = ORACLE.compute_signature(URL, FORM)
    assert ours(URL, body, signature)
    assert not ours(URL + "1", body, signature)
    assert not ours(URL, body.replace(b"delivered", b"failed"), signature)
    assert not ours(URL, body, signature[:-2] + "A=")
    assert not ours(URL, body, "")
    assert not ours(URL, body, "é" * 28)
    assert not ours(URL, body + b"&Extra=1", signature)
    assert not is_signed([b"other"], url=URL, pairs=form_pairs(body), body=body, signature=signature)
    assert is_signed([b"other", TOKEN.encode()], url=URL, pairs=form_pairs(body), body=body, signature=signature)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a", "https://example.com:443/a", "http://example.com:80/a?b=c", "https://example.com:8443/a",
        "https://example.com/a?", "https://example.com/a#x", "HTTPS://Example.com/a", "https://example.com", "nonsense",
        "https://user:pw@example.com/a", "https://[::1]/a", "https://[::1]:8443/a", "https://example.com:0/a",
        "https://example.com:/a", "https://example.com:99999/a", "https://example.com/a;p?x=1", "https://example.com/a;",
        "https://example.com/ä?ö=ü", "https://example.com/a b", "https://example.com/\ta", "", "https://example.com//a?x=/;?",
    ],
)  # fmt: skip
@pytest.mark.parametrize("signed", ["as_is", "with_port", "without_port"])
def test_ports_and_odd_urls_are_judged_as_the_sdk_judges_them(url: str, signed: str) -> None:
    body = urlencode(FORM).encode()
    spelled = {
        "as_is": url,
        "with_port": url.replace("example.com/", "example.com:443/"),
        "without_port": url.replace(":443", "").replace(":80/", "/"),
    }[signed]
    signature = ORACLE.compute_signature(spelled, FORM)
    assert ours(url, body, signature) == theirs(url, list(FORM.items()), signature)


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
pairs_of_text = st.lists(st.tuples(names, st.text(st.characters(codec="utf-8"), max_size=12)), max_size=8)
urls = st.builds(
    lambda scheme, host, port, path, query: f"{scheme}://{host}{port}{path}{query}",
    st.sampled_from(["http", "https", "HTTP"]),
    st.sampled_from(["example.com", "EXAMPLE.com", "a.b-c.io", "u@example.com", "[::1]", ""]),
    st.sampled_from(["", ":80", ":443", ":8443", ":0", ":x", ":"]),
    st.text("/ab;%?#é \t\u2028", max_size=6),
    st.one_of(st.just(""), st.text("?=&ab;#%é", max_size=6)),
)


@given(urls, pairs_of_text, st.sampled_from(["HMAC_SHA1", "hmac_sha256", "HMAC_SHA256", "MD5", ""]), st.booleans())
@settings(max_examples=400, deadline=None)
def test_generated_requests_are_judged_as_the_sdk_judges_them(
    url: str, pairs: list[tuple[str, str]], algorithm: str, with_port: bool
) -> None:
    params = Multi()
    for name, value in pairs:
        params.setdefault(name, []).append(value)
    spelled = url.replace("example.com/", "example.com:443/") if with_port else url
    known = algorithm if algorithm.upper() in {"HMAC_SHA1", "HMAC_SHA256"} else "HMAC_SHA1"
    signature = ORACLE.compute_signature(spelled, params, known)
    body = urlencode(pairs).encode()
    assert ours(url, body, signature, algorithm or "HMAC_SHA1") == theirs(url, pairs, signature, algorithm)


@given(st.text("aé%+&=;2C0 \x00", max_size=30))
@settings(max_examples=400, deadline=None)
def test_forms_are_read_as_the_standard_library_reads_them(text: str) -> None:
    assert form_pairs(text.encode()) == parse_qsl(text, keep_blank_values=True)


def test_bytes_that_are_no_text_are_no_form() -> None:
    assert form_pairs(b"a=\xff") is None


def test_json_is_vouched_for_by_the_hash_in_the_signed_url() -> None:
    body = b'{"a": 1}'
    url = f"{URL}&bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = ORACLE.compute_signature(url, {})
    assert ORACLE.validate(url, body.decode(), signature)
    assert ours(url, body, signature, form=False)
    assert not ours(url, b'{"a": 2}', signature, form=False)
    assert not ours(URL, body, ORACLE.compute_signature(URL, {}), form=False)


def test_the_settings_header_names_key_and_algorithm() -> None:
    assert settings_of(None) == (None, "HMAC_SHA1")
    assert settings_of("") == (None, "HMAC_SHA1")
    assert settings_of("key=webhooks_sharedkey_1, algorithm=HMAC_SHA256") == ("webhooks_sharedkey_1", "HMAC_SHA256")
    assert settings_of("nonsense") == (None, "HMAC_SHA1")


@pytest.mark.parametrize("algorithm", ["HMAC_SHA1", "HMAC_SHA256"])
def test_nothing_is_signed_with_an_empty_key(algorithm: str) -> None:
    digest = algorithm.removeprefix("HMAC_").lower()
    forged = b64encode(hmac.digest(b"", URL.encode(), digest)).decode()
    assert not is_signed([b""], url=URL, pairs=[], body=b"", signature=forged, algorithm=algorithm)
    signed = b64encode(hmac.digest(b"k", URL.encode(), digest)).decode()
    assert is_signed([b"", b"k"], url=URL, pairs=[], body=b"", signature=signed, algorithm=algorithm)


def test_a_check_takes_no_more_than_a_third_of_the_sdks_time() -> None:
    body = urlencode(FORM).encode()
    signature = ORACLE.compute_signature(URL, FORM)
    mine = min(timeit.repeat(lambda: ours(URL, body, signature), number=200, repeat=7))
    sdk = min(
        timeit.repeat(
            lambda: ORACLE.validate(URL, dict(parse_qsl(body.decode(), keep_blank_values=True)), signature),
            number=200,
            repeat=7,
        )
    )
    assert mine <= 0.5 * sdk  # the goal, 0.35 of the SDK without its parsing, is `make bench`'s to hold
    print(f"{mine / sdk:.2f} of the SDK with parsing")
