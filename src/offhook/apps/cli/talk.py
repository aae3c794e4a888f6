"""`offhook try`: talk with the running instance's agent as a caller."""

from __future__ import annotations

import asyncio
import re
import sys
import uuid
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from offhook.apps.terminal import LABEL_WIDTH, console, print_json, tell
from offhook.core.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from offhook.apps.conversation_view import PlayedTurn
    from offhook.apps.instance import Instance

TEXTS_SECONDS: Final = 5.0
"""How long a text is awaited after a tool call."""
AFTER_FAILURE_SECONDS: Final = 0.5
"""The same, where every call failed: one of them may have sent something all the same."""

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_BETWEEN_DIGITS: Final = re.compile(r"[\s().-]")


def phone_number(text: str) -> str:
    """E.164 as people write it. Raises typer.BadParameter."""
    number = _BETWEEN_DIGITS.sub("", text)
    if not _E164.fullmatch(number):
        raise typer.BadParameter(f"{text!r} is no phone number: write it like +12025550143")
    return number


def agent_id(text: str) -> str:
    """An agent's id, as the API gives it. Raises typer.BadParameter."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no agent's id: `GET /api/agents` lists them") from None


def try_agent(
    text: Annotated[list[str] | None, typer.Argument(help="What the caller says; each argument is one turn.")] = None,
    agent: Annotated[str | None, typer.Option(help="An agent's id; else the demonstration's.", parser=agent_id)] = None,
    caller: Annotated[
        str | None, typer.Option("--from", help="The caller's number; else the demonstration's.", parser=phone_number)
    ] = None,
    called: Annotated[
        str | None, typer.Option("--to", help="The number called; else the demonstration's.", parser=phone_number)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="For programs: one document at the end.")] = False,
) -> None:
    """Talk with an agent of the running instance; without TEXT, line by line. Texts that it sends are shown."""
    from offhook.apps.instance import get_instance

    instance = get_instance(Settings.from_environment().home)
    if not text and sys.stdin.isatty() and not json:
        tell("Say something; Ctrl-D ends the call.")
        prompts: Iterable[str] | AsyncIterable[str] = _typed()
    else:
        prompts = text or [line.strip() for line in sys.stdin if line.strip()]
    talk = _Talk(instance, agent or instance.demo.agent_id, caller or instance.demo.caller, called, json)
    raise typer.Exit(asyncio.run(talk.run(prompts)))


class _Talk:
    def __init__(self, instance: Instance, agent_id: str, caller: str, called: str | None, json: bool) -> None:
        self._instance = instance
        self._agent_id = agent_id
        self._caller = caller
        self._called = called or instance.demo.number
        self._console: Console | None = None if json else console()
        self._texts: list[dict[str, Any]] = []
        self._texts_after = datetime.now(UTC)

    async def run(self, prompts: Iterable[str] | AsyncIterable[str]) -> int:
        """1 if the agent told of an error."""
        from offhook.apps.conversation_view import play

        played = await play(
            self._instance.relay_url,
            self._instance.demo.api_key,
            person_number=self._caller,
            our_number=self._called,
            agent_id=self._agent_id,
            prompts=prompts,
            console=self._console,
            on_turn=self._show_texts,
        )
        if self._console is None:
            print_json({**played.as_json(), "texts": self._texts})
        return 1 if played.failed else 0

    async def _show_texts(self, turn: PlayedTurn) -> None:
        from offhook.apps.conversation_view import show_texts

        if not turn.tool_calls:
            return
        all_failed = all(call.is_error for call in turn.tool_calls)
        self._texts += await show_texts(
            self._instance.emulator_url,
            self._caller,
            after=self._texts_after,
            console=self._console,
            wait_seconds=AFTER_FAILURE_SECONDS if all_failed else TEXTS_SECONDS,
        )
        self._texts_after = datetime.now(UTC)


async def _typed() -> AsyncGenerator[str]:
    """The lines that a person types, until Ctrl-D."""
    while True:
        sys.stdout.write(f"{'Caller':<{LABEL_WIDTH}}")
        sys.stdout.flush()
        line = await _line()
        if not line:
            print()
            return
        if line.strip():
            yield line.strip()


async def _line() -> str:
    """One line of stdin, "" at its end. Read by the loop and not by a thread, which Ctrl-C could not end."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    return sys.stdin.readline()
