"""A text message during the call.

What the caller experiences: the phone vibrates while the agent is still talking, a second or two after it was asked
for. The agent says that the text was sent, that it is on its way, or why not; it never claims what is not known.

Limits: a body of 1600 characters at most (Twilio error 21617); 160 GSM-7 or 70 UCS-2 characters fit one segment, and
every segment is billed (facts/telephony.md 1.7). One text per second and long-code sender; more wait in their lane.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, cast

import phonenumbers
from pydantic import BaseModel, ConfigDict, Field

from offhook.core.declarations import Declarations
from offhook.core.errors import Effect, FieldProblem, InvalidInput, OffhookError, ToolError, Unavailable
from offhook.core.forms import FormHint
from offhook.core.jsonvalue import JSON
from offhook.core.phone import InvalidPhoneNumber, parse_e164
from offhook.core.segments import MAX_BODY_CHARACTERS, count
from offhook.core.text import is_clean
from offhook.core.variable_filters import as_text
from offhook.core.variables import DESTINATION_MINIMUM, Provenance, Template, Value, VariableError
from offhook.tools.calls import Call, Plan, Recipient
from offhook.tools.parameters import Ai, ArrayExtendable, Fixed, Form, ParameterSpec
from offhook.tools.policy import Policy
from offhook.tools.ports import (
    LONGEST_WAIT_SECONDS,
    NO_SENDER_CODE,
    SUPPRESSED_CODE,
    Consent,
    ConversationContext,
    Ports,
    TextReceipt,
    TextRequest,
)
from offhook.tools.results import Answer
from offhook.tools.tool_type import ToolType

MAX_RECIPIENTS: Final = 10
"""Ours: a text to more people is a campaign and not part of a conversation."""

_NUMBERS_KEPT: Final = 2048
"""Reading a number takes 50 µs (measured), several times what the rest of a call's preparation does."""

ANSWER_MARGIN_SECONDS: Final = 1.0
"""What is left of the deadline for writing down and answering after the carrier had its time."""


class CalledNumber(BaseModel):
    """The number that the person called, or texts with."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    type: Literal["called_number"]


class SpecificNumber(BaseModel):
    """One of the organization's numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    type: Literal["specific_number"]
    phone_number_id: uuid.UUID


class Config(Form):
    """The form of an sms tool."""

    type: Literal["sms"]
    from_: Annotated[
        CalledNumber | SpecificNumber,
        Field(alias="from", discriminator="type"),
        FormHint("From", "The number that was called, or one of yours"),
    ]
    text: Annotated[
        Fixed | Ai,
        Field(discriminator="mode"),
        ParameterSpec({"type": "string", "minLength": 1, "maxLength": MAX_BODY_CHARACTERS}),
        FormHint("Text", "What the text says", risk="The model writes what is sent in your name."),
    ]
    recipients: Annotated[
        Fixed | Ai | ArrayExtendable,
        Field(discriminator="mode"),
        ParameterSpec(
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MAX_RECIPIENTS},
            minimum=DESTINATION_MINIMUM,
        ),
        FormHint(
            "Recipients",
            "Phone numbers such as +12025550123, or {{caller_phone_number}}",
            risk=(
                "Whoever talks to the agent can have it text any number that your destination policy allows. "
                "One such number per conversation, unless the limits say otherwise."
            ),
        ),
    ]


async def check(form: Config, organization_id: uuid.UUID, ports: Ports) -> Sequence[FieldProblem]:
    problems = [*await _fixed_recipient_problems(form, organization_id, ports.consent), *_body_problems(form)]
    match form.from_:
        case SpecificNumber(phone_number_id=wanted):
            if await ports.numbers.find(organization_id, wanted) is None:
                message = "This organization has no number with that id."
                problems.append(FieldProblem("from.phone_number_id", message, "not_found"))
        case CalledNumber():
            pass
    return problems


async def _fixed_recipient_problems(form: Config, organization_id: uuid.UUID, consent: Consent) -> list[FieldProblem]:
    problems: list[FieldProblem] = []
    for path, value in _fixed_recipients(form.recipients):
        if isinstance(value, str) and "{{" not in value:
            problem = await _recipient_problem(path, value, organization_id, consent)
            problems += [problem] if problem else []
    return problems


async def _recipient_problem(
    path: str, written: str, organization_id: uuid.UUID, consent: Consent
) -> FieldProblem | None:
    try:
        number = parse_e164(written).e164
    except InvalidPhoneNumber as error:
        return FieldProblem(path, f"This is no phone number: {error.message}.", error.code)
    verdict = await consent.check(organization_id, number)
    # Whoever opted out may opt in again; what the policy refuses, it refuses every time.
    if verdict.allowed or verdict.code == SUPPRESSED_CODE:
        return None
    return FieldProblem(path, verdict.sentence, verdict.code)


def _fixed_recipients(recipients: Fixed | Ai | ArrayExtendable) -> list[tuple[str, JSON]]:
    match recipients:
        case Fixed(value=value):
            listed = cast("list[JSON]", value) if isinstance(value, list) else [value]
            return [(f"recipients.value.{index}", entry) for index, entry in enumerate(listed)]
        case ArrayExtendable(values=entries):
            return [
                (f"recipients.values.{index}.value", entry.value)
                if isinstance(entry, Fixed)
                else (f"recipients.values.{index}", cast("JSON", entry))
                for index, entry in enumerate(entries)
                if not isinstance(entry, Ai)
            ]
        case Ai():
            return []


def _body_problems(form: Config) -> list[FieldProblem]:
    if not isinstance(form.text, Fixed) or not isinstance(form.text.value, str):
        return []
    shortest = len(_without_variables(form.text.value))
    if shortest <= MAX_BODY_CHARACTERS:
        return []
    message = f"A text has at most {MAX_BODY_CHARACTERS} characters; this one has {shortest} or more."
    return [FieldProblem("text.value", message, "too_long")]


def insight(form: Config, declarations: Declarations) -> Mapping[str, Any]:
    """`encoding`, `segments` with every variable's example, `min_segments` and `max_segments`; and `notes` on risks."""
    notes: list[str] = []
    if not isinstance(form.recipients, Fixed):
        hint = next(item for item in type(form).model_fields["recipients"].metadata if isinstance(item, FormHint))
        notes.append(hint.risk)
    if isinstance(form.text, Ai):
        longest = (form.text.schema_ or {}).get("maxLength")
        size = min(longest, MAX_BODY_CHARACTERS) if isinstance(longest, int) else MAX_BODY_CHARACTERS
        return {"min_segments": 1, "max_segments": _most_segments(size), "notes": notes}
    text = as_text(form.text.value)
    typical, least = count(_with_examples(text, declarations)), count(_without_variables(text))
    has_variables = "{{" in text
    return {
        "encoding": typical.encoding,
        "segments": typical.segments,
        "min_segments": min(least.segments, typical.segments),
        "max_segments": _most_segments(MAX_BODY_CHARACTERS) if has_variables else typical.segments,
        "forced_by": list(typical.forced_by),
        "notes": notes,
    }


def _without_variables(text: str) -> str:
    return re.sub(r"\{\{.*?\}\}", "", text)


def _with_examples(text: str, declarations: Declarations) -> str:
    examples = {name: Value(value, Provenance.ORGANIZATION) for name, value in declarations.examples().items()}
    try:
        return Template.parse(text).render(examples).text
    except VariableError:
        return _without_variables(text)


def _most_segments(characters: int) -> int:
    """Segments of a text of that length outside GSM-7, one UTF-16 unit for each character."""
    return count("ж" * characters).segments


@dataclass(frozen=True, slots=True)
class _Text:
    """What is about to be sent, and to whom."""

    body: str = field(repr=False)
    numbers: tuple[str, ...] = field(repr=False)
    from_number: str | None = field(repr=False)
    from_number_id: uuid.UUID | None


def plan(call: Call) -> Plan:
    body = _body(call)
    recipients = _recipients(call)
    sender = cast("Mapping[str, str]", call.fields["from"].value)
    chosen = sender.get("phone_number_id")
    text = _Text(
        body=body,
        numbers=tuple(item.number for item in recipients),
        from_number=None if chosen else call.context.our_number,
        from_number_id=uuid.UUID(chosen) if chosen else None,
    )
    return Plan(_identity(call, text.numbers), recipients, text)


def _identity(call: Call, numbers: Sequence[str]) -> JSON:
    """What the model asked for: its words as it wrote them ({{now}} is another text every second), and the numbers,
    however they were written."""
    to: list[JSON] = [*sorted(numbers)]
    return {"text": call.arguments.get("text"), "to": to}


def _body(call: Call) -> str:
    body = as_text(call.fields["text"].value)
    if not body.strip():
        raise ToolError("The text is empty. Nothing was sent.", code="empty_text")
    if len(body) > MAX_BODY_CHARACTERS:
        say = f"The text has {len(body)} characters and at most {MAX_BODY_CHARACTERS} can be sent. Nothing was sent."
        raise ToolError(say, code="text_too_long")
    if not is_clean(body):
        raise ToolError("The text contains a character that cannot be sent. Nothing was sent.", code="unclean_text")
    return body


def _recipients(call: Call) -> tuple[Recipient, ...]:
    """Each number once, with the best provenance that it was given with; the caller's own is signalling's."""
    region = _home_region(call.context)
    found: dict[str, Provenance] = {}
    for entry in call.fields["recipients"].entries:
        written = as_text(entry.value)
        try:
            number = _e164(written, region)
        except InvalidPhoneNumber as error:
            say = f"A recipient is no phone number: {error.message}. Ask for the number again. Nothing was sent."
            raise ToolError(say, code=error.code) from None
        vouched = Provenance.SIGNALLING if number == call.context.person_number else entry.provenance
        found[number] = max(vouched, found.get(number, vouched))
    if not found:
        raise ToolError("There is nobody to send it to: give at least one recipient.", code="no_recipient")
    if len(found) > MAX_RECIPIENTS:
        raise ToolError(
            f"One text goes to at most {MAX_RECIPIENTS} numbers. Nothing was sent.", code="too_many_recipients"
        )
    return tuple(Recipient(number, provenance) for number, provenance in found.items())


def _home_region(context: ConversationContext) -> str | None:
    """Where a number without country code is taken to be: the country of our number, else of the person's."""
    home = context.our_number or context.person_number
    return None if home is None else _region_of(home)


@lru_cache(maxsize=_NUMBERS_KEPT)
def _e164(written: str, region: str | None) -> str:
    """Raises InvalidPhoneNumber. Kept, since one number comes several times in a call."""
    return parse_e164(written, region).e164


@lru_cache(maxsize=_NUMBERS_KEPT)
def _region_of(home: str) -> str | None:
    try:
        region = phonenumbers.region_code_for_country_code(parse_e164(home).country_code)
    except InvalidPhoneNumber:
        return None
    return None if region in ("ZZ", phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY) else region


async def execute(call: Call, planned: Plan, ports: Ports) -> Answer:
    text = cast("_Text", planned.detail)
    sender = await _sender(call.context.organization_id, text, ports)
    asked = [number for number in text.numbers if number not in call.refused]
    async with asyncio.TaskGroup() as group:
        sending = [group.create_task(_send(call, number, text.body, sender, ports)) for number in asked]
    outcomes = {number: task.result() for number, task in zip(asked, sending, strict=True)}
    for number, verdict in call.refused.items():
        outcomes[number] = _Outcome("refused", Effect.NONE, verdict.sentence)
    return _answer(call, [(number, outcomes[number]) for number in text.numbers])


async def _sender(organization_id: uuid.UUID, text: _Text, ports: Ports) -> str | None:
    if text.from_number_id is None:
        return text.from_number
    own = await ports.numbers.find(organization_id, text.from_number_id)
    if own is None:
        raise ToolError(
            "No text can be sent just now; the team has to set up the sending number. Nothing was sent.",
            detail="the sms tool's phone_number_id names no number of this organization: choose another in its form",
            code="sender_not_found",
        )
    return own.number


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of the text to one recipient. `status` is sent, queued, refused or unknown."""

    status: str
    effect: Effect
    reason: str = ""
    detail: str = ""
    code: str = ""


_STATUS: Final[Mapping[str, str]] = {
    "queued": "queued",
    "sending": "unknown",
    "accepted": "sent",
    "sent": "sent",
    "delivered": "sent",
    "undelivered": "refused",
    "failed": "refused",
    "canceled": "refused",
}
"""The message's status (migrations/0003) in the model's four words."""


async def _send(call: Call, number: str, body: str, sender: str | None, ports: Ports) -> _Outcome:
    request = TextRequest(
        operation_id=call.operation_id(number),
        organization_id=call.context.organization_id,
        conversation_id=call.context.conversation_id,
        origin="tool",
        to_number=number,
        body=body,
        from_number=sender,
        wait_seconds=min(LONGEST_WAIT_SECONDS, max(call.remaining_seconds() - ANSWER_MARGIN_SECONDS, 0.0)),
    )
    try:
        receipt = await ports.messenger.text(request)
    except ToolError as error:
        return _Outcome("refused", error.effect, error.say, error.detail, error.code)
    except Unavailable as error:
        return _Outcome("unknown", Effect.UNKNOWN, "", error.detail, error.code)
    except InvalidInput as error:
        return _not_accepted(call, error, sender)
    except OffhookError as error:
        return _Outcome("refused", Effect.NONE, "the team has to set something up first", error.detail, error.code)
    outcome = _outcome(receipt)
    if outcome.status == "refused" and await _opted_out(call, number, ports.consent):
        return replace(outcome, reason=_OPTED_OUT)
    return outcome


_OPTED_OUT: Final = "this number has opted out of texts"


async def _opted_out(call: Call, number: str, consent: Consent) -> bool:
    """Whether the carrier's refusal has told so, or somebody opted out while the text waited."""
    try:
        return (await consent.check(call.context.organization_id, number)).code == SUPPRESSED_CODE
    except OffhookError:
        return False  # the refusal stands without its reason


def _not_accepted(call: Call, error: InvalidInput, sender: str | None) -> _Outcome:
    reason, detail = "it was not accepted", error.detail
    if error.code == SUPPRESSED_CODE:
        reason = _OPTED_OUT
    elif error.code == NO_SENDER_CODE and sender is None:
        reason = "there is no number to send it from"
    elif error.code == NO_SENDER_CODE and sender is not None:
        whose = "the number that was called" if sender == call.context.our_number else "the tool's number"
        reason, detail = f"{whose} cannot send texts", f"{whose}, ending {sender[-2:]}, cannot send texts: {detail}"
    return _Outcome("refused", Effect.NONE, reason, detail, error.code)


def _outcome(receipt: TextReceipt) -> _Outcome:
    status = "unknown" if receipt.effect is Effect.UNKNOWN else _STATUS.get(receipt.status, "unknown")
    detail, code = receipt.decision or "", receipt.error_code or ""
    if status == "refused":
        return _Outcome(status, Effect.NONE, "the network did not take it", detail, code)
    return _Outcome(status, Effect.UNKNOWN if status == "unknown" else Effect.DONE, "", detail, code)


_CLAIMS: Final[Mapping[str, str]] = {
    "sent": "Where the status is sent, you may say that it was sent.",
    "queued": "Where it is queued, say that it is on its way and arrives in a moment.",
    "unknown": "Where it is unknown, say neither that it was sent nor that it was not; it is being found out.",
    "refused": "Where it is refused, nothing was sent; say so.",
}


def _answer(call: Call, outcomes: list[tuple[str, _Outcome]]) -> Answer:
    statuses = {outcome.status for _, outcome in outcomes}
    if not statuses & {"sent", "queued"}:
        raise _failure(call, outcomes)
    rows: list[dict[str, str]] = []
    for number, outcome in outcomes:
        row = {"to": _shown(call, number), "status": outcome.status}
        if outcome.reason:
            row["reason"] = outcome.reason
        rows.append(row)
    note = " ".join(sentence for status, sentence in _CLAIMS.items() if status in statuses)
    return Answer({"sent_to": rows, "note": note}, Effect.UNKNOWN if "unknown" in statuses else Effect.DONE)


def _failure(call: Call, outcomes: list[tuple[str, _Outcome]]) -> ToolError:
    """Nobody certainly gets the text."""
    details = "; ".join(sorted({item.detail or item.reason for _, item in outcomes}))
    unknown = any(item.effect is Effect.UNKNOWN for _, item in outcomes)
    code = next((item.code for _, item in outcomes if item.code), None)
    if unknown:
        say = "It is not known yet whether the text was sent. Say neither that it was nor that it was not."
        return ToolError(say, detail=details, effect=Effect.UNKNOWN, code="outcome_unknown")
    reasons = "; ".join(f"{_shown(call, number)}: {item.reason}" for number, item in outcomes)
    return ToolError(f"The text was not sent ({reasons}).", detail=details, code=code or "not_sent")


def _shown(call: Call, number: str) -> str:
    """The model reads no number in full that it did not write itself."""
    if number in _given_numbers(call):
        return number
    whose = "the caller's number" if number == call.context.person_number else "the number"
    return f"{whose} ending {number[-2:]}"


def _given_numbers(call: Call) -> set[str]:
    region, given = _home_region(call.context), set[str]()
    for argument in call.arguments.values():
        for part in argument if isinstance(argument, list) else [argument]:
            try:
                given.add(_e164(part, region) if isinstance(part, str) else "")
            except InvalidPhoneNumber:
                continue
    return given


TOOL_TYPE = ToolType(
    name="sms",
    title="Text message",
    experience=cast("str", __doc__),
    config=Config,
    policy=Policy(timeout_seconds=10.0, repeatable="no", resumable=True),
    execute=execute,
    check=check,
    plan=plan,
    insight=insight,
)
