from __future__ import annotations

import pytest

from fixtures.fake_relay import FakeRelay
from offhook.apps import agent_health
from offhook.apps.agent_health import NOT_REGISTERED, agent_complaint, agent_ready, complaint


def health_of(relay_url: str) -> str:
    return relay_url.replace("ws://", "http://").replace("/conversations", "/health")


async def test_ready_is_when_calls_reach_it() -> None:
    relay = FakeRelay(livekit="connecting")
    async with relay.running() as url:
        ready = agent_ready(health_of(url))
        assert not await ready()
        assert await agent_complaint(health_of(url)) == NOT_REGISTERED
        relay.livekit = "registered"
        assert await ready()
        assert await agent_complaint(health_of(url)) is None


async def test_without_livekit_it_is_ready_when_it_answers() -> None:
    async with FakeRelay().running() as url:
        assert await agent_ready(health_of(url))()
    assert not await agent_ready(health_of(url))()


async def test_a_livekit_server_that_stays_away_does_not_hold_the_start_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_health, "REGISTRATION_SECONDS", -1.0)
    async with FakeRelay(livekit="connecting").running() as url:
        assert await agent_ready(health_of(url))()


@pytest.mark.parametrize("body", [b"OK", b"", b"[]", b'{"status": "ok"}', b"\xff"])
def test_what_names_nothing_is_no_complaint(body: bytes) -> None:
    assert complaint(body) is None
