"""The agent process: the relay always, and the LiveKit worker where there is a LiveKit server.

`run_agent_process` ends on SIGTERM or SIGINT, within 3 s unless it was told to let calls end first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import psutil

from offhook.core.errors import ConfigurationError
from offhook.core.memory import keep_loaded
from offhook.core.settings import Settings
from offhook.core.telemetry import configure
from offhook.runtime.privacy import keep_payloads_out
from offhook.runtime.relay import LiveKitState, Relay
from offhook.runtime.worker import DEFAULT_AGENT_NAME, DEFAULT_MAX_CALLS, Worker, build_server

log = logging.getLogger("offhook.runtime")

STOP_SECONDS: Final = 2.5


@dataclass(frozen=True, slots=True)
class AgentProcessSettings:
    api_url: str
    api_key: str = field(repr=False)
    """A key of scope `worker`: calls in rooms are opened with it. Whoever uses the relay brings their own."""
    host: str = "127.0.0.1"
    port: int = 8711
    """Of the relay; 0 takes any free one."""
    livekit_url: str | None = None
    """None: no worker, text conversations only."""
    livekit_api_key: str = field(default="", repr=False)
    livekit_api_secret: str = field(default="", repr=False)
    agent_name: str = DEFAULT_AGENT_NAME
    max_calls: int = DEFAULT_MAX_CALLS
    drain_seconds: float = 0.0
    """How long, at the stop, calls may go on; no new ones are taken meanwhile."""
    log_level: str = "info"
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    """Where the models' keys are."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises ConfigurationError where the worker's key, or LiveKit's, is missing."""
        env = settings.environment
        api_key = env.get("OFFHOOK_API_KEY") or settings.worker_key
        if not api_key:
            raise ConfigurationError("OFFHOOK_API_KEY is not set: give the agent process a key of scope `worker`.")
        if settings.livekit_url and not (settings.livekit_api_key and settings.livekit_api_secret):
            raise ConfigurationError("LIVEKIT_URL is set: set LIVEKIT_API_KEY and LIVEKIT_API_SECRET as well.")
        return cls(
            api_url=env.get("OFFHOOK_URL") or f"http://{settings.host}:{settings.api_port}",
            api_key=api_key,
            host=settings.host,
            port=settings.agent_port,
            livekit_url=settings.livekit_url,
            livekit_api_key=settings.livekit_api_key or "",
            livekit_api_secret=settings.livekit_api_secret or "",
            agent_name=env.get("OFFHOOK_AGENT_NAME") or DEFAULT_AGENT_NAME,
            max_calls=int(_number(env, "OFFHOOK_MAX_CALLS", DEFAULT_MAX_CALLS)),
            drain_seconds=_number(env, "OFFHOOK_DRAIN_SECONDS", 0.0),
            log_level=settings.log_level,
            environment=env,
        )


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    if not text.isdecimal() or int(text) > 86_400:
        raise ConfigurationError(f"{name} is {text!r}: give a whole number up to 86400")
    return float(text)


def main(settings: AgentProcessSettings) -> None:
    """For a process of its own: sets logging up and runs until told to stop."""
    if not logging.getLogger().handlers:
        configure(settings.log_level)
    asyncio.run(run_agent_process(settings))


async def run_agent_process(
    settings: AgentProcessSettings, *, ready: Callable[[int], None] = lambda port: None
) -> None:
    """`ready` is told the relay's port once it listens. OSError where that port is taken; what LiveKit raises
    where its server cannot be reached in the end.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    keep_payloads_out()
    server = _server(settings)
    relay = Relay(
        api_url=settings.api_url,
        host=settings.host,
        port=settings.port,
        environment=settings.environment,
        livekit=lambda: _livekit(server),
    )
    await relay.start()
    ready(relay.port)
    keep_loaded()
    log.info("the relay listens", extra={"host": settings.host, "port": relay.port})
    try:
        await _until(stop, server)
        if server is not None and settings.drain_seconds:
            with contextlib.suppress(TimeoutError):
                await server.drain(timeout=int(settings.drain_seconds))
    except BaseException:
        await _stop(relay, server, exit_code=1)
        raise
    await _stop(relay, server, exit_code=0)


def _livekit(server: Worker | None) -> LiveKitState:
    return None if server is None else "registered" if server.registered else "connecting"


def _server(settings: AgentProcessSettings) -> Worker | None:
    if not settings.livekit_url:
        return None
    # Job processes inherit these; they are this process's own word on where the API is.
    os.environ.update(OFFHOOK_URL=settings.api_url, OFFHOOK_API_KEY=settings.api_key)
    return build_server(
        url=settings.livekit_url,
        api_key=settings.livekit_api_key,
        api_secret=settings.livekit_api_secret,
        agent_name=settings.agent_name,
        max_calls=settings.max_calls,
    )


async def _until(stop: asyncio.Event, server: Worker | None) -> None:
    """Returns when told to stop; raises what the worker died of."""
    waiting: list[asyncio.Task[bool]] = [asyncio.create_task(stop.wait())]
    if server is not None:
        waiting.append(asyncio.create_task(_run(server)))
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        waiting[0].cancel()


async def _run(server: Worker) -> bool:
    await server.run()
    return True


async def _stop(relay: Relay, server: Worker | None, *, exit_code: int) -> None:
    """A worker that is still starting its job processes cannot be closed before they are up, ten seconds later, and
    the end of the event loop would wait for it too: so what has not ended in time ends with the process.
    """
    leaving = [relay.aclose()] if server is None else [relay.aclose(), server.aclose()]
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await asyncio.gather(*leaving)
    except TimeoutError:
        log.warning("not everything ended in time; it is cut off")
        # The forkserver and what it forked: only some of them are known to multiprocessing as children.
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        logging.shutdown()
        os._exit(exit_code)
