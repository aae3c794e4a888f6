from __future__ import annotations

import io
import json

import aiohttp
import pytest

from fixtures.emulators import RunningEmulator
from fixtures.telnyx import NUMBER, PHONE, TEXT, Api, bearer

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, "10023"),
        (b"{", 400, "10023"),
        (b"\xff\xfe\x00", 400, "10023"),
        (b"[" * 100_000, 400, "10023"),
        (b'{"to": ' + b"9" * 5000 + b"}", 400, "10023"),
        (b"[]", 400, "10015"),
        (b"null", 400, "10015"),
        (b'"to"', 400, "10015"),
        (b'{"to": {"to": "+12025550123"}, "from": "+13125550100", "text": "x"}', 400, "10015"),
        (b'{"to": NaN, "from": "+13125550100", "text": "x"}', 400, "10015"),
        (b'{"to": "+12025550123\\u0000", "from": "+13125550100", "text": "x"}', 400, "40310"),
        (b'{"to": "+12025550123\\n", "from": "+13125550100", "text": "x"}', 400, "40310"),
        (b" " * 1_100_000 + b"{}", 413, "10015"),
    ],
)
async def test_a_senseless_body_is_refused_in_telnyxs_shape(
    emulator: RunningEmulator, http: aiohttp.ClientSession, raw: bytes, status: int, code: str
) -> None:
    url = f"{emulator.url}/v2/messages"
    async with http.post(url, data=io.BytesIO(raw), headers={**bearer(), **JSON}) as answer:
        assert answer.status == status
        assert [error["code"] for error in (await answer.json())["errors"]] == [code]
    assert not emulator.store.messages


async def test_a_body_that_is_not_called_json_is_refused(
    emulator: RunningEmulator, http: aiohttp.ClientSession
) -> None:
    for body in (TEXT, b"{}"):
        async with http.post(f"{emulator.url}/v2/messages", headers=bearer(), data=body) as answer:
            assert (answer.status, (await answer.json())["errors"][0]["code"]) == (415, "10014")


async def test_odd_characters_are_kept_and_a_lone_surrogate_is_replaced(
    emulator: RunningEmulator, http: aiohttp.ClientSession, api: Api
) -> None:
    odd = "\x00\u202e\ufdd0\U0010ffff</p><script>\u2028"
    sent = await api.send(text=odd)
    assert (sent.data["text"], sent.data["encoding"]) == (odd, "UCS-2")
    raw = json.dumps({"to": PHONE, "from": NUMBER, "text": "a\ud800b", "tags": ["\udfff"]}).encode()
    async with http.post(f"{emulator.url}/v2/messages", data=raw, headers={**bearer(), **JSON}) as answer:
        data = (await answer.json())["data"]
    assert (data["text"], data["tags"]) == ("a\ufffdb", ["\ufffd"])
    async with http.get(emulator.url) as page:
        assert page.status == 200
        assert "<script>" not in await page.text()


async def test_a_method_that_a_path_does_not_have_is_refused_in_telnyxs_shape(
    emulator: RunningEmulator, http: aiohttp.ClientSession
) -> None:
    async with http.put(f"{emulator.url}/v2/messages", headers=bearer()) as answer:
        assert (answer.status, (await answer.json())["errors"][0]["code"]) == (405, "10005")
