"""The plain page at `/`: every handset with its texts, and a form to text from one. Works without scripts."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
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
:root{color-scheme:light dark;--ink:#1d2733;--page:#f6f7f9;--text:#fff;--mine:#dff0e2;--faint:#5b6875;--bad:#a3262a}
@media(prefers-color-scheme:dark){
:root{--ink:#e4e8ec;--page:#14181d;--text:#222930;--mine:#1f3a28;--faint:#9aa6b2;--bad:#ff8d88}}
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:44rem;padding:0 1rem}
body{color:var(--ink);background:var(--page)}a{color:inherit}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}section.log h2{margin-top:1rem}
ol{list-style:none;padding:0}li{margin:.6rem 0;padding:.6rem .9rem;border-radius:.9rem;background:var(--text)}
li{max-width:34rem;box-sizing:border-box}li.mine{background:var(--mine);margin-left:auto}
section.log li{max-width:none;border-left:.25rem solid var(--bad);border-radius:.3rem}
p{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}small{color:var(--faint);overflow-wrap:anywhere}
bdi{unicode-bidi:isolate}time{white-space:nowrap}
img{display:block;max-width:100%;max-height:16rem;margin:.4rem 0}.bad{color:var(--bad)}
form{display:grid;gap:.4rem;grid-template-columns:5.5rem minmax(0,1fr);margin:1rem 0}
form button{grid-column:2;justify-self:start}input,textarea,select,button{font:inherit}
input,textarea,select{width:100%;box-sizing:border-box}
"""

_SCRIPT = """
const pause = ms => new Promise(done => setTimeout(done, ms));
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
        await pause(1000);
      }
    } catch { await pause(2000); }
  }
})();
"""
"""Puts in what is new, once a second at most, and leaves the form alone."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form."""

    phone: str = field(repr=False)
    to: str = field(repr=False)
    body: str = field(default="", repr=False)
    account_sid: str = ""


def routes() -> list[web.RouteDef]:
    return [web.get("/", _show), web.post("/", _send)]


async def _show(request: web.Request) -> web.Response:
    return _page(request.app[EMULATION])


def _page(emulation: Emulation, problem: str = "", status: int = 200, typed: Typed | None = None) -> web.Response:
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        f"script-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    text = render(emulation.store, nonce=nonce, problem=problem, typed=typed)
    return web.Response(status=status, text=text, content_type="text/html", charset="utf-8", headers=headers)


async def _send(request: web.Request) -> web.StreamResponse:
    """The form's text goes from the phone; then the page is shown again. Pages of other origins may not send it."""
    emulation = request.app[EMULATION]
    if request.headers.get("Origin", "") not in {"", str(request.url.origin())}:
        return _page(emulation, "a page of another origin may not text from these phones", 403)
    typed: Typed | None = None
    try:
        form = await request.clone(client_max_size=BODY_MAX_BYTES).post()
        words = {name: str(form.get(name, "")).strip() for name in ("from", "to", "body", "account")}
        typed = Typed(words["from"], words["to"], words["body"], words["account"])
        media = tuple(_media_in(form.getall("media", [])))
        wish = Wish(typed.phone, typed.to, typed.body, media, typed.account_sid or None)
        await send_from_phone(emulation, wish, origin=str(request.url.origin()))
    except InboundRefused as refused:
        return _page(emulation, str(refused), 400, typed)
    except ValueError:
        return _page(emulation, "the form cannot be read", 400, typed)
    except OSError as error:
        return _page(emulation, f"the disk does not take it: {reason_of(error)}", 500, typed)
    return web.Response(status=303, headers={"Location": "/"})


def _media_in(fields: Iterable[object]) -> Iterator[tuple[str, bytes]]:
    for given in fields:
        if isinstance(given, web.FileField):
            with given.file:
                yield given.content_type.lower(), given.file.read()


def render(store: Store, *, nonce: str, problem: str = "", typed: Typed | None = None) -> str:
    """The whole page. `typed` is what a form held that was refused for `problem`."""
    phones = sorted(store.phones(), key=lambda phone: phone[2].seq, reverse=True)
    sections = "".join(_section(store, number, count) for number, count, _ in phones[:PHONES_SHOWN])
    more = f"<p>{len(phones) - PHONES_SHOWN} more phones.</p>" if len(phones) > PHONES_SHOWN else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Offhook emulator: phones</title>'
        '<meta name="viewport" content="width=device-width">'
        '<noscript><meta http-equiv="refresh" content="2"></noscript>'
        f'<style>{_STYLE}</style></head><body data-seq="{store.seq}"><h1>Phones</h1>'
        f"{_form(store, problem, typed or _next_typed(store))}"
        f"<main>{_log(store)}{sections or '<p>No texts yet.</p>'}{more}</main>"
        f'<script nonce="{nonce}">{_SCRIPT}</script></body></html>'
    )


def _next_typed(store: Store) -> Typed:
    """An answer to the newest text."""
    newest = next(store.newest_first(), None)
    if newest is None:
        account = next(iter(store.accounts.values()), None)
        return Typed("+12025550143", next(iter(account.numbers), "") if account else "")
    return Typed(newest.phone, newest.to if newest.direction == "inbound" else newest.from_number)


def _form(store: Store, problem: str, typed: Typed) -> str:
    said = f'<p class="bad" role="alert">{escape(problem)}</p>' if problem else ""
    return (
        f'{said}<form method="post" action="/" enctype="multipart/form-data">'
        f'<label for="from">Phone</label><input id="from" name="from" value="{escape(typed.phone)}" required>'
        f'<label for="to">texts to</label><input id="to" name="to" value="{escape(typed.to)}" required>'
        f"{_accounts(store, typed)}"
        '<label for="body">Text</label><textarea id="body" name="body" rows="2" maxlength="1600">'
        f"\n{escape(typed.body)}</textarea>"
        '<label for="media">Media</label><input id="media" name="media" type="file" multiple>'
        "<button>Send</button></form>"
    )


def _accounts(store: Store, typed: Typed) -> str:
    """A choice, where there is one."""
    if len(store.accounts) < 2:
        return ""
    options = "".join(
        f'<option value="{escape(sid)}"{" selected" if sid == typed.account_sid else ""}>{escape(sid)}</option>'
        for sid in store.accounts
    )
    first = '<option value="">whose text came last</option>'
    return f'<label for="account">Account</label><select id="account" name="account">{first}{options}</select>'


def _section(store: Store, number: str, count: int) -> str:
    texts = islice(reversed(store.of_phone(number)), TEXTS_SHOWN)
    items = "".join(_item(message, store.media_of(message.sid)) for message in texts)
    older = count - TEXTS_SHOWN
    more = f'<p><a href="/_emulator/phones/{escape(number)}">{older} older texts</a></p>' if older > 0 else ""
    return f"<section><h2>{escape(number)}</h2><ol>{items}</ol>{more}</section>"


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
        f"<small>{facts} · {_time(message.created_at)}</small></li>"
    )


def _time(at: float) -> str:
    return f"<time>{iso(at)}</time>"


def _medium(medium: Medium) -> str:
    """A picture as such; anything else as a link, which offers it as a file."""
    address = escape(f"/_emulator/media/{medium.sid}")
    kind = escape(f"{medium.content_type}, {medium.size_bytes:,} bytes")
    if medium.content_type in SHOWN_IMAGES:
        return f'<img src="{address}" alt="{kind}" loading="lazy">'
    return f'<p><a href="{address}">{kind}</a></p>'


def _log(store: Store) -> str:
    """The last of what a carrier's error log would show, and of what was asked for in vain."""
    troubles = (event for event in reversed(store.events) if event.type in _TROUBLES)
    items = "".join(_trouble(event) for event in islice(troubles, ERRORS_SHOWN))
    return f'<section class="log"><h2>Errors</h2><ol>{items}</ol></section>' if items else ""


_TROUBLES = frozenset({"error.raised", "parameter.ignored"})


def _trouble(event: Event) -> str:
    detail = event.detail
    if event.type == "parameter.ignored":
        what, where = f"ignored: {', '.join(detail['parameters'])}", event.sid or ""
    else:
        what = f"{detail['code']}: {detail['sentence']}" if detail["code"] else detail["sentence"]
        where = detail["url"]
    return f"<li><p>{escape(_visible(what))}</p><small>{escape(where)} · {_time(event.at)}</small></li>"
