"""`offhook openapi`: the API's document as the code has it, without a database."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Final

import typer

from offhook.core.errors import Conflict

COMMITTED: Final = Path("docs/reference/openapi.json")


def openapi(
    check: Annotated[bool, typer.Option("--check", help="Fail if the committed document differs.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Replace the committed document.")] = False,
    file: Annotated[Path, typer.Option(help="The committed document.")] = COMMITTED,
) -> None:
    """Print the API's OpenAPI document, or compare it with the committed one."""
    if check and write:
        raise typer.BadParameter("--check or --write, not both")
    from offhook.apps.openapi import as_text
    from offhook.apps.openapi_file import make_document

    text = as_text(asyncio.run(make_document()))
    if write:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return typer.echo(f"{file} is written")
    if not check:
        return typer.echo(text, nl=False)
    committed = file.read_text(encoding="utf-8") if file.is_file() else None
    if committed != text:
        what = f"{file} differs from the code" if committed is not None else f"{file} is missing"
        raise Conflict(f"{what}: run `offhook openapi --write` and commit it", code="openapi_drift")
    return typer.echo(f"{file} is up to date")
