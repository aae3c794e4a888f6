"""A face: one carrier's API before the store that all of them share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from offhook.emulator.media import MediaRules
from offhook.emulator.records import Callback, Medium, Message
from offhook.emulator.settings import Account, Settings

if TYPE_CHECKING:
    from offhook.emulator.emulation import Emulation


@dataclass(frozen=True, slots=True)
class Delivery:
    """One address of a callback, and how it is tried there."""

    url: str
    connect_seconds: float
    read_seconds: float
    total_seconds: float = math.inf
    """For all tries together, the pauses between them included."""
    try_seconds: float = math.inf
    """For one try."""
    pauses: tuple[float, ...] = ()
    """The seconds before each further try; as many tries more as there are pauses."""
    retry_on: frozenset[str] = frozenset({"ct"})
    """Outcomes that are tried again; `all` for everything but 2xx."""

    def retries_after(self, outcome: str) -> bool:
        return outcome != "2xx" and ("all" in self.retry_on or outcome in self.retry_on)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a callback: where, the how-manieth there (from 1), and what sent it on from the address before."""

    url: str
    number: int = 1
    error_code: int | None = None
    error_url: str | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """What goes over the wire, signed. `url` may differ from the attempt's by what belongs to the signature."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """`outcome` is `2xx` to `5xx` by the status, `ct` without a connection, `rt` without an answer in time."""

    outcome: str
    status: int | None = None
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)

    @property
    def told(self) -> str:
        """What an error log says of one that failed."""
        return f"the address answered {self.status}" if self.status else "the address did not answer"


class Face(Protocol):
    """One object per carrier, without state of its own: everything it keeps is a record in the store."""

    @property
    def name(self) -> str:
        """`twilio` or `telnyx`: in `Message.face` and `Callback.face`, and as the route of an outage."""
        ...

    @property
    def fault_routes(self) -> tuple[str, ...]:
        """The names of its REST routes, as faults use them."""
        ...

    def routes(self) -> list[web.RouteDef]:
        """Its REST routes. Each goes through `emulation.door.pass_through(request, self, route name, to, handler)`."""
        ...

    def refusal(self, status: int) -> web.Response:
        """A bare HTTP status in the shape of its errors: for injected faults, and for what the web server refuses."""
        ...

    def owns_path(self, path: str) -> bool:
        """Whether a request's path is one of this face's, known route or not."""
        ...

    def status_callback(self, message: Message, status: str, error_code: int | None, at: float) -> Callback | None:
        """What is owed to the customer when a message reaches a status (Twilio's words); None where nothing is."""
        ...

    @property
    def media_rules(self) -> MediaRules:
        """Types and sizes it takes, and the codes of messages that end because of a medium."""
        ...

    def new_sid(self, media_count: int) -> str:
        """The id of a new message."""
        ...

    def take(self, emulation: Emulation, message: Message, media: Sequence[Medium], origin: str) -> None:
        """Keep a text that a handset sent to one of our numbers, with all that follows from it, in one transaction.

        `emulation.write` does that; each of `media`, whose bytes are in the home already, needs a `medium` record.
        `origin` is the emulator's own base URL: `{origin}/_emulator/media/{sid}` gives the bytes without credentials.
        """
        ...

    def price(self, message: Message) -> str | None:
        """What a message that has ended cost, told some time later; None where its carrier tells no such thing."""
        ...

    def deliveries(self, callback: Callback, settings: Settings) -> Sequence[Delivery]:
        """Where a callback goes: its address, then the one for failures if it has one."""
        ...

    def posting(self, callback: Callback, account: Account, attempt: Attempt, seed: bytes, now: float) -> Posting:
        """One try, encoded and signed. `seed` is the account's 32 bytes for keys; `now` is in epoch seconds."""
        ...

    async def answered(self, emulation: Emulation, callback: Callback, attempt: Attempt, answer: Answer) -> int | None:
        """Carry out what the last try at an address was answered; the error's code if it failed, else None.

        After a code the callback's next address gets its turn. What is written goes through `emulation.keep`.
        """
        ...
