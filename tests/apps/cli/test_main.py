from __future__ import annotations

import subprocess
import sys

import pytest

from fixtures.command_line import CommandLine

HEAVY = ("aiohttp", "asyncpg", "fastapi", "livekit", "uvicorn", "cryptography", "phonenumbers")


async def test_help_names_every_command(offhook: CommandLine) -> None:
    outcome = await offhook("--help")
    assert outcome.code == 0
    for command in ("up", "status", "try", "phones", "api", "jobs", "agent", "emulator", "migrate", "keys", "openapi"):
        assert f" {command} " in outcome.out


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["status"], ["try", "--help"], ["keys", "create", "--help"]]
)
def test_looking_at_nothing_imports_no_server_and_no_driver(offhook: CommandLine, words: list[str]) -> None:
    script = f"from offhook.apps.cli.main import run; run({words!r}); import sys; print(*sys.modules, file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 0, ended.stderr
    loaded = {name.partition(".")[0] for name in ended.stderr.split()}
    assert not loaded.intersection(HEAVY)


async def test_a_setting_that_makes_no_sense_is_named_without_a_traceback(
    offhook: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFHOOK_PORT", "abc")
    outcome = await offhook("status")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "offhook: OFFHOOK_PORT is 'abc': give a port from 0 (any free one) to 65535 [configuration]\n"


@pytest.mark.parametrize("words", [["nonsense"], ["status", "--nonsense"], ["phones", "not-a-number"]])
async def test_wrong_usage_ends_with_2(offhook: CommandLine, words: list[str]) -> None:
    outcome = await offhook(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert words[-1] in outcome.err


@pytest.mark.parametrize("words", [["try", "hello"], ["phones"]])
async def test_commands_that_need_an_instance_say_how_to_start_one(offhook: CommandLine, words: list[str]) -> None:
    outcome = await offhook(*words)
    assert (outcome.code, outcome.out) == (1, "")
    assert "offhook up" in outcome.err
    assert "[not_running]" in outcome.err


async def test_a_package_that_is_not_installed_names_its_extra(
    offhook: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    monkeypatch.delitem(sys.modules, "offhook.apps.database", raising=False)
    outcome = await offhook("organizations", "list")
    assert outcome.code == 1
    assert "install `offhook[server]`" in outcome.err
