"""Wiring: the application of a store and settings, and a server that runs it until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from offhook.emulator import control, page
from offhook.emulator.clock import Clock, SystemClock, VirtualClock
from offhook.emulator.emulation import EMULATION, Emulation
from offhook.emulator.face import Face
from offhook.emulator.refusals import shaped_refusals
from offhook.emulator.settings import DEFAULT_TELNYX_API_KEY, Account, Settings
from offhook.emulator.store import Store
from offhook.emulator.telnyx import TelnyxFace
from offhook.emulator.twilio import TwilioFace

FACES: tuple[Face, ...] = (TwilioFace(), TelnyxFace())
"""The carriers that are emulated. The first answers for paths that are nobody's."""


def create_app(
    store: Store, settings: Settings | None = None, *, clock: Clock | None = None, host: str = "127.0.0.1"
) -> web.Application:
    """The emulator as an aiohttp application. The caller opens and closes `store`, with the same clock.

    `host` is where it will listen: requests for other names are refused, but for those of loopback.
    """
    settings = settings or Settings()
    emulation = Emulation(store, settings, clock or SystemClock(), FACES)
    app = web.Application(middlewares=[shaped_refusals(FACES, host)], client_max_size=settings.request_max_bytes)
    app[EMULATION] = emulation
    app.add_routes([*(route for face in FACES for route in face.routes()), *control.routes(), *page.routes()])
    app.cleanup_ctx.append(_running)
    app.on_shutdown.append(_hang_up_watchers)
    return app


async def _running(app: web.Application) -> AsyncIterator[None]:
    app[EMULATION].start()
    yield
    await app[EMULATION].stop()


async def _hang_up_watchers(app: web.Application) -> None:
    app[EMULATION].end_watching()


async def serve(
    *,
    home: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    accounts: Sequence[Account] = (),
    settings: Settings | None = None,
    virtual_clock: bool = False,
    on_ready: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, or until `stop` is set where one is given (then signals are left alone).

    `home` is the folder that keeps the journal; `port` 0 takes a free one. `accounts` stand for those of `settings`; of
    one that the home knows already only the token and the Telnyx key are taken, and what else was changed stays.
    With `virtual_clock` time stands still until the control API moves it; it begins at the present, or
    where a home that was used before left it.
    `on_ready` is called once with the base URL. Raises `JournalError` if another emulator has the home, `OSError` if
    the port is taken.
    """
    _log_plainly()
    settings = settings or Settings()
    settings = replace(settings, accounts=tuple(accounts) or settings.accounts)
    stop = stop or _stop_signal()
    clock = VirtualClock(time.time()) if virtual_clock else SystemClock()
    store = Store(home, clock=clock)
    if isinstance(clock, VirtualClock) and store.seq:
        clock.begin_at(store.last_at)
    runner = web.AppRunner(
        create_app(store, settings, clock=clock, host=host),
        access_log=None,
        shutdown_timeout=settings.shutdown_seconds,
        handle_signals=False,
    )
    try:
        for account in accounts:
            store.add_account(_with_credentials(store.accounts.get(account.sid), account))
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        await site.start()
        if on_ready is not None:
            on_ready(f"http://{f'[{host}]' if ':' in host else host}:{runner.addresses[0][1]}")
        await stop.wait()
    finally:
        await runner.cleanup()
        await store.close()


def _log_plainly() -> None:
    """Write to stderr what is logged, with the reason; where a process has handlers of its own, they stay alone."""
    log = logging.getLogger("offhook.emulator")
    if not log.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("emulator: %(message)s: %(error_type)s", defaults={"error_type": ""}))
        log.addHandler(handler)


def _with_credentials(known: Account | None, given: Account) -> Account:
    """An account as it was kept, with the credentials that are given now. A new one has the default key of Telnyx's
    face where none is given."""
    if known is None:
        return replace(given, telnyx_api_key=given.telnyx_api_key or DEFAULT_TELNYX_API_KEY)
    key = given.telnyx_api_key or known.telnyx_api_key
    return replace(known, auth_token=given.auth_token, telnyx_api_key=key)


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
