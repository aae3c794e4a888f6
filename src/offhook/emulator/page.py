"""The plain page at `/`: every handset with its texts, and a form to text from one. Works without scripts."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from html import escape
from itertools import islice

from aiohttp import web

from offhook.emulator.control.bodies import BODY_MAX_BYTES
from offhook.emulator.control.views import iso, shown_body
from offhook.emulator.emulation import EMULATION, Emulation
from offhook.emulator.media import SHOWN_IMAGES
from offhook.emulator.phones import InboundRefused, Wish, send_from_phone
from offhook.emulator.records import Medium, Message
from offhook.emulator.store import Event, Store
from offhook.emulator.tasks import reason_of

PHONES_SHOWN, TEXTS_SHOWN, ERRORS_SHOWN = 50, 50, 10

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:44rem;padding:0 1rem}
body{color:#1d2733;background:#f6f7f9}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}
ol{list-style:none;padding:0}li{margin:.6rem 0;padding:.6rem .9rem;border-radius:.9rem;background:#fff;max-width:34rem}
li.mine{background:#dff0e2;margin-left:auto}p{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}small{color:#5b6875}
bdi{unicode-bidi:isolate}img{display:block;max-width:100%;max-height:16rem;margin:.4rem 0}.bad{color:#a3262a}
form{display:grid;gap:.4rem;grid-template-columns:6rem 1fr;margin:1rem 0}form button{grid-column:2;justify-self:start}
input,textarea{font:inherit;width:100%;box-sizing:border-box}
"""

_SCRIPT = """
let seq = Number(document.body.dataset.seq);
(async () => {
  for (;;) {
    try {
      const {last} = await (await fetch(`/_emulator/events?after=${seq}&wait=25`)).json();
      if (last > seq) {
        seq = last;
        const text = await (await fetch("/")).text();
        const fresh = new DOMParser().parseFromString(text, "text/html");
        document.querySelector("main").replaceWith(fresh.querySelector("main"));
      }
    } catch { await new Promise(done => setTimeout(done, 2000)); }
  }
})();
"""
"""Puts in what is new and leaves the form alone."""


def routes() -> list[web.RouteDef]:
    return [web.get("/", _show), web.post("/", _send)]


async def _show(request: web.Request) -> web.Response:
    return _page(request.app[EMULATION])


def _page(emulation: Emulation, problem: str = "", status: int = 200) -> web.Response:
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        f"script-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    text = render(emulation.store, nonce=nonce, problem=problem)
    return web.Response(status=status, text=text, content_type="text/html", charset="utf-8", headers=headers)


async def _send(request: web.Request) -> web.StreamResponse:
    """The form's text goes from the phone; then the page is shown again. Pages of other origins may not send it."""
    emulation = request.app[EMULATION]
    if request.headers.get("Origin", "") not in {"", str(request.url.origin())}:
        return _page(emulation, "a page of another origin may not text from these phones", 403)
    try:
        form = await request.clone(client_max_size=BODY_MAX_BYTES).post()
        media: list[tuple[str, bytes]] = []
        for given in form.getall("media", []):
            if isinstance(given, web.FileField):
                with given.file:
                    media.append((given.content_type.lower(), given.file.read()))
        words = {name: str(form.get(name, "")).strip() for name in ("from", "to", "body")}
        wish = Wish(words["from"], words["to"], words["body"], tuple(media))
        await send_from_phone(emulation, wish, origin=str(request.url.origin()))
    except InboundRefused as refused:
        return _page(emulation, str(refused), 400)
    except ValueError:
        return _page(emulation, "the form cannot be read", 400)
    except OSError as error:
        return _page(emulation, f"the disk does not take it: {reason_of(error)}", 500)
    return web.Response(status=303, headers={"Location": "/"})


def render(store: Store, *, nonce: str, problem: str = "") -> str:
    """The whole page."""
    phones = sorted(store.phones(), key=lambda phone: phone[2].seq, reverse=True)
    sections = "".join(_section(store, number) for number, _, _ in phones[:PHONES_SHOWN])
    more = f"<p>{len(phones) - PHONES_SHOWN} more phones.</p>" if len(phones) > PHONES_SHOWN else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Offhook emulator: phones</title>'
        '<meta name="viewport" content="width=device-width">'
        '<noscript><meta http-equiv="refresh" content="2"></noscript>'
        f'<style>{_STYLE}</style></head><body data-seq="{store.seq}"><h1>Phones</h1>{_form(store, problem)}'
        f"<main>{sections or '<p>No texts yet.</p>'}{more}{_errors(store)}</main>"
        f'<script nonce="{nonce}">{_SCRIPT}</script></body></html>'
    )


def _form(store: Store, problem: str) -> str:
    newest = next(store.newest_first(), None)
    phone = newest.phone if newest else "+12025550143"
    ours = (newest.to if newest.direction == "inbound" else newest.from_number) if newest else "+12025550100"
    said = f'<p class="bad">{escape(problem)}</p>' if problem else ""
    return (
        f'{said}<form method="post" action="/" enctype="multipart/form-data">'
        f'<label for="from">Phone</label><input id="from" name="from" value="{escape(phone)}" required>'
        f'<label for="to">texts to</label><input id="to" name="to" value="{escape(ours)}" required>'
        '<label for="body">Text</label><textarea id="body" name="body" rows="2" maxlength="1600"></textarea>'
        '<label for="media">Media</label><input id="media" name="media" type="file" multiple>'
        "<button>Send</button></form>"
    )


def _section(store: Store, number: str) -> str:
    texts = islice(reversed(store.of_phone(number)), TEXTS_SHOWN)
    items = "".join(_item(message, store.media_of(message.sid)) for message in texts)
    return f"<section><h2>{escape(number)}</h2><ol>{items}</ol></section>"


_CONTROLS = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\r"}


def _visible(text: str) -> str:
    """Without control characters, which a page must not hold and a terminal that prints it would obey."""
    return text.translate(_CONTROLS)


def _item(message: Message, media: Sequence[Medium]) -> str:
    inbound = message.direction == "inbound"
    other = f"to {message.to}" if inbound else f"from {message.from_number}"
    via = f"{message.face}{', ' + message.messaging_service_sid if message.messaging_service_sid else ''}"
    error = f', <span class="bad">error {message.error_code}</span>' if message.error_code else ""
    parts = f"{message.segments} segment{'s' if message.segments != 1 else ''} {message.encoding}"
    facts = f"{escape(other)} · {escape(message.status)}{error} · {escape(parts)} · {escape(via)}"
    return (
        f"<li{' class=mine' if inbound else ''}><p><bdi>{escape(_visible(shown_body(message)))}</bdi></p>"
        f"{''.join(_medium(medium) for medium in media)}"
        f"<small>{facts} · {iso(message.created_at)}</small></li>"
    )


def _medium(medium: Medium) -> str:
    """A picture as such; anything else as a link, which offers it as a file."""
    address = escape(f"/_emulator/media/{medium.sid}")
    kind = escape(f"{medium.content_type}, {medium.size_bytes:,} bytes")
    if medium.content_type in SHOWN_IMAGES:
        return f'<img src="{address}" alt="{kind}" loading="lazy">'
    return f'<p><a href="{address}">{kind}</a></p>'


def _errors(store: Store) -> str:
    """The last of what a carrier's error log would show."""
    errors = list(islice((e for e in reversed(store.events) if e.type == "error.raised"), ERRORS_SHOWN))
    items = "".join(_error(event) for event in errors)
    return f"<section><h2>Errors</h2><ol>{items}</ol></section>" if errors else ""


def _error(event: Event) -> str:
    code = f"{event.detail['code']}: " if event.detail["code"] else ""
    what = escape(f"{code}{event.detail['sentence']}")
    return f"<li><p>{what}</p><small>{escape(event.detail['url'])} · {iso(event.at)}</small></li>"
