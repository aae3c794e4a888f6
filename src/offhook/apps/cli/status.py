"""`offhook status`: what runs where, and how it does."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from offhook.apps.terminal import console, labelled, print_json
from offhook.core.settings import Settings

if TYPE_CHECKING:
    from yarl import URL

    from offhook.apps.instance import Instance

NOTHING_RUNS: Final = 3
_OK: Final = "ok"
_WIDTH: Final = 16


def status(json: Annotated[bool, typer.Option("--json", help="For programs: addresses, key, health.")] = False) -> None:
    """What runs where. Exit code 3 when nothing runs."""
    from offhook.apps.instance import find_instance

    settings = Settings.from_environment()
    instance = find_instance(settings.home)
    if instance is None:
        if json:
            print_json({"running": False, "home": str(settings.home)})
        else:
            typer.echo(f"Nothing runs for {settings.home}: start it with `offhook up` (or `make up`).")
        raise typer.Exit(NOTHING_RUNS)
    processes = asyncio.run(_processes(instance))
    if json:
        print_json(_document(instance, processes))
    else:
        _show(instance, processes, settings)


async def _processes(instance: Instance) -> list[dict[str, Any]]:
    """`name`, `pid`, `address`, `health` of each: `ok`, or what is wrong. One without an address is only looked for."""
    addresses = _addresses(instance)
    names = dict.fromkeys([*instance.processes, *addresses])
    healths = await asyncio.gather(*(_health(instance, name, addresses.get(name, ("", ""))[1]) for name in names))
    return [
        {
            "name": name,
            "pid": instance.processes.get(name),
            "address": addresses.get(name, (None,))[0],
            "health": health,
        }
        for name, health in zip(names, healths, strict=True)
    ]


def _addresses(instance: Instance) -> dict[str, tuple[str, str]]:
    """Name → where it is, and where it tells its health."""
    from yarl import URL

    relay = URL(instance.relay_url)
    found = {
        "api": (instance.api_url, f"{instance.api_url}/health"),
        "agent": (instance.relay_url, str(_http(relay).with_path("/health"))),
        "emulator": (instance.emulator_url, f"{instance.emulator_url}/_emulator/health"),
    }
    if instance.livekit is not None:
        found["livekit-server"] = (instance.livekit.url, str(_http(URL(instance.livekit.url))))
    return found


def _http(url: URL) -> URL:
    return url.with_scheme({"ws": "http", "wss": "https"}.get(url.scheme, url.scheme))


async def _health(instance: Instance, name: str, url: str) -> str:
    from offhook.apps.instance import is_alive

    if name in instance.processes:
        pid = instance.processes[name]
        if pid is None or not is_alive(pid):
            return "ended, being started again"
    return await _ask(url) if url else _OK


async def _ask(url: str) -> str:
    from offhook.apps.agent_health import complaint
    from offhook.apps.probe import probe

    answer = await probe(url)
    return answer.problem or complaint(answer.body) or _OK


def _document(instance: Instance, processes: list[dict[str, Any]]) -> dict[str, Any]:
    demo, livekit = instance.demo, instance.livekit
    return {
        "running": True,
        "healthy": all(process["health"] == _OK for process in processes),
        "home": instance.home,
        "pid": instance.pid,
        "started_at": instance.started_at,
        "api_url": instance.api_url,
        "docs_url": instance.docs_url,
        "relay_url": instance.relay_url,
        "emulator_url": instance.emulator_url,
        "database": instance.database,
        "model": {"name": instance.model, "simulated": _is_simulated(instance)},
        "livekit": livekit and asdict(livekit),
        "api_key": demo.api_key,
        "organization": {"id": demo.organization_id, "name": demo.organization_name},
        "agent": {"id": demo.agent_id, "name": demo.agent_name},
        "number": demo.number,
        "caller": demo.caller,
        "processes": processes,
    }


def _is_simulated(instance: Instance) -> bool:
    return instance.model.startswith("rehearsal")


def _show(instance: Instance, processes: list[dict[str, Any]], settings: Settings) -> None:
    to, demo = console(), instance.demo
    for process in processes:
        pid = process["pid"] and f"pid {process['pid']}"
        line = "  ".join(part for part in (process["health"], process["address"], pid) if part)
        labelled(to, process["name"], line, style="" if process["health"] == _OK else "red", width=_WIDTH)
    to.print()
    for label, value in (
        ("home", instance.home),
        ("started", f"{instance.started_at} (pid {instance.pid})"),
        ("database", _database(instance)),
        ("LiveKit", _rooms(instance, settings)),
        ("model", instance.model + _simulated_note(instance)),
        ("agent", f"{demo.agent_name} of {demo.organization_name} ({demo.agent_id})"),
        ("number", demo.number),
        ("caller", demo.caller),
        ("API docs", instance.docs_url),
    ):
        labelled(to, label, value, width=_WIDTH)


def _database(instance: Instance) -> str:
    """With its directory where that is not below the home: a backup must hold both."""
    from offhook.apps.database import postgres_home
    from offhook.core.db.embedded import data_elsewhere

    elsewhere = data_elsewhere(postgres_home(Path(instance.home))) if instance.database == "embedded" else None
    return instance.database if elsewhere is None else f"{instance.database}, in {elsewhere} (not below the home)"


def _simulated_note(instance: Instance) -> str:
    return " (simulated)" if _is_simulated(instance) and "simulated" not in instance.model else ""


def _rooms(instance: Instance, settings: Settings) -> str:
    """Whether there are real rooms, and if not, why not."""
    if instance.livekit is not None:
        whose = "run by `offhook up`" if instance.livekit.ours else "LIVEKIT_URL"
        return f"real rooms at {instance.livekit.url} ({whose})"
    from offhook.apps.livekit_server import find_livekit_server

    if settings.livekit_url or find_livekit_server(settings.environment):
        return "no real rooms: it was started without the LiveKit server that is found now; start `offhook up` anew"
    return "no real rooms: no livekit-server found; `make livekit` installs one, or set LIVEKIT_URL"
