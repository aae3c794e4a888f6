"""`offhook phones`: the texts on the emulator's phones, and texts from them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from offhook.apps.cli.talk import phone_number
from offhook.apps.terminal import console, print_json, tell, visible
from offhook.core.errors import ConfigurationError, Unavailable
from offhook.core.settings import Settings

if TYPE_CHECKING:
    from offhook.apps.emulated_phones import EmulatedPhones

AWAY_SECONDS: Final = 1.0
"""How often --follow asks whether an emulator that went away is there again."""


def phones(
    number: Annotated[str | None, typer.Argument(help="One phone's texts; else all.", parser=phone_number)] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay, and show texts as they arrive.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For programs; with --follow one text per line.")] = False,
    emulator: Annotated[str | None, typer.Option(help="The emulator's address; else the running instance's.")] = None,
    send: Annotated[str | None, typer.Option(help="Have the phone NUMBER send this text.")] = None,
    to: Annotated[
        str | None, typer.Option(help="Where --send goes; else who texted the phone last.", parser=phone_number)
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="Whose number --to is, where several accounts own it; else who texted last.")
    ] = None,
) -> None:
    """The texts that the emulator's phones got and sent. With --send a phone texts one of your numbers."""
    if send is not None and (number is None or follow):
        raise typer.BadParameter("--send needs the number of the phone, and goes without --follow")
    url = emulator or _running()
    if send is not None and number is not None:
        asyncio.run(_send(url, number, to, send, account=account, json=json))
    else:
        asyncio.run(_run(url, number, follow=follow, json=json))


def _running() -> str:
    from offhook.apps.instance import get_instance

    try:
        return get_instance(Settings.from_environment().home).emulator_url
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{error.detail}; or name another emulator with --emulator http://127.0.0.1:…", code=error.code
        ) from error


async def _run(url: str, number: str | None, *, follow: bool, json: bool) -> None:
    from offhook.apps.emulated_phones import EmulatedPhones

    async with EmulatedPhones(url) as opened:
        if follow:
            return await _follow(opened, number, json=json)
        numbers = [number] if number else [phone["number"] for phone in await opened.phones()]
        found = [{"number": one, "messages": await opened.texts_of(one)} for one in numbers]
    if json:
        return print_json(found[0] if number else {"phones": found})
    return _show(found, number)


async def _send(url: str, phone: str, to: str | None, body: str, *, account: str | None, json: bool) -> None:
    from offhook.apps.emulated_phones import EmulatedPhones

    async with EmulatedPhones(url) as opened:
        sent = await opened.send(phone, to or await _last_sender(opened, phone), body, account_sid=account)
    return print_json(sent) if json else _show_one(sent, console())


async def _last_sender(opened: EmulatedPhones, phone: str) -> str:
    got = [text for text in await opened.texts_of(phone) if text["direction"] != "inbound"]
    if not got:
        raise typer.BadParameter(f"nobody has texted {phone} yet: name a number with --to")
    return got[-1]["from"]


def _show(found: list[dict[str, Any]], number: str | None) -> None:
    to = console()
    for text in sorted((text for phone in found for text in phone["messages"]), key=lambda text: text["seq"]):
        _show_one(text, to)
    if not any(phone["messages"] for phone in found):
        tell(f"no texts {f'at {number} ' if number else ''}yet")


def _show_one(text: dict[str, Any], to: Any) -> None:
    from rich.text import Text

    from offhook.apps.conversation_view import BAD_ENDINGS, show_text

    show_text(to, text)
    code = f" (error {text['error_code']})" if text["error_code"] else ""
    style = "red" if text["status"] in BAD_ENDINGS else "dim"
    to.print(Text(visible(f"          {text['status']}{code} · {text['created_at']}"), style=style))


async def _follow(opened: EmulatedPhones, number: str | None, *, json: bool) -> None:
    """What is there, then each text once it has ended, until Ctrl-C; in JSON each change of a status."""
    from offhook.apps.emulated_phones import ENDED

    to, shown = console(), set[str]()
    async with aclosing(_changes(opened)) as changes:
        async for change in changes:
            text = change["message"]
            if number and number not in (text["to"], text["from"]):
                continue
            if json:
                print_json({**text, "status": change["status"]}, indent=None)
            elif (change["status"] in ENDED or text["direction"] == "inbound") and text["sid"] not in shown:
                shown.add(text["sid"])
                _show_one(text, to)


async def _changes(opened: EmulatedPhones) -> AsyncGenerator[dict[str, Any]]:
    """The changes from the beginning, without end. An emulator that goes away is waited for, and gone on with where it
    was; one with another home from its beginning. Raises Unavailable where none is there at first."""
    after, away = 0, False
    await opened.seq()
    while True:
        try:
            if away:
                after = after if after <= await opened.seq() else 0
                away = False
                tell("the emulator is there again")
            async with aclosing(opened.changes(after)) as changes:
                async for change in changes:
                    after = change["seq"]
                    yield change
        except Unavailable as error:
            if not away:
                away = True
                tell(f"{error.detail}; waiting for it")
            await asyncio.sleep(AWAY_SECONDS)
