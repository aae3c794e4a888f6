"""The relay: a WebSocket per conversation in text, `/conversations`; the agent process serves it.

Frames are JSON objects. In: `start`, `prompt`, `end`. Out: `started`, `text`, `tool_call_started`,
`tool_call_ended`, `turn_ended`, `error`, `ended`. Whoever connects brings an API key, which opens the conversation;
the relay itself may do nothing. Frames about tool calls carry names and times, never arguments or answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import aiohttp
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from offhook.client import Client
from offhook.core.errors import OffhookError
from offhook.core.sentences import sentence
from offhook.runtime.functions import CallEnded, CallStarted
from offhook.runtime.text import Failed, Text, TextConversation, TextEvent, TurnEnded

log = logging.getLogger("offhook.runtime")

MAX_FRAME_BYTES: Final = 64 * 1024
HARD_FRAME_BYTES: Final = 1024 * 1024
"""Up to here a frame that is too large gets an error; beyond it the socket is closed unread (1009)."""
MAX_PROMPT_CHARACTERS: Final = 8_000
MAX_WAITING_PROMPTS: Final = 8
HEARTBEAT_SECONDS: Final = 30.0


LiveKitState = Literal["registered", "connecting"] | None
"""Whether calls in rooms reach this process; None where it takes none."""


class _Frame(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Start(_Frame):
    type: str = Field(pattern="^start$")
    agent_id: str | None = Field(None, max_length=64)
    person_number: str | None = Field(None, max_length=32)
    our_number: str | None = Field(None, max_length=32)
    channel: str = Field("web", pattern="^(web|sms|relay)$")
    variables: dict[str, Any] | None = None


class Prompt(_Frame):
    type: str = Field(pattern="^prompt$")
    text: str = Field(min_length=1, max_length=MAX_PROMPT_CHARACTERS)


class End(_Frame):
    type: str = Field(pattern="^end$")


_KINDS: Final[Mapping[str, type[Start | Prompt | End]]] = {"start": Start, "prompt": Prompt, "end": End}
_OBJECT: Final = TypeAdapter(dict[str, Any])


class BadFrame(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def read_frame(data: str | bytes) -> Start | Prompt | End:
    """Raises BadFrame, whose detail names what is wrong and never repeats what was sent."""
    if len(data) > MAX_FRAME_BYTES or len(data.encode() if isinstance(data, str) else data) > MAX_FRAME_BYTES:
        raise BadFrame("frame_too_large", f"A frame has at most {MAX_FRAME_BYTES} bytes.")
    try:
        document = _OBJECT.validate_json(data)
    except (ValidationError, UnicodeError):
        raise BadFrame("not_json", "A frame is one JSON object.") from None
    kind = _KINDS.get(str(document.get("type")))
    if kind is None:
        raise BadFrame("unknown_frame", f"A frame's type is one of: {', '.join(_KINDS)}.")
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:80]
        raise BadFrame("invalid_frame", f"{document['type']}: {place}: {sentence(first)}") from None


class Relay:
    """Serves `/conversations` and `/health` until closed. Port 0 takes any free one: `port` says which."""

    def __init__(
        self,
        *,
        api_url: str,
        host: str,
        port: int,
        environment: Mapping[str, str],
        livekit: Callable[[], LiveKitState] = lambda: None,
    ) -> None:
        self._api_url = api_url
        self._host = host
        self.port = port
        self._environment = environment
        self._livekit = livekit
        self._connector: aiohttp.TCPConnector | None = None
        self._sockets: set[_Socket] = set()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Raises OSError where the port is taken."""
        self._connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=300)
        app = web.Application()
        app.router.add_get("/health", self._health)
        app.router.add_get("/conversations", self._serve)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def aclose(self) -> None:
        await asyncio.gather(*(socket.leave("shutdown") for socket in list(self._sockets)))
        if self._runner is not None:
            await self._runner.cleanup()
        if self._connector is not None:
            await self._connector.close()

    async def _health(self, _: web.Request) -> web.Response:
        health = {"status": "ok", "livekit": self._livekit(), "conversations": len(self._sockets)}
        return web.json_response(health)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        kind, _, key = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not key.strip():
            problem = {"type": "about:blank", "title": "Unauthorized", "status": 401, "code": "unauthenticated"}
            problem["detail"] = "Send an API key: `Authorization: Bearer offhook_live_…`."
            return web.json_response(problem, status=401, content_type="application/problem+json")
        # Compression would hold pieces of a sentence back, and frames are small.
        ws = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=HARD_FRAME_BYTES, compress=False)
        await ws.prepare(request)
        client = Client(self._api_url, key.strip(), connector=self._connector)
        socket = _Socket(ws, client, self._environment)
        self._sockets.add(socket)
        try:
            await socket.run()
        finally:
            self._sockets.discard(socket)
            await client.aclose()
        return ws


class _Socket:
    """One WebSocket and its conversation: frames are read here, turns are taken one after another in a task."""

    def __init__(self, ws: web.WebSocketResponse, client: Client, environment: Mapping[str, str]) -> None:
        self._ws = ws
        self._client = client
        self._environment = environment
        self._conversation: TextConversation | None = None
        self._prompts: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING_PROMPTS)
        self._turns: asyncio.Task[None] | None = None
        self._reason = "disconnected"

    async def run(self) -> None:
        try:
            async for message in self._ws:
                if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    break
                if not await self._take(message.data):
                    break
        finally:
            await self._finish()

    async def leave(self, reason: str) -> None:
        """The relay closes: `run` ends, and with it the conversation."""
        self._reason = reason
        await self._ws.close(code=aiohttp.WSCloseCode.GOING_AWAY)

    async def _take(self, data: str | bytes) -> bool:
        """False where the conversation is over. A frame that is no good costs nothing but an error frame."""
        try:
            match read_frame(data):
                case Start() as frame:
                    return await self._start(frame)
                case Prompt(text=text):
                    self._prompt(text)
                case _:
                    self._reason = "ended"
                    return False
        except BadFrame as error:
            await self._send("error", code=error.code, detail=error.detail)
        return True

    async def _start(self, frame: Start) -> bool:
        if self._conversation is not None:
            raise BadFrame("already_started", "This conversation has started; open another socket for another.")
        known = frame.model_dump(exclude_none=True, exclude={"type"})
        try:
            conversation = await TextConversation.open(
                self._client, sink=self._event, environment=self._environment, **known
            )
        except OffhookError as error:
            log.warning("a conversation in text did not open", extra={"code": error.code})
            await self._send("error", code=error.code, detail=error.detail)
            return False
        self._conversation = conversation
        await self._send(
            "started",
            conversation_id=conversation.conversation.id,
            agent_name=conversation.conversation.release.agent.name,
            model=conversation.models.label,
            greets=bool(conversation.conversation.release.agent.greeting),
        )
        self._turns = asyncio.create_task(self._take_turns(conversation))
        return True

    def _prompt(self, text: str) -> None:
        if self._conversation is None:
            raise BadFrame("not_started", "Send a `start` frame first.")
        try:
            self._prompts.put_nowait(text)
        except asyncio.QueueFull:
            raise BadFrame("too_many_prompts", f"{MAX_WAITING_PROMPTS} prompts wait for the agent already.") from None
        self._conversation.interrupt()

    async def _take_turns(self, conversation: TextConversation) -> None:
        await conversation.greet()
        while True:
            await conversation.hear(await self._prompts.get())

    async def _event(self, event: TextEvent) -> None:
        match event:
            case Text(text=text, last=last):
                await self._send("text", text=text, last=last)
            case CallStarted(id=call_id, name=name):
                await self._send("tool_call_started", id=call_id, name=name)
            case CallEnded(id=call_id, name=name, duration_ms=duration_ms, is_error=is_error):
                rounded = round(duration_ms, 1)
                await self._send("tool_call_ended", id=call_id, name=name, duration_ms=rounded, is_error=is_error)
            case Failed(code=code, detail=detail):
                await self._send("error", code=code, detail=detail)
            case TurnEnded():
                await self._send("turn_ended")

    async def _send(self, kind: str, **members: Any) -> None:
        """A socket that is gone hears nothing; its end is noticed where frames are read."""
        if not self._ws.closed:
            with contextlib.suppress(ConnectionError):
                await self._ws.send_str(json.dumps({"type": kind} | members, ensure_ascii=False))

    async def _finish(self) -> None:
        if self._turns is not None:
            self._turns.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._turns
        if self._conversation is not None:
            await self._conversation.close(self._reason)
        await self._send("ended")
        if not self._ws.closed:
            await self._ws.close()
