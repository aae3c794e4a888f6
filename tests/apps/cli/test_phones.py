from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from fixtures.command_line import CALLER, NUMBER, CommandLine, send_text
from fixtures.emulators import EmulatorProcess, RunningEmulator
from offhook.emulator import Account

OTHER = "+12025550177"


async def test_no_texts_yet_is_said_beside_the_result(offhook: CommandLine, emulator: RunningEmulator) -> None:
    offhook.say_runs(emulator_url=emulator.url)
    outcome = await offhook("phones")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "no texts yet\n")


async def test_the_texts_of_all_phones_are_shown_in_order(offhook: CommandLine, emulator: RunningEmulator) -> None:
    offhook.say_runs(emulator_url=emulator.url)
    await send_text(emulator.url, "first")
    await send_text(emulator.url, "second ✔", to=OTHER)
    lines = (await offhook("phones")).out.splitlines()
    assert lines[0] == f"Phone     {CALLER} got a text from {NUMBER} (1 segment, GSM-7)"
    assert lines[1].strip() == "first"
    assert lines[3] == f"Phone     {OTHER} got a text from {NUMBER} (1 segment, UCS-2)"
    assert lines[4].strip() == "second ✔"


async def test_one_phone_is_named_as_people_write_numbers(offhook: CommandLine, emulator: RunningEmulator) -> None:
    offhook.say_runs(emulator_url=emulator.url)
    await send_text(emulator.url, "mine")
    await send_text(emulator.url, "not mine", to=OTHER)
    found = (await offhook("phones", "+1 (202) 555-0143", "--json")).json
    assert found["number"] == CALLER
    assert [text["body"] for text in found["messages"]] == ["mine"]


async def test_json_has_every_phone_with_its_texts(offhook: CommandLine, emulator: RunningEmulator) -> None:
    await send_text(emulator.url, "hello")
    found = (await offhook("phones", "--json", "--emulator", emulator.url)).json
    assert [(phone["number"], len(phone["messages"])) for phone in found["phones"]] == [(CALLER, 1)]


async def test_a_text_cannot_steer_the_terminal(offhook: CommandLine, emulator: RunningEmulator) -> None:
    await send_text(emulator.url, "[bold]plain[/bold] \x1b[2Jgone \u202eback")
    shown = (await offhook("phones", "--emulator", emulator.url)).out
    assert "[bold]plain[/bold] \ufffd[2Jgone \ufffdback" in shown


async def test_an_emulator_that_is_away_is_said(offhook: CommandLine) -> None:
    offhook.say_runs()
    outcome = await offhook("phones")
    assert outcome.code == 1
    assert "the emulator at http://127.0.0.1:9 does not answer" in outcome.err


async def test_following_shows_each_change_and_ends_quietly_with_ctrl_c(emulator: RunningEmulator) -> None:
    command = [sys.executable, "-m", "offhook", "phones", CALLER, "--follow", "--json", "--emulator", emulator.url]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    statuses: list[str] = []
    try:
        await send_text(emulator.url, "not for this phone", to=OTHER)
        await send_text(emulator.url, "on its way")
        async with asyncio.timeout(20):
            while statuses[-1:] != ["delivered"]:
                change = json.loads(await process.stdout.readline())
                assert change["body"] == "on its way"
                statuses.append(change["status"])
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
            assert await process.stderr.read() == b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert statuses == ["queued", "sending", "sent", "delivered"]


async def test_following_goes_on_when_the_emulator_is_there_again(tmp_path: Path) -> None:
    carrier = EmulatorProcess(tmp_path)
    url = await carrier.start()
    await send_text(url, "before")
    command = [sys.executable, "-m", "offhook", "phones", "--follow", "--json", "--emulator", url]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(40):
            while json.loads(await process.stdout.readline())["status"] != "delivered":
                pass
            await carrier.end()
            assert b"waiting for it" in await process.stderr.readline()
            await carrier.start(int(url.rpartition(":")[2]))
            assert b"there again" in await process.stderr.readline()
            await send_text(url, "after")
            change = json.loads(await process.stdout.readline())
            assert (change["body"], change["status"]) == ("after", "queued")
    finally:
        process.kill()
        await process.communicate()
        await carrier.end()


async def test_without_an_instance_the_option_that_names_another_emulator_is_said(offhook: CommandLine) -> None:
    outcome = await offhook("phones")
    assert outcome.code == 1
    assert "--emulator http://127.0.0.1" in " ".join(outcome.err.split())


async def test_a_phone_answers_whoever_texted_it_last(offhook: CommandLine, emulator: RunningEmulator) -> None:
    offhook.say_runs(emulator_url=emulator.url)
    await send_text(emulator.url, "Shall we stop?")
    outcome = await offhook("phones", CALLER, "--send", "stop")
    assert outcome.code == 0
    assert outcome.out.splitlines()[0] == f"Phone     {CALLER} texts {NUMBER} (1 segment, GSM-7)"
    assert [m.body for m in emulator.store.of_phone(CALLER)][1] == "stop"
    assert emulator.store.blocks


async def test_a_phone_texts_a_number_that_is_named(offhook: CommandLine, emulator: RunningEmulator) -> None:
    at = ("--emulator", emulator.url, "--json")
    sent = (await offhook("phones", "+1 202 555 0143", "--send", "hello ✔", "--to", "+1 (202) 555-0101", *at)).json
    assert (sent["from"], sent["to"], sent["body"], sent["direction"]) == (CALLER, "+12025550101", "hello ✔", "inbound")


async def test_a_phone_texts_the_account_that_is_named(offhook: CommandLine, emulator: RunningEmulator) -> None:
    emulator.store.add_account(Account("AC" + "2" * 32, "own"))
    at = ("--emulator", emulator.url, "--json", "--account", "AC" + "2" * 32)
    sent = (await offhook("phones", CALLER, "--send", "hello", "--to", NUMBER, *at)).json
    assert sent["account_sid"] == "AC" + "2" * 32


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--send", "x"), 2, "--send needs the number of the phone"),
        ((CALLER, "--send", "x", "--follow"), 2, "goes without --follow"),
        ((CALLER, "--send", "x"), 2, "nobody has texted +12025550143 yet"),
        ((CALLER, "--send", "x", "--to", "+14155551234"), 1, "no account owns the number"),
        ((CALLER, "--send", "x" * 1601, "--to", NUMBER), 1, "1 to 1600 characters"),
    ],
)
async def test_a_text_that_cannot_be_sent_says_why(
    offhook: CommandLine, emulator: RunningEmulator, arguments: tuple[str, ...], code: int, said: str
) -> None:
    outcome = await offhook("phones", *arguments, "--emulator", emulator.url)
    assert outcome.code == code
    assert said in " ".join(outcome.err.replace("│", " ").split())
