from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from fixtures.command_line import CALLER, DEMO, KEY, NUMBER, CommandLine
from fixtures.emulators import RunningEmulator
from fixtures.fake_relay import FakeRelay
from offhook.apps.agent_health import NOT_REGISTERED
from offhook.apps.instance import LiveKitAddress, instance_file


async def test_nothing_running_ends_with_3_and_says_how_to_start(offhook: CommandLine) -> None:
    outcome = await offhook("status")
    assert outcome.code == 3
    assert "offhook up" in outcome.out
    assert str(offhook.home) in outcome.out


async def test_nothing_running_is_json_too(offhook: CommandLine) -> None:
    outcome = await offhook("status", "--json")
    assert outcome.code == 3
    assert outcome.json == {"running": False, "home": str(offhook.home)}
    assert outcome.err == ""


async def test_an_instance_that_died_does_not_run(offhook: CommandLine) -> None:
    ended = await asyncio.create_subprocess_exec("true")
    await ended.wait()
    offhook.say_runs(pid=ended.pid)
    assert (await offhook("status")).code == 3


async def test_json_gives_programs_what_they_need_to_begin(offhook: CommandLine, emulator: RunningEmulator) -> None:
    async with FakeRelay().running() as relay_url:
        instance = offhook.say_runs(
            api_url=emulator.url,  # its /health is unknown there: an API that answers, but not well
            relay_url=relay_url,
            emulator_url=emulator.url,
            livekit=LiveKitAddress("ws://127.0.0.1:9", "offhook", "livekit's secret", ours=True),
            processes={"api": os.getpid(), "jobs": os.getpid(), "agent": os.getpid(), "emulator": None},
        )
        outcome = await offhook("status", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found = outcome.json
    assert (found["running"], found["healthy"]) == (True, False)
    assert (found["api_url"], found["docs_url"]) == (emulator.url, f"{emulator.url}/docs")
    assert (found["relay_url"], found["emulator_url"]) == (relay_url, instance.emulator_url)
    assert (found["api_key"], found["number"], found["caller"]) == (KEY, NUMBER, CALLER)
    assert found["agent"] == {"id": DEMO.agent_id, "name": DEMO.agent_name}
    assert found["organization"] == {"id": DEMO.organization_id, "name": DEMO.organization_name}
    assert found["model"] == {"name": "rehearsal (simulated)", "simulated": True}
    assert found["database"] == "embedded"
    assert found["livekit"] == {
        "url": "ws://127.0.0.1:9", "api_key": "offhook", "api_secret": "livekit's secret", "ours": True,
    }  # fmt: skip
    assert {process["name"]: process["health"] for process in found["processes"]} == {
        "api": "unhealthy (HTTP 404)",
        "jobs": "ok",
        "agent": "ok",
        "emulator": "ended, being started again",
        "livekit-server": "does not answer",
    }


async def test_people_see_every_part_and_no_secret(offhook: CommandLine, emulator: RunningEmulator) -> None:
    async with FakeRelay().running() as relay_url:
        offhook.say_runs(
            relay_url=relay_url,
            emulator_url=emulator.url,
            livekit=LiveKitAddress("ws://127.0.0.1:9", "offhook", "livekit's secret", ours=False),
        )
        outcome = await offhook("status")
    assert outcome.code == 0
    for part in (relay_url, emulator.url, "rehearsal (simulated)", "Workshop desk", NUMBER, CALLER, "LIVEKIT_URL"):
        assert part in outcome.out
    for secret in (KEY, "livekit's secret", "the agent's own secret"):
        assert secret not in outcome.out


@pytest.mark.parametrize(("livekit", "health"), [("registered", "ok"), ("connecting", NOT_REGISTERED), (None, "ok")])
async def test_an_agent_process_that_livekit_does_not_know_is_not_well(
    offhook: CommandLine, livekit: str | None, health: str
) -> None:
    async with FakeRelay(livekit=livekit).running() as relay_url:
        offhook.say_runs(relay_url=relay_url)
        outcome = await offhook("status", "--json")
    assert {one["name"]: one["health"] for one in outcome.json["processes"]}["agent"] == health


async def test_without_a_livekit_server_the_screen_says_why_there_are_no_rooms(offhook: CommandLine) -> None:
    offhook.say_runs()
    outcome = await offhook("status")
    assert "no livekit-server found; `make livekit`" in outcome.out


async def test_a_livekit_server_found_later_asks_for_a_new_start(
    offhook: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = tmp_path / "livekit-server"
    server.touch(mode=0o755)
    monkeypatch.setenv("OFFHOOK_LIVEKIT_SERVER", str(server))
    offhook.say_runs()
    assert "start `offhook up` anew" in (await offhook("status")).out


async def test_a_file_of_another_version_is_told_as_such(offhook: CommandLine) -> None:
    offhook.say_runs()
    instance_file(offhook.home).write_text('{"pid": 1}')
    outcome = await offhook("status")
    assert outcome.code == 1
    assert "another version" in outcome.err


async def test_a_database_outside_of_the_home_is_named(offhook: CommandLine, tmp_path: Path) -> None:
    offhook.say_runs()
    elsewhere, home = tmp_path / "elsewhere", offhook.home / "postgres"
    for directory in (elsewhere, home):
        directory.mkdir()
    assert str(elsewhere) not in (await offhook("status")).out
    (elsewhere / "home").write_text(f"{home}\n")
    (home / "server.json").write_text(json.dumps({"base": str(elsewhere), "socket_directory": None}))
    assert str(elsewhere) in "".join((await offhook("status")).out.split())
