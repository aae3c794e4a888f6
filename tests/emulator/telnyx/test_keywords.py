from __future__ import annotations

import aiohttp
import pytest

from fixtures.emulators import HookReceiver, RunningEmulator
from fixtures.telnyx import NUMBER, OTHER_NUMBER, PHONE, Api, document
from offhook.emulator import DEFAULT_ACCOUNT_SID
from offhook.emulator.telnyx.keywords import auto_response
from offhook.emulator.telnyx.profiles import default_profile

PROFILE = default_profile(DEFAULT_ACCOUNT_SID).id


@pytest.mark.parametrize(
    "word", ["STOP", "stop", " Stop\n", "stopall", "Stop  All", "unsubscribe", "CANCEL", "end", "Quit"]
)
def test_a_stop_word_alone_blocks(word: str) -> None:
    response = auto_response(word)
    assert response is not None
    assert (response.kind, response.blocks) == ("STOP", True)


@pytest.mark.parametrize("text", ["please stop", "stop.", "STOP it", "", "revoke", "optout", "yes", "info"])
def test_other_words_do_nothing(text: str) -> None:
    assert auto_response(text) is None


async def say(http: aiohttp.ClientSession, url: str, body: str, number: str = NUMBER) -> None:
    wanted = {"to": number, "body": body}
    async with http.post(f"{url}/_emulator/phones/{PHONE}/send", json=wanted) as answer:
        assert answer.status == 201, await answer.text()


async def replies(http: aiohttp.ClientSession, url: str) -> list[str]:
    async with http.get(f"{url}/_emulator/phones/{PHONE}") as answer:
        messages = (await answer.json())["messages"]
    return [m["body"] for m in messages if m["direction"] == "outbound-reply"]


async def test_stop_blocks_every_number_of_the_profile_and_start_frees_them(
    emulator: RunningEmulator, hooks: HookReceiver, api: Api, http: aiohttp.ClientSession
) -> None:
    await api.call("PATCH", f"messaging_profiles/{PROFILE}", {"webhook_url": hooks.url})
    await say(http, emulator.url, "Stop")
    for number in (NUMBER, OTHER_NUMBER):
        refused = await api.send(sender=number)
        assert (refused.status, refused.codes) == (409, ["40300"])
        assert refused.body["errors"][0]["detail"] == (
            f"Messages cannot be sent from '{number}' to '{PHONE}' due to an existing block rule."
        )
    pooled = await api.send("messages/number_pool", sender=None, messaging_profile_id=PROFILE)
    assert pooled.codes == ["40300"]
    assert (await api.send(to="+12025550124", use_profile_webhooks=False)).status == 200
    await say(http, emulator.url, "UNSTOP", OTHER_NUMBER)
    assert (await api.send(use_profile_webhooks=False)).status == 200
    told = [document(hook)["data"]["payload"] for hook in await hooks.wait_for(2)]
    assert [(event["text"], event["autoresponse_type"]) for event in told] == [("Stop", "STOP"), ("UNSTOP", "START")]
    assert len(await replies(http, emulator.url)) == 2


async def test_help_is_answered_and_changes_nothing(
    emulator: RunningEmulator, api: Api, http: aiohttp.ClientSession
) -> None:
    await say(http, emulator.url, "help")
    assert (await api.send()).status == 200
    (reply,) = await replies(http, emulator.url)
    assert "STOP" in reply


async def test_another_profile_is_not_blocked(emulator: RunningEmulator, api: Api, http: aiohttp.ClientSession) -> None:
    wanted = {"name": "Second", "whitelisted_destinations": ["US"]}
    second = (await api.call("POST", "messaging_profiles", wanted)).data["id"]
    await api.call("PATCH", f"phone_numbers/{OTHER_NUMBER}/messaging", {"messaging_profile_id": second})
    await say(http, emulator.url, "QUIT")
    assert (await api.send()).codes == ["40300"]
    assert (await api.send(sender=OTHER_NUMBER)).status == 200
