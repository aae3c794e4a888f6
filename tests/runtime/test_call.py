"""What a room and its dispatch say about a call, and what a worker must be told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc

from fixtures.scripted_model import ScriptedLLM, text_session
from offhook.core.errors import ConfigurationError
from offhook.core.settings import Settings
from offhook.runtime.call import Caller, Dispatched, client_of, fitting, read_caller, read_dispatch
from offhook.runtime.process import AgentProcessSettings

SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
STANDARD = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD


def participant(kind: Any, **attributes: str) -> Any:
    said = {name.replace("_", "."): value for name, value in attributes.items()}
    return cast("Any", SimpleNamespace(identity="somebody", kind=kind, attributes=said))


def test_a_caller_by_phone_has_numbers_and_the_carriers_id() -> None:
    somebody = participant(SIP, sip_phoneNumber="+12025550142", sip_trunkPhoneNumber="+12025550100", sip_callID="SCL_1")
    assert read_caller(somebody) == Caller("somebody", "phone", "+12025550142", "+12025550100", "SCL_1")
    assert read_caller(participant(SIP, sip_twilio_callSid="CA1", sip_callID="SCL_1")).carrier_call_id == "CA1"


def test_a_hidden_number_is_no_number() -> None:
    assert read_caller(participant(SIP, sip_phoneNumber="")).person_number is None


def test_what_a_browser_claims_about_sip_is_not_believed() -> None:
    assert read_caller(participant(STANDARD, sip_phoneNumber="+12025550142")) == Caller("somebody")
    assert read_caller(None) == Caller()


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        (('{"agent_id": "a1"}', '{"agent_id": "a2"}'), Dispatched("a1")),
        (("", '{"agent_id": "a2", "variables": {"n": 1}}'), Dispatched("a2", {"n": 1})),
        (("not json", "[1]", '"x"', "4", None, '{"agent_id": 4}'), Dispatched()),
        (('{"agent_id": "a1", "variables": [1]}',), Dispatched("a1")),
    ],
)
def test_the_first_metadata_that_names_an_agent_counts(metadata: tuple[str | None, ...], found: Dispatched) -> None:
    assert read_dispatch(*metadata) == found


async def test_a_session_without_ears_or_voice_uses_text_in_its_room() -> None:
    options = fitting(text_session(ScriptedLLM()))
    assert (options.audio_input, options.audio_output) == (False, False)


def test_a_worker_without_a_key_is_told_which_one_it_needs() -> None:
    with pytest.raises(ConfigurationError, match="OFFHOOK_API_KEY"):
        client_of({})
    assert client_of({"OFFHOOK_API_KEY": "k", "OFFHOOK_URL": "http://127.0.0.1:1/"}).url == "http://127.0.0.1:1"


def settings_of(**environment: str) -> AgentProcessSettings:
    return AgentProcessSettings.from_settings(Settings.from_environment({"HOME": "/nowhere", **environment}))


def test_the_agent_process_takes_its_settings_from_the_environment() -> None:
    given = settings_of(
        OFFHOOK_WORKER_KEY="wk", OFFHOOK_PORT="9000", OFFHOOK_AGENT_PORT="9001", OFFHOOK_DRAIN_SECONDS="60"
    )
    assert (given.api_url, given.port, given.livekit_url) == ("http://127.0.0.1:9000", 9001, None)
    assert (given.agent_name, given.drain_seconds) == ("offhook", 60.0)
    assert "wk" not in repr(given)


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "OFFHOOK_API_KEY"),
        ({"OFFHOOK_API_KEY": "k", "LIVEKIT_URL": "ws://127.0.0.1:1"}, "LIVEKIT_API_KEY"),
        ({"OFFHOOK_API_KEY": "k", "OFFHOOK_MAX_CALLS": "many"}, "OFFHOOK_MAX_CALLS"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        settings_of(**environment)
