"""`offhook up`: the whole product on one machine, supervised, until Ctrl-C.

PostgreSQL is this process's own child; API, jobs, agent, emulator and, where one is found, a LiveKit server are
children too. Everything kept is below the home.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from rich.console import Console

from offhook.apps import demo as demonstration_data
from offhook.apps import livekit_server
from offhook.apps.agent_health import agent_complaint, agent_ready
from offhook.apps.database import key_ring, postgres_home, prepare_embedded
from offhook.apps.demonstration import play_demonstration
from offhook.apps.instance import (
    Demo,
    Instance,
    LiveKitAddress,
    find_instance,
    instance_file,
    write_instance,
)
from offhook.apps.ports import choose_port
from offhook.apps.probe import probe
from offhook.apps.supervisor import Child, ChildDidNotStart, Supervisor, foreign_command, own_command
from offhook.client import Client
from offhook.core.db.embedded import EmbeddedPostgres
from offhook.core.db.migrate import migrate
from offhook.core.db.pool import Database
from offhook.core.errors import ConfigurationError
from offhook.core.private_files import write_private
from offhook.core.settings import Settings
from offhook.emulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN


def run(settings: Settings, *, demonstration: bool | None = None, console: Console | None = None) -> int:
    """Start everything and stay until SIGINT or SIGTERM. `demonstration` None: on the first start only.

    Raises ConfigurationError when something cannot start; nothing is left running then.
    """
    return asyncio.run(_Up(settings, console or Console(highlight=False)).run(demonstration))


class _Up:
    def __init__(self, settings: Settings, console: Console) -> None:
        self._settings = settings
        self._console = console
        self._home = settings.home
        self._began = monotonic()
        self._supervisor = Supervisor(on_event=self._warn, on_change=self._write_instance)
        self._postgres: EmbeddedPostgres | None = None
        self._instance: Instance | None = None

    async def run(self, demonstration: bool | None) -> int:
        self._open_home()
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        starting = asyncio.create_task(self._start(demonstration))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopping
            self._say("stopping")
        finally:
            for task in (starting, stopping):
                task.cancel()
            await asyncio.gather(starting, stopping, return_exceptions=True)
            await self._stop()
        return 0

    # Starting

    async def _start(self, demonstration: bool | None) -> None:
        environment = await self._environment()
        played = self._home / "demonstrated"
        # What needs no database starts at once: the agent takes longest.
        early = asyncio.create_task(self._start_together(*self._early_children(environment)))
        try:
            dsn = await self._start_database()
            demo = await self._organization(dsn, environment)
            environment["OFFHOOK_DEFAULT_ORGANIZATION"] = demo.organization_id
            self._instance = self._describe(environment, demo)
            await self._start_together(*self._late_children(environment))
            demo = await self._furnish(demo)
            await early
        except BaseException:
            early.cancel()
            await asyncio.gather(early, return_exceptions=True)
            raise
        complaint = await agent_complaint(_agent_health(environment))
        if complaint is not None:
            self._warn(
                f"{complaint} until {environment.get('LIVEKIT_URL')} answers the worker; "
                f"see {self._home / 'logs' / 'agent.log'}"
            )
        self._instance = replace(self._instance, demo=demo)
        self._write_instance()
        if demonstration if demonstration is not None else not played.exists():
            await play_demonstration(self._instance, self._console)
            played.touch()
        self._welcome()

    def _open_home(self) -> None:
        running = find_instance(self._home)
        if running is not None:
            raise ConfigurationError(
                f"Offhook runs already for {self._home} (process {running.pid}): use it, stop it with Ctrl-C there, "
                "or set OFFHOOK_HOME for a second instance",
                code="already_running",
            )
        try:
            if not self._home.exists():
                self._home.mkdir(parents=True)
                self._home.chmod(0o711)  # the server of root's database runs as somebody else, who must pass through
            for name in ("run", "logs"):
                (self._home / name).mkdir(exist_ok=True)
                (self._home / name).chmod(0o700)
        except OSError as error:
            raise ConfigurationError(
                f"{self._home} cannot be made ({error.strerror}): set OFFHOOK_HOME to a directory that may be written"
            ) from error
        self._lock = os.open(self._home / "run" / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"Offhook is starting or stopping for {self._home} already: wait a moment, or set OFFHOOK_HOME",
                code="already_running",
            ) from None

    async def _start_database(self) -> str:
        if self._settings.database_url is not None:
            self._say("database: DATABASE_URL")
            dsn = self._settings.database_url
        else:
            self._say("database: starting the embedded PostgreSQL")
            self._postgres = EmbeddedPostgres(postgres_home(self._home), on_progress=self._database_says)
            dsn = await prepare_embedded(await self._postgres.start(), self._home)
        await migrate(dsn, on_progress=self._say)
        return dsn

    async def _organization(self, dsn: str, environment: Mapping[str, str]) -> Demo:
        """The demonstration's organization, made on the first start, with the emulator as its carrier."""
        # Here, because it brings FastAPI and takes a second, in which the first children are starting already.
        from offhook.apps.wiring import make_services

        database = Database(dsn, max_connections=2, application_name="offhook up")
        await database.open()
        settings = Settings.from_environment(environment)
        services = make_services(settings, database, key_ring(settings))
        try:
            demo = demonstration_data.read_demo(self._home)
            if demo is None:
                self._say("making the demonstration organization")
                demo = await demonstration_data.make_organization(services, self._home)
            await demonstration_data.connect_emulator(
                services,
                demo,
                account_sid=DEFAULT_ACCOUNT_SID,
                auth_token=DEFAULT_AUTH_TOKEN,
                url=_emulator_url(environment),
            )
            return demo
        finally:
            await services.telephony.close()
            await database.close()

    async def _environment(self) -> dict[str, str]:
        """The children's environment: ours, with the ports chosen and the deployment's own keys."""
        settings, taken = self._settings, set[int]()
        ports = {
            variable: choose_port(settings.environment, variable, wanted, settings.host, taken)
            for variable, wanted in (
                ("OFFHOOK_PORT", settings.api_port),
                ("OFFHOOK_AGENT_PORT", settings.agent_port),
                ("OFFHOOK_EMULATOR_PORT", settings.emulator_port),
                ("OFFHOOK_LIVEKIT_PORT", settings.livekit_port),
            )
        }
        api_url = f"http://127.0.0.1:{ports['OFFHOOK_PORT']}"
        environment = {
            **settings.environment,
            **{name: str(port) for name, port in ports.items()},
            "OFFHOOK_HOME": str(self._home),
            "OFFHOOK_URL": api_url,
            "OFFHOOK_PUBLIC_URL": settings.public_url or api_url,
            "OFFHOOK_EGRESS_ALLOW": _with_emulator(settings.environment, ports["OFFHOOK_EMULATOR_PORT"]),
            "OFFHOOK_WORKER_KEY": settings.worker_key or self._secret("worker-key"),
            "AGENT_SMS_SECRET": settings.agent_sms_secret or self._secret("agent-sms-secret"),
        }
        environment["OFFHOOK_API_KEY"] = environment["OFFHOOK_WORKER_KEY"]
        await self._livekit(environment, ports["OFFHOOK_LIVEKIT_PORT"], taken)
        return environment

    async def _livekit(self, environment: dict[str, str], port: int, taken: set[int]) -> None:
        """LIVEKIT_URL as it is set, or the address of a server of our own, if there is one to run."""
        self._livekit_binary = None
        if self._settings.livekit_url is not None:
            return
        self._livekit_binary = livekit_server.find_livekit_server(self._settings.environment)
        if self._livekit_binary is None:
            return
        environment["LIVEKIT_URL"] = f"ws://127.0.0.1:{port}"
        environment["LIVEKIT_API_KEY"] = livekit_server.API_KEY
        environment["LIVEKIT_API_SECRET"] = self._secret("livekit-secret")
        livekit_server.write_configuration(
            self._home / "run" / "livekit.yaml",
            port=port,
            rtc_udp_port=choose_port({}, "", 0, "127.0.0.1", taken),
            rtc_tcp_port=choose_port({}, "", 0, "127.0.0.1", taken),
            api_secret=environment["LIVEKIT_API_SECRET"],
            webhook_url=f"{environment['OFFHOOK_URL']}/api/livekit/webhook",
        )

    def _secret(self, name: str) -> str:
        """A secret of this deployment, made once and kept in a file that only its owner may read."""
        path = self._home / "run" / name
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32))
        return path.read_text()

    def _describe(self, environment: Mapping[str, str], demo: Demo) -> Instance:
        livekit_url = environment.get("LIVEKIT_URL")
        livekit = LiveKitAddress(
            livekit_url or "",
            environment.get("LIVEKIT_API_KEY", ""),
            environment.get("LIVEKIT_API_SECRET", ""),
            ours=self._livekit_binary is not None,
        )
        return Instance(
            pid=os.getpid(),
            home=str(self._home),
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            api_url=environment["OFFHOOK_URL"],
            relay_url=f"ws://127.0.0.1:{environment['OFFHOOK_AGENT_PORT']}/conversations",
            emulator_url=_emulator_url(environment),
            database="DATABASE_URL" if self._settings.database_url else "embedded",
            model=_model(environment),
            demo=demo,
            agent_sms_secret=environment["AGENT_SMS_SECRET"],
            livekit=livekit if livekit_url else None,
        )

    def _early_children(self, environment: Mapping[str, str]) -> list[Child]:
        return [
            self._child("agent", environment, agent_ready(_agent_health(environment))),
            *self._livekit_child(environment),
            self._child("emulator", environment, _when_it_answers(f"{_emulator_url(environment)}/_emulator/health")),
        ]

    def _late_children(self, environment: Mapping[str, str]) -> list[Child]:
        return [
            # The agent closes its conversations through the API, so that stops last.
            self._child("api", environment, _when_it_answers(f"{environment['OFFHOOK_URL']}/health"), stops_last=True),
            self._child("jobs", environment, _at_once),
        ]

    def _livekit_child(self, environment: Mapping[str, str]) -> list[Child]:
        if self._livekit_binary is None:
            return []
        configuration = str(self._home / "run" / "livekit.yaml")
        command = foreign_command(str(self._livekit_binary), "--config", configuration)
        address = f"http://127.0.0.1:{environment['OFFHOOK_LIVEKIT_PORT']}/"
        # It keeps nothing, and asked politely it would wait for the people in its rooms.
        child = self._child(livekit_server.NAME, environment, _when_it_answers(address), command=command)
        child.stop_signal = signal.SIGKILL
        return [child]

    def _child(
        self,
        name: str,
        environment: Mapping[str, str],
        is_ready: Callable[[], Awaitable[bool]],
        *,
        command: list[str] | None = None,
        stops_last: bool = False,
    ) -> Child:
        """One of our own commands by its name, unless `command` says otherwise."""
        log_file = self._home / "logs" / f"{name}.log"
        return Child(name, command or own_command(name), environment, log_file, is_ready, stops_last=stops_last)

    async def _start_together(self, *children: Child) -> None:
        async def start(child: Child) -> None:
            await self._supervisor.start(child)
            self._say(f"{child.name} is up")

        try:
            async with asyncio.TaskGroup() as group:
                for child in children:
                    group.create_task(start(child))
        except* ChildDidNotStart as failures:
            first = failures.exceptions[0]
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            assert isinstance(first, ChildDidNotStart)
            raise ConfigurationError(
                f"{first.name} did not start; the end of {self._home / 'logs' / first.name}.log:\n{first.log_tail}",
                code="process_did_not_start",
            ) from None

    async def _furnish(self, demo: Demo) -> Demo:
        assert self._instance is not None
        async with Client(self._instance.api_url, demo.api_key) as client:
            return await demonstration_data.furnish(client, demo, self._instance.emulator_url)

    # Running and stopping

    async def _stop(self) -> None:
        await self._supervisor.stop()
        if self._postgres is not None:
            await self._postgres.stop()
        with contextlib.suppress(FileNotFoundError):
            instance_file(self._home).unlink()
        os.close(self._lock)

    def _write_instance(self) -> None:
        if self._instance is None:
            return
        pids = {child.name: child.pid for child in self._supervisor.children}
        if self._postgres is not None:
            pids["postgres"] = self._postgres.pid
        self._instance = replace(self._instance, processes=pids)
        write_instance(self._home, self._instance)

    def _database_says(self, sentence: str) -> None:
        """It may have been started again, under another process id."""
        self._say(sentence)
        self._write_instance()

    def _say(self, sentence: str) -> None:
        self._console.print(f"[dim]{monotonic() - self._began:6.1f} s[/dim]  {sentence}")

    def _warn(self, sentence: str) -> None:
        self._console.print(f"[yellow]{datetime.now():%H:%M:%S}[/yellow]  {sentence}")  # noqa: DTZ005 - a person's clock

    def _welcome(self) -> None:
        instance = self._instance
        assert instance is not None
        rooms = f"real rooms at {instance.livekit.url}" if instance.livekit else "no LiveKit server"
        if not instance.livekit and livekit_server.find_livekit_server({}) is None:
            rooms += " (`make livekit` installs one)"
        self._console.print()
        for label, value in (
            ("API docs", instance.docs_url),
            ("API key", instance.demo.api_key),
            ("phones", f"{instance.emulator_url}/ (simulated carrier)"),
            ("LiveKit", rooms),
            ("model", instance.model),
            ("home", instance.home),
        ):
            self._console.print(f"  [bold]{label:9}[/bold] {value}", soft_wrap=True)
        self._console.print()
        command = f'{_offhook()} try "text me the booking link"'
        self._console.print(f"Try: [bold]{command}[/bold]   Stop: Ctrl-C", soft_wrap=True)


def _offhook() -> str:
    """The command as it can be typed here: by its name where that finds this very installation."""
    here = Path(sys.executable).with_name("offhook")
    found = shutil.which("offhook")
    if found is not None and Path(found).resolve() == here.resolve():
        return "offhook"
    return str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else str(here)


def _agent_health(environment: Mapping[str, str]) -> str:
    return f"http://127.0.0.1:{environment['OFFHOOK_AGENT_PORT']}/health"


def _emulator_url(environment: Mapping[str, str]) -> str:
    return f"http://127.0.0.1:{environment['OFFHOOK_EMULATOR_PORT']}"


def _with_emulator(environment: Mapping[str, str], port: int) -> str:
    """OFFHOOK_EGRESS_ALLOW as it is set, and the emulator: carrier accounts may be there."""
    return ",".join(filter(None, (environment.get("OFFHOOK_EGRESS_ALLOW"), f"127.0.0.1:{port}")))


async def _at_once() -> bool:
    return True


def _when_it_answers(health: str) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        return (await probe(health)).problem is None

    return answers


def _model(environment: Mapping[str, str]) -> str:
    """What the agent process will use, for the screen; runtime/models.py decides."""
    if environment.get("OPENAI_API_KEY"):
        return "OpenAI (OPENAI_API_KEY)"
    if environment.get("GEMINI_API_KEY"):
        return "Gemini (GEMINI_API_KEY)"
    return "rehearsal (simulated; set OPENAI_API_KEY or GEMINI_API_KEY for a real one)"
