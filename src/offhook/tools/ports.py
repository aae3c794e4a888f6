"""What an execution may ask for, and from whom. Filled in `apps/wiring.py`; fakes in `offhook.testing`.

A tool type sees only these. Each port's methods are safe to repeat with the same `operation_id`: that is what lets a
tool call be resumed after its gateway was killed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol

from offhook.core.errors import Effect
from offhook.core.texts import PLAIN, TextOptions
from offhook.core.variables import Value

LONGEST_WAIT_SECONDS: Final = 8.0
"""product.md 7: a text is sent within the request when its sender's lane is free for up to 8 s; otherwise queued."""


@dataclass(frozen=True, slots=True)
class ConversationContext:
    """Who is asking, as the server knows it. None of it comes from the model."""

    organization_id: uuid.UUID
    conversation_id: uuid.UUID
    agent_id: uuid.UUID
    channel: str
    person_number: str | None = field(repr=False)
    """E.164, from signalling; None where there is none (the web, a hidden caller ID)."""
    our_number: str | None = field(repr=False)
    """E.164, the number called."""
    values: Mapping[str, Value] = field(default_factory=dict[str, Value], repr=False)
    """Variables with a value now: name -> value and provenance."""


@dataclass(frozen=True, slots=True)
class TextRequest:
    """One text to one recipient. `operation_id` names the wish: placed twice, sent once."""

    operation_id: str
    organization_id: uuid.UUID
    conversation_id: uuid.UUID | None
    origin: str
    """`tool`, `livekit` or `api`."""
    to_number: str = field(repr=False)
    body: str = field(repr=False)
    from_number: str | None = field(default=None, repr=False)
    """E.164; None: the organization's only number, else an error that says so."""
    options: TextOptions = PLAIN
    wait_seconds: float = LONGEST_WAIT_SECONDS
    """How long `text` may take to learn the carrier's answer before it returns with `queued`."""


@dataclass(frozen=True, slots=True)
class TextReceipt:
    """What is known about a text at the time of the answer.

    `status` is the message's status; `queued` means on its way, not yet handed to the carrier. `effect` is `done` when
    the carrier has it, `none` when it was refused for good or only queued, `unknown` when the outcome is being found
    out.
    """

    message_id: uuid.UUID
    to_number: str = field(repr=False)
    status: str
    effect: Effect
    carrier_message_id: str | None
    segments: int
    send_at: datetime
    error_code: str | None = None
    decision: str | None = None
    hold_reason: str | None = None
    """With `queued`: why it does not go now, as a code (`quiet_hours`, …); None: it goes when its turn comes."""
    held_until: datetime | None = None
    """With `hold_reason`: when what holds it is over, on the recipient's clock where that is known; None: nobody can
    tell."""
    parts: int = 1
    """Of a text that was split: into how many."""


@dataclass(frozen=True, slots=True)
class TextEstimate:
    """What a text would be, and cost."""

    encoding: str
    segments: int
    """Of all its parts, as billed."""
    parts: int
    cost: Decimal | None
    """None: the price is not known."""
    currency: str | None
    price_source: str | None
    """Whose price it is."""


SUPPRESSED_CODE: Final = "suppressed"
"""Of a refusal because the number is not to be texted: somebody said so, or it takes no texts."""

NO_SENDER_CODE: Final = "no_sender"
"""Of an InvalidInput because the wanted sender cannot text, or none was named and there is not exactly one."""

TOO_LONG_CODE: Final = "text_too_long"
"""Of an InvalidInput because the words do not fit into what the carrier takes."""


class Messenger(Protocol):
    async def text(self, request: TextRequest) -> TextReceipt:
        """Place the text and, if its sender's lane is free, send it now.

        Raises OffhookErrors (no ToolError) for what the organization must set right (no sender, account stopped) or
        what is refused before anything is stored (InvalidInput: body, number, NO_SENDER_CODE, SUPPRESSED_CODE). A
        carrier's refusal is a receipt with `status="failed"`.
        """
        ...

    async def estimate(
        self, organization_id: uuid.UUID, body: str, from_number: str | None, options: TextOptions
    ) -> TextEstimate:
        """What a text from that sender would become. Places nothing. Raises as `text` for sender, body and media."""
        ...


@dataclass(frozen=True, slots=True)
class DestinationVerdict:
    allowed: bool
    code: str = ""
    """`destination_…` where the policy refuses; SUPPRESSED_CODE."""
    sentence: str = ""
    """For the model: why not, and what would be possible."""


class Consent(Protocol):
    async def check(self, organization_id: uuid.UUID, number: str) -> DestinationVerdict:
        """Destination policy of the organization, then its suppression list."""
        ...


@dataclass(frozen=True, slots=True)
class OwnNumber:
    phone_number_id: uuid.UUID
    number: str = field(repr=False)


class Numbers(Protocol):
    """The organization's own numbers."""

    async def find(self, organization_id: uuid.UUID, phone_number_id: uuid.UUID) -> OwnNumber | None: ...
    async def find_by_number(self, organization_id: uuid.UUID, number: str) -> OwnNumber | None: ...

    async def find_only(self, organization_id: uuid.UUID) -> OwnNumber | None:
        """The number that can text, where there is exactly one."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All that `execute` and `check` of a tool type get."""

    messenger: Messenger
    consent: Consent
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class ToolCallRow:
    """The ledger's row of one tool call."""

    id: uuid.UUID
    function_name: str
    user_turn: int
    status: str
    effect: Effect | None
    started_at: datetime
    answer: Mapping[str, Any] | None = field(repr=False)
    error_detail: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """What the ledger says when a tool call is about to run.

    `mine` True: the intent is written, go on. False: `row` is what stands there already: with `same_id`, this very
    call, sent before; without, the same function with the same arguments within the window.
    """

    mine: bool
    row: ToolCallRow
    same_id: bool = False


class Ledger(Protocol):
    async def begin(
        self,
        context: ConversationContext,
        *,
        tool_call_id: uuid.UUID,
        tool_id: uuid.UUID | None,
        function_name: str,
        user_turn: int,
        repeatable: str,
        arguments_hash: bytes,
        again: bool = False,
    ) -> Begun:
        """Write the intent down, or find what stands there. One transaction, committed before anything runs.

        A row with this id is returned as it is (`same_id`). Otherwise, unless `repeatable` is `yes`, the newest row of
        the conversation with the same function and `arguments_hash` is returned if it is of the same user turn or
        began at most 60 seconds ago, and did or may have done something: `started`, or effect `done` or `unknown`.
        With `again`, only rows of the same user turn count: the person has spoken since the others. Two calls at once
        see each other: one gets `mine`.
        """
        ...

    async def finish(
        self,
        context: ConversationContext,
        tool_call_id: uuid.UUID,
        *,
        status: str,
        effect: Effect,
        answer: Mapping[str, Any],
        error_code: str | None,
        error_detail: str | None,
        duration_ms: float,
        stored_values: Mapping[str, Value],
    ) -> Mapping[str, Any]:
        """Write the outcome down, once: the first writer's answer stands and is what comes back.

        `error_detail`: why it failed, for the operator; no payload and no whole phone number is in it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """A wish to add `items` (hashes or ids) to a named set of the conversation that holds at most `limit`."""

    name: str
    items: frozenset[bytes]
    limit: int


class Tallies(Protocol):
    """Small sets per conversation, for counting what may happen only so often in it. Safe across processes."""

    async def claim(self, context: ConversationContext, claim: Claim) -> frozenset[bytes] | None:
        """The items that are new in the set, or None, and nothing added, where it would then hold more than `limit`."""
        ...

    async def release(self, context: ConversationContext, name: str, items: frozenset[bytes]) -> None:
        """Take items out again: what they were claimed for did not happen."""
        ...
