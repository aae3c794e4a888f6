"""`offhook try` against the relay itself: that both mean the same frames."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.command_line import DEMO, CommandLine
from fixtures.emulators import RunningEmulator
from fixtures.fake_gateway import AGENT_ID, KEY, FakeGateway
from offhook.apps.cli import talk
from offhook.runtime.relay import Relay


async def test_the_rehearsal_model_is_tried(
    offhook: CommandLine, emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "TEXTS_SECONDS", 0.1)  # this gateway's tool texts nobody
    async with FakeGateway() as gateway:
        relay = Relay(api_url=gateway.url, host="127.0.0.1", port=0, environment={})
        await relay.start()
        try:
            url = f"ws://127.0.0.1:{relay.port}/conversations"
            offhook.say_runs(relay_url=url, emulator_url=emulator.url, demo=replace(DEMO, api_key=KEY))
            outcome = await offhook(
                "try", "--json", "--agent", AGENT_ID, "what can you do?", "text me the booking link"
            )
        finally:
            await relay.aclose()
        assert outcome.code == 0, outcome.err
        greeting, answer, link = outcome.json["turns"]
        assert greeting["said"] == "Spoke & Chain, how can I help?"
        assert "rehearsal model" in answer["said"]
        assert [call["is_error"] for call in link["tool_calls"]] == [False]
        assert link["said"] == "Done. Status: sent. A real model would phrase this."
        assert gateway.closed == [(outcome.json["conversation_id"], "ended")]
