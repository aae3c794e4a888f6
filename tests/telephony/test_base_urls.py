"""Where carrier accounts may be: a tenant writes the address, and we are the ones who go there."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from fixtures.emulators import HookReceiver
from fixtures.telephony import NOWHERE, World
from offhook.telephony.base_urls import address_of, is_allowed
from offhook.telephony.carriers import carriers
from offhook.telephony.carriers.telnyx import account as telnyx
from offhook.telephony.carriers.twilio import account as twilio

SID = "AC" + "7" * 32
INSIDE = [
    "http://127.0.0.1:5432",
    "http://169.254.169.254",
    "http://localhost:8710",
    "http://[::1]:8710",
    "http://10.0.0.7:443",
    "https://public.example",
    "http://api.twilio.com",
    "https://api.twilio.com:8443",
    "https://api.twilio.com.evil.example",
    "https://evil-api.twilio.com",
]
ODD = [
    "https://user@api.twilio.com",
    "https://api.twilio.com@evil.example",
    "https://api.twilio.com/2010",
    "https://evil.example/api.twilio.com",
    "https://api.twilio.com?x",
    "https://api.twilio.com#x",
    "https://api.twilio.com\n",
    "http://127.0.0.1:8712\\@api.twilio.com",
    "http://",
    "//api.twilio.com",
    "",
]


@pytest.mark.parametrize("url", INSIDE + ODD)
async def test_no_account_may_be_anywhere_but_at_its_carrier(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        assert not [carrier.name for carrier in carriers(session).values() if is_allowed(url, carrier, ())]


async def test_each_carrier_knows_its_own_addresses_and_not_anothers() -> None:
    own = {
        "twilio": [
            twilio.API,
            "https://API.twilio.com/",
            "https://api.ie1.twilio.com",
            "https://api.dublin.ie1.twilio.com",
        ],
        "telnyx": [telnyx.API],
    }
    async with aiohttp.ClientSession() as session:
        found = carriers(session)
        assert found.keys() == own.keys(), "a carrier without its own addresses here"
        for owner, urls in own.items():
            for url in urls:
                assert [name for name, carrier in found.items() if is_allowed(url, carrier, ())] == [owner]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8712", ("127.0.0.1", 8712)),
        ("http://Carrier.internal/", ("carrier.internal", 80)),
        ("https://my_emulator", ("my_emulator", 443)),
        ("http://[::1]:9000", ("::1", 9000)),
        *((odd, None) for odd in ODD),
    ],
)
def test_the_address_of_an_origin_is_its_host_and_port(url: str, address: tuple[str, int] | None) -> None:
    assert address_of(url) == address


@pytest.mark.parametrize("url", INSIDE[:2])
async def test_an_account_elsewhere_is_refused_unless_the_operator_allows_it(world: World, url: str) -> None:
    body: dict[str, Any] = {
        "carrier": "twilio",
        "external_account_id": SID,
        "credentials": {"auth_token": "x"},
        "base_url": url,
    }
    refused = await world.api.post("/api/carrier-accounts", body)
    assert refused.status == 422
    assert [(error["path"], error["code"]) for error in refused.json["errors"]] == [
        ("base_url", "base_url_not_allowed")
    ]
    assert "OFFHOOK_EGRESS_ALLOW" in refused.json["detail"]
    change = {"base_url": url, "credentials": {"auth_token": "x"}}
    assert (await world.api.patch(f"/api/carrier-accounts/{world.account_id}", change)).status == 422
    allowed = await world.api.post("/api/carrier-accounts", {**body, "base_url": NOWHERE})
    assert allowed.status == 201


async def test_an_account_that_was_saved_elsewhere_is_not_used(world: World) -> None:
    async with HookReceiver().running() as inside:
        await world.execute("update carrier_accounts set base_url = $1", inside.url)
        receipt = await world.telephony.messaging.text(world.wish("Not there"))
        message = await world.message(receipt.message_id)
        assert (message.status, message.error_code) == ("failed", "base_url_not_allowed")
        assert message.decision is not None
        assert "OFFHOOK_EGRESS_ALLOW" in message.decision
        assert inside.url not in message.decision
        webhook = await world.api.send("POST", f"/webhooks/carriers/{world.account_id}/inbound-text")
        assert webhook.status == 404
    assert inside.received == []
