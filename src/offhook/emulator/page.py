"""The plain page at `/`: every handset and its texts. Works without scripts."""

from __future__ import annotations

from html import escape

from aiohttp import web

from offhook.emulator.emulation import EMULATION
from offhook.emulator.records import Message

TEXTS_SHOWN = 50

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:44rem;padding:0 1rem}
body{color:#1d2733;background:#f6f7f9}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}
ol{list-style:none;padding:0}li{margin:.6rem 0;padding:.6rem .9rem;border-radius:.9rem;background:#fff;max-width:34rem}
li.mine{background:#dff0e2;margin-left:auto}p{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}small{color:#5b6875}
"""


def routes() -> list[web.RouteDef]:
    return [web.get("/", _show)]


async def _show(request: web.Request) -> web.Response:
    phones: dict[str, list[Message]] = {}
    for message in request.app[EMULATION].store.newest_first():
        phones.setdefault(message.phone, []).append(message)
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}
    return web.Response(text=render(phones), content_type="text/html", charset="utf-8", headers=headers)


def render(phones: dict[str, list[Message]]) -> str:
    """The whole page; `phones` maps a number to its texts, newest first."""
    sections = "".join(_section(number, texts) for number, texts in phones.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Offhook emulator: phones</title>'
        '<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="2">'
        f"<style>{_STYLE}</style></head><body><h1>Phones</h1>"
        f"{sections or '<p>No texts yet.</p>'}</body></html>"
    )


def _section(number: str, texts: list[Message]) -> str:
    items = "".join(_item(message) for message in texts[:TEXTS_SHOWN])
    return f"<section><h2>{escape(number)}</h2><ol>{items}</ol></section>"


def _item(message: Message) -> str:
    inbound = message.direction == "inbound"
    other = f"to {message.to}" if inbound else f"from {message.from_number}"
    error = f", error {message.error_code}" if message.error_code else ""
    parts = f"{message.segments} segment{'s' if message.segments != 1 else ''} {message.encoding}"
    return (
        f"<li{' class=mine' if inbound else ''}><p>{escape(message.body)}</p>"
        f"<small>{escape(other)} · {escape(message.status)}{error} · {parts}</small></li>"
    )
