"""One tool call as a tool type sees it: bound, planned, and with a deadline."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offhook.core.clock import Clock
from offhook.core.jsonvalue import JSON
from offhook.core.variables import Provenance
from offhook.tools.ports import ConversationContext, DestinationVerdict


@dataclass(frozen=True, slots=True)
class Entry:
    """A value, where it comes from, and how far it would have to be trusted."""

    value: JSON = field(repr=False)
    provenance: Provenance
    minimum: Provenance = Provenance.MODEL


@dataclass(frozen=True, slots=True)
class Bound:
    """A field with its variables put in. A list has an entry for each of its items, anything else has one."""

    value: JSON = field(repr=False)
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody outside who would be reached: E.164, and who vouches for the number."""

    number: str = field(repr=False)
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call is about to do, found out without doing anything.

    `identity`: two calls of a function with equal ones are the same call. `detail` is the tool type's own.
    """

    identity: JSON = field(repr=False)
    recipients: tuple[Recipient, ...] = ()
    detail: Any = field(default=None, repr=False)


@dataclass(slots=True)
class Call:
    """What `plan` and `execute` get."""

    context: ConversationContext
    tool_call_id: uuid.UUID
    arguments: Mapping[str, JSON] = field(repr=False)
    """What the model gave: coerced, valid, its variables not yet put in."""
    fields: Mapping[str, Bound]
    """The form's fields by their names on the wire, fixed values and arguments alike."""
    clock: Clock
    deadline: float
    """On `clock.monotonic()`."""
    refused: dict[str, DestinationVerdict] = field(default_factory=dict[str, DestinationVerdict], repr=False)
    """Recipients that a guard took out, by number."""

    def remaining_seconds(self) -> float:
        return max(self.deadline - self.clock.monotonic(), 0.0)

    def operation_id(self, part: str) -> str:
        """The same for every run of this call, different for every `part`, and telling nothing about it."""
        return str(uuid.uuid5(self.tool_call_id, part))
