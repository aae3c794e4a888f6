"""A conversation with an agent over the relay, shown in the terminal; and the texts on the caller's phone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from offhook.apps.emulated_phones import ENDED, Document, EmulatedPhones
from offhook.apps.relay_call import Frame, RelayCall, relay_call
from offhook.apps.terminal import LABEL_WIDTH, labelled, visible

_UNREMARKABLE: Final = frozenset({"accepted", "sending"})
BAD_ENDINGS: Final = frozenset({"undelivered", "failed", "canceled"})


@dataclass(frozen=True, slots=True)
class PlayedCall:
    """A tool call. `duration_ms` is the agent's wait for it."""

    id: str
    name: str
    duration_ms: float
    is_error: bool


@dataclass(slots=True)
class PlayedTurn:
    """`prompt` None: the agent's greeting. `error`: `{"code", "detail"}` of what went wrong in it."""

    prompt: str | None
    said: str = ""
    tool_calls: list[PlayedCall] = field(default_factory=list[PlayedCall])
    error: dict[str, str] | None = None


@dataclass(slots=True)
class PlayedConversation:
    """What was said and done. `texts_after`: when it began; the texts that it caused are not older."""

    conversation_id: str
    agent_name: str
    model: str
    texts_after: datetime
    turns: list[PlayedTurn] = field(default_factory=list[PlayedTurn])

    @property
    def failed(self) -> bool:
        return any(turn.error for turn in self.turns)

    def as_json(self) -> dict[str, Any]:
        """For programs: `conversation_id`, `agent_name`, `model`, `turns`."""
        document = asdict(self)
        del document["texts_after"]
        return document


async def play(
    instance_relay_url: str,
    api_key: str,
    *,
    person_number: str | None,
    our_number: str | None,
    agent_id: str | None,
    prompts: Iterable[str] | AsyncIterable[str],
    console: Console | None,
    on_turn: Callable[[PlayedTurn], Awaitable[None]] | None = None,
) -> PlayedConversation:
    """Say each prompt once the agent has ended its turn; show who says what (`console` None: show nothing).

    Raises Unauthenticated, and Unavailable when the relay does not answer or the conversation breaks off, with the
    relay's own code (`agent_not_found`) where it gave one. An error within a turn is shown and kept in the turn.
    """
    began = datetime.now(UTC)
    known = {"agent_id": agent_id, "person_number": person_number, "our_number": our_number}
    async with relay_call(instance_relay_url, api_key, **known) as call:
        played = PlayedConversation(call.conversation_id, call.agent_name, call.model, began)
        if console is not None:
            console.print(Text(visible(f"{call.agent_name} · model: {call.model}"), style="dim"))
        async for turn in _turns(call, prompts, console):
            played.turns.append(turn)
            if on_turn is not None:
                await on_turn(turn)
    return played


async def _turns(
    call: RelayCall, prompts: Iterable[str] | AsyncIterable[str], console: Console | None
) -> AsyncGenerator[PlayedTurn]:
    greeting = await _play_turn(PlayedTurn(None), call.greeting(), console)
    if greeting.said or greeting.error:
        yield greeting
    echoed = not isinstance(prompts, AsyncIterable)  # who types sees the words already
    async for prompt in _each(prompts):
        if call.over:
            return
        if console is not None and echoed:
            labelled(console, "Caller", prompt, label_style="bold cyan")
        yield await _play_turn(PlayedTurn(prompt), call.say(prompt), console)


async def _each(prompts: Iterable[str] | AsyncIterable[str]) -> AsyncGenerator[str]:
    if isinstance(prompts, AsyncIterable):
        async for prompt in prompts:
            yield prompt
    else:
        for prompt in prompts:
            yield prompt


async def _play_turn(turn: PlayedTurn, frames: AsyncGenerator[Frame], console: Console | None) -> PlayedTurn:
    """What is said is shown when it is complete: before a tool call, and at the end of the turn."""
    shown = 0

    def show_said() -> None:
        nonlocal shown
        words, shown = turn.said[shown:].strip(), len(turn.said)
        if console is not None and words:
            labelled(console, "Agent", words, label_style="bold green")

    async with aclosing(frames):
        async for frame in frames:
            match frame["type"]:
                case "text":
                    turn.said += str(frame.get("text", ""))
                case "tool_call_started":
                    show_said()
                case "tool_call_ended":
                    turn.tool_calls.append(_played_call(frame))
                    _show_call(turn.tool_calls[-1], console)
                case "error":
                    turn.error = {"code": str(frame.get("code", "")), "detail": str(frame.get("detail", ""))}
                    show_said()
                    _show_error(turn.error, console)
                case _:
                    pass
    show_said()
    return turn


def _played_call(frame: Frame) -> PlayedCall:
    duration = frame.get("duration_ms")
    return PlayedCall(
        id=str(frame.get("id", "")),
        name=str(frame.get("name", "")),
        duration_ms=float(duration) if isinstance(duration, int | float) else 0.0,
        is_error=bool(frame.get("is_error")),
    )


def _show_call(call: PlayedCall, console: Console | None) -> None:
    if console is not None:
        outcome, style = ("failed", "red") if call.is_error else ("done", "")
        line = f"{call.name} · {outcome} in {call.duration_ms:.0f} ms"
        labelled(console, "Tool", line, style=style, label_style="bold blue")


def _show_error(error: dict[str, str], console: Console | None) -> None:
    if console is not None:
        labelled(console, "Error", f"{error['detail']} [{error['code']}]", style="red", label_style="bold red")


async def show_texts(
    emulator_url: str, number: str, *, after: datetime, console: Console | None, wait_seconds: float = 5.0
) -> list[Document]:
    """Show the texts that arrive at a phone, with segments and each status as it comes, until all that came have
    ended; at most `wait_seconds`. `after`: a moment; older texts are not shown. Gives the texts as they then are.

    Raises Unavailable when the emulator does not answer.
    """
    after = after.replace(microsecond=after.microsecond // 1000 * 1000)  # as exact as the emulator tells times
    view = _TextsView(console)
    async with EmulatedPhones(emulator_url) as phones:
        last = await phones.seq()
        known = await phones.texts_to(number, after)
        begin = min((text["seq"] - 1 for text in known), default=last)
        async with aclosing(phones.changes(begin, wait_seconds)) as changes:
            async for change in changes:
                text = change["message"]
                if text["to"] == number and datetime.fromisoformat(text["created_at"]) >= after:
                    view.show(text, change["status"])
                if view.texts and not view.open and change["seq"] >= last:
                    break
    view.end_line()
    if not view.texts and console is not None:
        labelled(console, "Phone", f"no text arrived at {number} within {wait_seconds:g} s", style="yellow")
    return list(view.texts.values())


class _TextsView:
    """Each text once, and under it its statuses on one line that grows; another text's news begins a new line."""

    def __init__(self, console: Console | None) -> None:
        self._console = console
        self._line: str | None = None
        self.texts: dict[str, Document] = {}
        """By sid, as last told."""
        self.open: set[str] = set()
        """Those that have not ended."""

    def show(self, text: Document, status: str) -> None:
        sid = text["sid"]
        is_new = sid not in self.texts
        self.texts[sid] = text
        if status in ENDED:
            self.open.discard(sid)
        else:
            self.open.add(sid)
        if self._console is None or status in _UNREMARKABLE:
            return
        if self._line != sid:
            self.end_line()
            if is_new:
                show_text(self._console, text)
            self._line = sid
            self._write(" " * LABEL_WIDTH)
            self._write("" if is_new else f"to {text['to']} ", "dim")
        else:
            self._write(" → ", "dim")
        self._write(status, "red" if status in BAD_ENDINGS else "green" if status in ENDED else "dim")
        if status in BAD_ENDINGS and text["error_code"]:
            self._write(f" (error {text['error_code']})", "red")

    def end_line(self) -> None:
        if self._line is not None and self._console is not None:
            self._console.print()
        self._line = None

    def _write(self, text: str, style: str = "") -> None:
        assert self._console is not None
        self._console.print(Text(text, style=style), end="")
        self._console.file.flush()


def show_text(console: Console, text: Document) -> None:
    """A text as its phone shows it, with what it cost: segments and encoding."""
    inbound = text["direction"] == "inbound"
    which = "texts" if inbound else "got a text from"
    phone, other = (text["from"], text["to"]) if inbound else (text["to"], text["from"])
    count = f"{text['segments']} segment{'' if text['segments'] == 1 else 's'}, {text['encoding']}"
    labelled(console, "Phone", f"{phone} {which} {other} ({count})", label_style="bold magenta")
    body = text["body"] or "(no words)"
    labelled(console, "", "\n".join([body, *text["media_urls"]]), style="bold")
