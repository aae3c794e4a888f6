"""What stands between a valid call and the world: small guards in a list, each with one question.

A guard raises ToolError (effect none) to refuse the call, or takes single recipients out by writing them into
`call.refused`; the tool type then says so in its answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from offhook.core.errors import ToolError
from offhook.core.variables import Provenance
from offhook.tools.calls import Call, Entry, Plan
from offhook.tools.policy import Policy
from offhook.tools.ports import Claim, Consent, Tallies


@dataclass(slots=True)
class Wish:
    """A planned call in front of the guards. `claimed` is what they counted for it, to be given back if it fails."""

    function_name: str
    policy: Policy
    call: Call
    plan: Plan
    claimed: list[tuple[str, frozenset[bytes]]] = field(default_factory=list[tuple[str, frozenset[bytes]]])

    async def release(self, tallies: Tallies) -> None:
        """The call did nothing: what was counted for it is free again."""
        while self.claimed:
            name, items = self.claimed.pop()
            await tallies.release(self.call.context, name, items)


class Guard(Protocol):
    async def check(self, wish: Wish) -> None: ...


class MinimumProvenance:
    """Every value comes from somebody who may decide it."""

    async def check(self, wish: Wish) -> None:
        for name, bound in wish.call.fields.items():
            for entry in bound.entries:
                if entry.provenance < entry.minimum:
                    raise _distrusted(name, entry)


def _distrusted(name: str, entry: Entry) -> ToolError:
    say = "A value that is needed for this comes from a source that is not trusted for it. Nothing was done."
    if entry.provenance is Provenance.MODEL:
        say = f"{name} cannot be freely chosen: give one of the values that are known here. Nothing was done."
    found, demanded = entry.provenance.name.lower(), entry.minimum.name.lower()
    detail = f"{name}: a value from {found}, where the tool demands {demanded} or better"
    return ToolError(say, detail=detail, code="provenance_too_low")


@dataclass(frozen=True, slots=True)
class Destinations:
    """The organization's destination policy and its opt-outs. Refused recipients are taken out one by one."""

    consent: Consent

    async def check(self, wish: Wish) -> None:
        recipients = wish.plan.recipients
        if not recipients:
            return
        refused = wish.call.refused
        for recipient in recipients:
            verdict = await self.consent.check(wish.call.context.organization_id, recipient.number)
            if not verdict.allowed:
                refused[recipient.number] = verdict
        if len(refused) == len(recipients):
            sentences = " ".join(dict.fromkeys(verdict.sentence for verdict in refused.values()))
            first = next(iter(refused.values()))
            raise ToolError(
                f"{sentences} Nothing was sent.", detail=first.code, code=first.code or "destination_refused"
            )


@dataclass(frozen=True, slots=True)
class ModelGivenRecipients:
    """Only so many different destinations per conversation that nobody but the model vouches for."""

    tallies: Tallies

    async def check(self, wish: Wish) -> None:
        given = frozenset(
            _hashed(wish.call, item.number)
            for item in wish.plan.recipients
            if item.provenance is Provenance.MODEL and item.number not in wish.call.refused
        )
        if not given:
            return
        limit = wish.policy.max_model_given_recipients
        name = "model_given_recipients"
        new = await self.tallies.claim(wish.call.context, Claim(name, given, limit))
        if new is None:
            people = "one number" if limit == 1 else f"{limit} numbers"
            raise ToolError(
                f"In one conversation this can go to {people} that the person gives, and that is reached. "
                "Use a number it already went to, or offer another way. Nothing was sent.",
                detail="max_model_given_recipients is reached",
                code="model_given_recipients_limit",
            )
        wish.claimed.append((name, new))


@dataclass(frozen=True, slots=True)
class CallsPerConversation:
    """A function is used only so often in one conversation."""

    tallies: Tallies

    async def check(self, wish: Wish) -> None:
        limit = wish.policy.max_calls_per_conversation
        if limit is None:
            return
        name = f"calls:{wish.function_name}"
        claim = Claim(name, frozenset({wish.call.tool_call_id.bytes}), limit)
        new = await self.tallies.claim(wish.call.context, claim)
        if new is None:
            raise ToolError(
                f"This can be done {limit} times in one conversation, and that is reached. Nothing was done.",
                detail="max_calls_per_conversation is reached",
                code="calls_limit",
            )
        wish.claimed.append((name, new))


def _hashed(call: Call, number: str) -> bytes:
    """A number as a member of a set that nobody can read: keyed by the conversation."""
    return hashlib.blake2b(number.encode(), key=call.context.conversation_id.bytes, digest_size=16).digest()


def standard_guards(consent: Consent, tallies: Tallies) -> Sequence[Guard]:
    """Cheap questions first; what counts comes last, so that a refused call uses nothing up."""
    return (
        MinimumProvenance(),
        Destinations(consent),
        ModelGivenRecipients(tallies),
        CallsPerConversation(tallies),
    )
