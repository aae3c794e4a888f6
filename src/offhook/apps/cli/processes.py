"""The commands that run until they are stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from offhook.core.errors import ConfigurationError
from offhook.core.settings import Settings


def up(
    demo: Annotated[
        bool | None,
        typer.Option("--demo/--no-demo", help="Play the demonstration conversation; by default on the first start."),
    ] = None,
) -> None:
    """Run all of Offhook until Ctrl-C."""
    from offhook.apps.up import run

    raise typer.Exit(run(Settings.from_environment(), demonstration=demo))


def api() -> None:
    """Run the HTTP API alone."""
    from offhook.apps.supervisor import die_with_supervisor

    die_with_supervisor()
    from offhook.apps.api_process import run

    raise typer.Exit(run(Settings.from_environment()))


def jobs() -> None:
    """Run the queue's consumer alone."""
    from offhook.apps.supervisor import die_with_supervisor

    die_with_supervisor()
    from offhook.apps.jobs_process import run

    raise typer.Exit(run(Settings.from_environment()))


def agent() -> None:
    """Run the agent process alone: LiveKit worker and relay."""
    from offhook.apps.supervisor import die_with_supervisor

    die_with_supervisor()
    from offhook.apps.agent_process import run

    raise typer.Exit(run(Settings.from_environment()))


def emulator(
    port: Annotated[
        int | None, typer.Option(help="0 takes a free one; else OFFHOOK_EMULATOR_PORT.", min=0, max=65535)
    ] = None,
    home: Annotated[Path | None, typer.Option(help="Keeps what happened; else `emulator` in OFFHOOK_HOME.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; else OFFHOOK_HOST.")] = None,
    account_sid: Annotated[
        str | None, typer.Option(help="This account instead of the default one; with --auth-token.")
    ] = None,
    auth_token: Annotated[str | None, typer.Option(help="The token of --account-sid.")] = None,
    telnyx_api_key: Annotated[
        str | None, typer.Option(help="The Telnyx key of --account-sid; else the default.")
    ] = None,
    virtual_clock: Annotated[
        bool, typer.Option("--virtual-clock", help="Time moves only by POST /_emulator/clock.")
    ] = False,
) -> None:
    """Test code that texts through Twilio or Telnyx without them: a simulated carrier on loopback.

    It needs no database and nothing else of Offhook's, and no text reaches anybody. It says `ready` and its address
    when it answers; that address shows the phones in a browser, and `offhook phones` in a terminal. It has one account,
    AC0ff400c0ffee0ff400c0ffee0ff400c0 with token 0ff400c0ffee0000emulator0000token, with the numbers +12025550100 to
    +12025550199; point the SDK's base URL at it. To Telnyx's SDK it has the key KEY0ff400c0ffee0000emulator0000telnyx
    and +13125550100 to +13125550199. What goes wrong is told to POST /_emulator/faults.

    How to: docs/how-to/test-twilio-code.md and test-telnyx-code.md. All of it: docs/reference/emulator.md,
    emulator-conformance.md and emulator-telnyx.md.
    """
    from offhook.apps.supervisor import die_with_supervisor

    die_with_supervisor()
    import asyncio

    from offhook.emulator import Account, serve
    from offhook.emulator.journal import JournalError

    if (account_sid is None) != (auth_token is None):
        raise typer.BadParameter("--account-sid and --auth-token belong together")
    settings = Settings.from_environment()
    if telnyx_api_key is not None and account_sid is None:
        raise typer.BadParameter("--telnyx-api-key belongs to --account-sid")
    account = None if account_sid is None else Account(account_sid, auth_token or "", telnyx_api_key=telnyx_api_key)
    try:
        asyncio.run(
            serve(
                host=host or settings.host,
                port=settings.emulator_port if port is None else port,
                home=home or settings.home / "emulator",
                accounts=() if account is None else (account,),
                virtual_clock=virtual_clock,
                on_ready=lambda url: typer.echo(f"ready {url}"),
            )
        )
    except JournalError as error:
        raise ConfigurationError(str(error), code="emulator_home") from error
    except OSError as error:
        raise ConfigurationError(f"the emulator cannot start: {error}", code="emulator_start") from error
