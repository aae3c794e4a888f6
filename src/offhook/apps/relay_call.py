"""One conversation over the relay's WebSocket, as the person who speaks with the agent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import aiohttp
from yarl import URL

from offhook.core.errors import OffhookError, Unauthenticated, Unavailable

START_SECONDS: Final = 15.0
TURN_SECONDS: Final = 120.0
"""Longer than any deadline of a tool and a slow model's answer together."""
GREETING_SECONDS: Final = 1.0
"""How long an agent has to begin its greeting, where the relay did not say whether there is one."""
AFTER_ERROR_SECONDS: Final = 1.0
"""How long the end of a turn is awaited once an error was told."""

Frame = dict[str, Any]
_GONE: Final[Frame] = {"type": "gone"}


@dataclass(slots=True)
class RelayCall:
    """Made by `relay_call`. `greets` None: the relay did not say. `over`: the other side has ended it."""

    conversation_id: str
    agent_name: str
    model: str
    greets: bool | None
    _socket: aiohttp.ClientWebSocketResponse
    _frames: asyncio.Queue[Frame]
    over: bool = False

    async def greeting(self) -> AsyncGenerator[Frame]:
        """The frames of the agent's greeting; none where it does not greet. Raises Unavailable."""
        if self.greets is False:
            return
        first = await _next(self._frames, TURN_SECONDS if self.greets else GREETING_SECONDS)
        if first is not None:
            async for frame in self._turn(first):
                yield frame

    async def say(self, prompt: str) -> AsyncGenerator[Frame]:
        """The frames of the agent's turn: `text`, `tool_call_started`, `tool_call_ended`, `error`.

        Raises Unavailable.
        """
        await self._send({"type": "prompt", "text": prompt})
        async for frame in self._turn(None):
            yield frame

    async def hang_up(self) -> None:
        """Tell the relay, and give it a moment to close the conversation."""
        if self.over:
            return
        try:
            await self._send({"type": "end"})
        except Unavailable:
            return
        while (frame := await _next(self._frames, AFTER_ERROR_SECONDS)) is not None:
            if frame["type"] in {"ended", "gone"}:
                return

    async def _turn(self, first: Frame | None) -> AsyncGenerator[Frame]:
        patience, failed = TURN_SECONDS, False
        frame = first
        while True:
            frame = frame or await _next(self._frames, patience)
            if frame is None and failed:
                return
            if frame is None:
                raise Unavailable(f"the agent did not end its turn within {TURN_SECONDS:.0f} s", code="turn_timeout")
            match frame["type"]:
                case "turn_ended":
                    return
                case "ended" | "gone":
                    self.over = True
                    if frame is _GONE and not failed:
                        raise _broken_off()
                    return
                case "error":
                    patience, failed = AFTER_ERROR_SECONDS, True
                    yield frame
                case _:
                    yield frame
            frame = None

    async def _send(self, frame: Frame) -> None:
        try:
            await self._socket.send_json(frame)
        except (aiohttp.ClientError, ConnectionError) as error:
            raise _broken_off() from error


@asynccontextmanager
async def relay_call(url: str, api_key: str, **known: str | None) -> AsyncGenerator[RelayCall]:
    """A started conversation; hung up at the end. `known`: agent_id, person_number, our_number.

    Raises Unauthenticated, or Unavailable with the relay's own code (`agent_not_found`) where it gave one.
    """
    start = {"type": "start", "channel": "web"} | {name: value for name, value in known.items() if value is not None}
    async with aiohttp.ClientSession() as session:
        socket = await _connect(session, url, api_key)
        frames = asyncio.Queue[Frame]()
        reading = asyncio.create_task(_read(socket, frames))
        try:
            await socket.send_json(start)
            call = _started(await _next(frames, START_SECONDS), socket, frames)
            yield call
            await call.hang_up()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await socket.close()


async def _connect(session: aiohttp.ClientSession, url: str, api_key: str) -> aiohttp.ClientWebSocketResponse:
    address = URL(url)
    if address.path == "/":
        address = address.with_path("/conversations")
    try:
        async with asyncio.timeout(START_SECONDS):
            return await session.ws_connect(address, headers={"Authorization": f"Bearer {api_key}"})
    except aiohttp.WSServerHandshakeError as refused:
        if refused.status in {401, 403}:
            raise Unauthenticated("the agent process does not accept this API key") from None
        raise Unavailable(f"the agent process answers {refused.status} at {address}", code="relay_refused") from None
    except (aiohttp.ClientError, TimeoutError):
        raise Unavailable(
            f"the agent process does not answer at {address}: `offhook status` says what runs", code="relay_unavailable"
        ) from None


async def _read(socket: aiohttp.ClientWebSocketResponse, frames: asyncio.Queue[Frame]) -> None:
    """What is not a frame of ours is passed over: a newer relay may say more than this version knows."""
    try:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                frame = _parse(message.data)
                if frame is not None:
                    frames.put_nowait(frame)
    finally:
        frames.put_nowait(_GONE)


def _parse(text: str) -> Frame | None:
    try:
        frame = json.loads(text)
    except ValueError:
        return None
    if not isinstance(frame, dict):
        return None
    known = cast("Frame", frame)
    return known if isinstance(known.get("type"), str) else None


async def _next(frames: asyncio.Queue[Frame], seconds: float) -> Frame | None:
    try:
        return await asyncio.wait_for(frames.get(), seconds)
    except TimeoutError:
        return None


def _started(frame: Frame | None, socket: aiohttp.ClientWebSocketResponse, frames: asyncio.Queue[Frame]) -> RelayCall:
    match frame:
        case {"type": "started"}:
            greets = frame.get("greets")
            return RelayCall(
                conversation_id=str(frame.get("conversation_id", "")),
                agent_name=str(frame.get("agent_name", "")),
                model=str(frame.get("model", "")),
                greets=greets if isinstance(greets, bool) else None,
                _socket=socket,
                _frames=frames,
            )
        case {"type": "error"}:
            raise Unavailable(str(frame.get("detail") or "the relay refused"), code=str(frame.get("code") or "relay"))
        case None:
            raise Unavailable(f"the conversation did not start within {START_SECONDS:.0f} s", code="relay_slow")
        case _:
            raise _broken_off()


def _broken_off() -> OffhookError:
    return Unavailable(
        "the agent process broke the conversation off: `offhook status` says how it does", code="conversation_broken"
    )
