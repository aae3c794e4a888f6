from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fixtures.emulators import running_emulator
from fixtures.telnyx import NUMBER, OTHER_NUMBER, Api
from offhook.emulator import DEFAULT_ACCOUNT_SID
from offhook.emulator.telnyx.profiles import default_profile

PROFILE = default_profile(DEFAULT_ACCOUNT_SID).id


async def test_an_account_begins_with_one_profile_that_has_all_its_numbers(api: Api) -> None:
    listed = (await api.get("messaging_profiles")).body
    assert [profile["id"] for profile in listed["data"]] == [PROFILE]
    assert listed["meta"] == {"total_pages": 1, "total_results": 1, "page_number": 1, "page_size": 20}
    assert (await api.get(f"messaging_profiles/{PROFILE}")).data == listed["data"][0]
    numbers = (await api.get(f"messaging_profiles/{PROFILE}/phone_numbers?page[size]=250")).body
    assert len(numbers["data"]) == 100


async def test_numbers_come_in_pages_and_by_their_digits(api: Api) -> None:
    pages = [(await api.get(f"phone_numbers?page[size]=30&page[number]={page}")).body for page in (1, 2, 3, 4, 5)]
    assert [len(page["data"]) for page in pages] == [30, 30, 30, 10, 0]
    assert pages[0]["meta"] == {"total_pages": 4, "total_results": 100, "page_number": 1, "page_size": 30}
    (found,) = (await api.get("phone_numbers?filter[phone_number]=13125550100")).data
    assert (found["phone_number"], found["messaging_profile_id"], found["status"]) == (NUMBER, PROFILE, "active")
    for nothing in ("%2B13125550100", "13", "bikes", "%EF%BC%91%EF%BC%92%EF%BC%93"):
        assert (await api.get(f"phone_numbers?filter[phone_number]={nothing}")).data == []
    assert (await api.get(f"phone_numbers/{found['id']}")).data == found
    for odd in ("page[size]=-1", "page[size]=x", "page[number]=0", "page[number]=" + "9" * 400):
        assert (await api.get(f"phone_numbers?{odd}")).status == 200


async def test_a_profile_is_changed_and_keeps_it_over_a_restart(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    change = {"webhook_url": "http://127.0.0.1:1/a", "webhook_failover_url": "http://127.0.0.1:1/b", "name": "Bikes"}
    async with running_emulator(tmp_path) as emulator:
        changed = await Api(http, emulator.url).call("PATCH", f"messaging_profiles/{PROFILE}", change)
        assert changed.data | change == changed.data
    async with running_emulator(tmp_path) as emulator:
        assert (await Api(http, emulator.url).get(f"messaging_profiles/{PROFILE}")).data == changed.data


async def test_a_second_profile_takes_a_number_over(api: Api) -> None:
    wanted = {"name": "Second", "whitelisted_destinations": ["US", "CA"]}
    second = (await api.call("POST", "messaging_profiles", wanted)).data
    assert (second["name"], second["whitelisted_destinations"], second["enabled"]) == ("Second", ["US", "CA"], True)
    (number,) = (await api.get("phone_numbers?filter[phone_number]=13125550101")).data
    path = f"phone_numbers/{number['id']}/messaging"
    moved = await api.call("PATCH", path, {"messaging_profile_id": second["id"]})
    assert moved.data["messaging_profile_id"] == second["id"]
    assert (await api.get(path)).data == moved.data
    assert (await api.call("PATCH", path, {"messaging_profile_id": None})).data == moved.data
    listed = (await api.get(f"messaging_profiles/{second['id']}/phone_numbers")).data
    assert [entry["phone_number"] for entry in listed] == [OTHER_NUMBER]
    assert (await api.send(sender=OTHER_NUMBER, messaging_profile_id=PROFILE)).codes == ["40305"]
    assert (await api.send(sender=OTHER_NUMBER)).data["messaging_profile_id"] == second["id"]
    assert [profile["id"] for profile in (await api.get("messaging_profiles")).data] == [PROFILE, second["id"]]


async def test_a_profile_refuses_texts_when_it_is_off_or_may_not_go_there(api: Api) -> None:
    path = f"messaging_profiles/{PROFILE}"
    await api.call("PATCH", path, {"whitelisted_destinations": ["CA"]})
    assert (await api.send()).codes == ["40309"]
    assert (await api.send(to="+16135550123")).status == 200
    await api.call("PATCH", path, {"whitelisted_destinations": ["*"], "enabled": False})
    assert (await api.send()).codes == ["40312"]


async def test_a_profile_without_a_pool_or_numbers_picks_no_sender(api: Api) -> None:
    wanted = {"name": "Second", "whitelisted_destinations": ["*"]}
    second = (await api.call("POST", "messaging_profiles", wanted)).data
    for change in ({}, {"number_pool_settings": {"long_code_weight": 1}}):
        await api.call("PATCH", f"messaging_profiles/{second['id']}", change)
        assert (await api.send(sender=None, messaging_profile_id=second["id"])).codes == ["40321"]
    await api.call("PATCH", f"messaging_profiles/{PROFILE}", {"number_pool_settings": None})
    assert (await api.send(sender=None, messaging_profile_id=PROFILE)).codes == ["40321"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"whitelisted_destinations": ["US"]}, "10004"),
        ({"name": "x"}, "40331"),
        ({"name": "x", "whitelisted_destinations": "US"}, "10015"),
        ({"name": 1, "whitelisted_destinations": ["US"]}, "10015"),
        ({"name": "x", "whitelisted_destinations": ["US"], "webhook_url": "x"}, "10003"),
        ({"name": "x", "whitelisted_destinations": ["US"], "enabled": 1}, "10015"),
        ({"name": "x", "whitelisted_destinations": ["US"], "number_pool_settings": 1}, "10015"),
    ],
)
async def test_a_senseless_profile_is_refused(api: Api, body: dict[str, Any], code: str) -> None:
    assert (await api.call("POST", "messaging_profiles", body)).codes == [code]
    assert len((await api.get("messaging_profiles")).data) == 1


async def test_the_balance_and_the_key_are_shown(api: Api, http: aiohttp.ClientSession) -> None:
    balance = (await api.get("balance")).data
    assert (balance["record_type"], balance["currency"]) == ("balance", "USD")
    async with http.get(f"{api.url}/_emulator/telnyx") as answer:
        (account,) = (await answer.json())["accounts"]
    assert account["public_key"] == await api.public_key()
    assert (account["messaging_profile_id"], account["numbers"][0]) == (PROFILE, NUMBER)
