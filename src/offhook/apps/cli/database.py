"""The commands that need the database: DATABASE_URL, or the one that `offhook up` runs."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from offhook.apps.terminal import print_json, tell, visible
from offhook.core.errors import ConfigurationError
from offhook.core.settings import Settings

if TYPE_CHECKING:
    from offhook.core.db.pool import Database
    from offhook.organizations import OrganizationService

organizations = typer.Typer(help="Organizations of this deployment.", no_args_is_help=True)
keys = typer.Typer(help="API keys, and the master keys behind the stored secrets.", no_args_is_help=True)

SCOPES: Final = ("admin", "worker", "read")
LONGEST_NAME: Final = 100  # as in the API

Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def migrate() -> None:
    """Bring the database up to this version."""

    async def run() -> list[str]:
        from offhook.apps.database import resolve_dsn
        from offhook.core.db.migrate import migrate

        return await migrate(await resolve_dsn(Settings.from_environment()), on_progress=typer.echo)

    applied = asyncio.run(run())
    typer.echo(f"{len(applied)} applied" if applied else "nothing to apply: the database is at this version")


@organizations.command("create")
def create_organization(name: Annotated[str, typer.Argument(help="Its name.")], json: Json = False) -> None:
    """Make an organization and an admin key for it. The key is shown once."""
    _check_name(name)

    async def run() -> tuple[uuid.UUID, str]:
        async with _organizations() as service:
            made = await service.create_organization(name)
            _, key = await service.create_api_key(made.id, "admin", ["admin"])
            return made.id, key

    organization_id, key = asyncio.run(run())
    if json:
        return print_json({"organization": {"id": str(organization_id), "name": name}, "api_key": key})
    typer.echo(f"organization  {organization_id}\nAPI key       {key}")
    return tell("The key is not kept: it cannot be shown again.")


@organizations.command("list")
def list_organizations(json: Json = False) -> None:
    """All organizations: id and name."""

    async def run() -> list[dict[str, str]]:
        async with _organizations() as service:
            return [{"id": str(one.id), "name": one.name} for one in await service.list_organizations()]

    found = asyncio.run(run())
    if json:
        return print_json({"organizations": found})
    for one in found:
        typer.echo(f"{one['id']}  {visible(one['name'])}")
    return None if found else tell("There are none: `offhook organizations create NAME` makes one.")


@keys.command("create")
def create_key(
    organization: Annotated[uuid.UUID, typer.Option(help="The organization's id.")],
    name: Annotated[str, typer.Option(help="What the key is for.")],
    scope: Annotated[list[str] | None, typer.Option(help="admin, worker or read; may be repeated.")] = None,
    json: Json = False,
) -> None:
    """Make an API key. It is shown once."""
    _check_name(name)
    scopes = scope or ["admin"]
    unknown = [one for one in scopes if one not in SCOPES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is no scope: use {', '.join(SCOPES)}", param_hint="--scope")

    async def run() -> tuple[uuid.UUID, str]:
        async with _organizations() as service:
            await service.get_organization(organization)
            made, key = await service.create_api_key(organization, name, scopes)
            return made.id, key

    key_id, key = asyncio.run(run())
    if json:
        return print_json({"id": str(key_id), "name": name, "scopes": sorted(set(scopes)), "api_key": key})
    typer.echo(key)
    return tell("The key is not kept: it cannot be shown again.")


@keys.command("rotate")
def rotate() -> None:
    """Put every organization's data key under the first master key of OFFHOOK_MASTER_KEYS."""

    async def run() -> tuple[int, str]:
        from offhook.apps.database import key_ring
        from offhook.secrets import Sealer

        ring = key_ring(Settings.from_environment())
        async with _database() as opened:
            return await Sealer(opened, ring).rotate(), ring.current

    count, current = asyncio.run(run())
    typer.echo(f"{count} data keys are now under master key {current}; the others were already")


def _check_name(name: str) -> None:
    if not 1 <= len(name.strip()) <= LONGEST_NAME or not name.isprintable():
        raise typer.BadParameter(f"give a name of 1 to {LONGEST_NAME} characters, without control characters")


@asynccontextmanager
async def _organizations() -> AsyncGenerator[OrganizationService]:
    from offhook.apps.database import key_ring
    from offhook.organizations import OrganizationService

    async with _database() as opened:
        yield OrganizationService(opened, key_ring(Settings.from_environment()).pepper)


@asynccontextmanager
async def _database() -> AsyncGenerator[Database]:
    """Both doors to it. Raises ConfigurationError where there is none, or it is not migrated."""
    import asyncpg

    from offhook.apps.database import resolve_dsn
    from offhook.core.db.pool import Database

    opened = Database(await resolve_dsn(Settings.from_environment()), max_connections=2, application_name="offhook-cli")
    try:
        await opened.open()
        yield opened
    except asyncpg.PostgresError as error:
        raise ConfigurationError(
            f"the database cannot be used: {error}. If it is new, or older than this version: `offhook migrate`",
            code="database_not_ready",
        ) from error
    finally:
        await opened.close()
