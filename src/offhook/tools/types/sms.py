"""A text message during the call.

What the caller experiences: the phone vibrates while the agent is still talking, a second or two after it was asked
for. The agent says that the text was sent, that it is on its way, or why not; it never claims what is not known.

Limits: a body of 1600 characters at most (Twilio error 21617), or ten segments (Telnyx); 160 GSM-7 or 70 UCS-2
characters fit one segment, and every segment is billed (facts/telephony.md 1.7). One text per second and long-code
sender; more wait in their lane. At night a text that is no answer to the caller waits for the morning.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from offhook.core.declarations import Declarations
from offhook.core.errors import Effect, FieldProblem, InvalidInput, OffhookError, ToolError, Unavailable
from offhook.core.forms import FormHint
from offhook.core.jsonvalue import JSON
from offhook.core.phone import InvalidPhoneNumber, parse_e164
from offhook.core.segments import MAX_BODY_CHARACTERS, count
from offhook.core.text import is_clean
from offhook.core.texts import PLAIN, MediumWish, TextOptions
from offhook.core.texts.splitting import MAX_CHARACTERS
from offhook.core.texts.wording import reworded
from offhook.core.variable_filters import as_text
from offhook.core.variables import DESTINATION_MINIMUM, Provenance, Template, Value, VariableError
from offhook.tools.calls import Call, Plan
from offhook.tools.parameters import Ai, ArrayExtendable, Fixed, Form, ParameterSpec
from offhook.tools.policy import Policy
from offhook.tools.ports import (
    LONGEST_WAIT_SECONDS,
    SUPPRESSED_CODE,
    Consent,
    Ports,
    TextRequest,
)
from offhook.tools.recipients import read_recipients
from offhook.tools.results import Answer
from offhook.tools.text_outcomes import Outcome, answer, as_reason, not_accepted, outcome_of
from offhook.tools.tool_type import ToolType

MAX_RECIPIENTS: Final = 10
"""Ours: a text to more people is a campaign and not part of a conversation."""

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


class Carried(BaseModel):
    """What a text carries: one of your media, or a public address. Exactly one of the two."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    media_id: uuid.UUID | None = None
    url: Annotated[str, Field(pattern=r"^https?://[^{}\s]+$", max_length=2000)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Carried:
        if (self.media_id is None) == (self.url is None):
            raise ValueError("give media_id or url")
        return self


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
    media: Annotated[
        list[Carried],
        Field(max_length=10),
        FormHint("Media", "Pictures and files that go with the text, as an MMS: uploaded ones, or public addresses"),
    ] = Field(default_factory=list[Carried])
    strip_markdown: Annotated[
        bool, FormHint("Plain words", "Make plain words of Markdown, which models write and phones do not show")
    ] = False
    smart_encoding: Annotated[
        bool, FormHint("Smart encoding", "Exchange curly quotes, dashes and the like where that saves segments")
    ] = False
    split: Annotated[bool, FormHint("Split", "Send what is too long for one text as several, at most ten")] = False
    validity_seconds: Annotated[
        int | None,
        Field(ge=1, le=36_000),
        FormHint("Valid for", "Seconds after which a text that still waits is not sent any more"),
    ] = None


async def check(form: Config, organization_id: uuid.UUID, ports: Ports) -> Sequence[FieldProblem]:
    problems = [*await _fixed_recipient_problems(form, organization_id, ports.consent), *_body_problems(form)]
    match form.from_:
        case SpecificNumber(phone_number_id=wanted):
            if await ports.numbers.find(organization_id, wanted) is None:
                message = "This organization has no number with that id."
                problems.append(FieldProblem("from.phone_number_id", message, "not_found"))
        case CalledNumber():
            pass
    if form.media and not problems:
        problems += await _media_problems(form, organization_id, ports)
    return problems


async def _media_problems(form: Config, organization_id: uuid.UUID, ports: Ports) -> list[FieldProblem]:
    """What the carrier would not take; nothing where it is not known which sender it will be."""
    try:
        sender = await _own_number(form, organization_id, ports)
        await ports.messenger.estimate(organization_id, "", sender, _options(form.model_dump()))
    except InvalidInput as error:
        return [problem for problem in error.fields if problem.path.startswith("media")]
    return []


async def _own_number(form: Config, organization_id: uuid.UUID, ports: Ports) -> str | None:
    if isinstance(form.from_, CalledNumber):
        return None
    own = await ports.numbers.find(organization_id, form.from_.phone_number_id)
    return None if own is None else own.number


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
        if not form.strip_markdown:
            notes.append("Models write Markdown, whose signs a phone shows: consider strip_markdown.")
        return {"min_segments": 1, "max_segments": _most_segments(size), "notes": notes}
    text, options = as_text(form.text.value), _options(form.model_dump())
    typical, least = (
        count(reworded(words, options).bodies[0])
        for words in (_with_examples(text, declarations), _without_variables(text))
    )
    has_variables = "{{" in text
    longest = MAX_CHARACTERS if form.split else MAX_BODY_CHARACTERS
    return {
        "encoding": typical.encoding,
        "segments": typical.segments,
        "min_segments": min(least.segments, typical.segments),
        "max_segments": _most_segments(longest) if has_variables else typical.segments,
        "forced_by": list(typical.forced_by),
        "notes": notes,
    }


async def appraise(
    form: Config, declarations: Declarations, organization_id: uuid.UUID, ports: Ports
) -> Mapping[str, Any]:
    """`cost` of one text to one recipient: `amount`, `currency` and `source` of the price; of the shortest where the
    model writes it, null where the sender or its price is not known."""
    words = _with_examples(as_text(form.text.value), declarations) if isinstance(form.text, Fixed) else "?"
    try:
        sender = await _own_number(form, organization_id, ports)
        told = await ports.messenger.estimate(organization_id, words, sender, _options(form.model_dump()))
    except OffhookError:
        return {"cost": None}
    if told.cost is None:
        return {"cost": None}
    return {"cost": {"amount": str(told.cost), "currency": told.currency, "source": told.price_source}}


def _without_variables(text: str) -> str:
    kept: list[str] = []
    position = 0
    while (start := text.find("{{", position)) >= 0 and (end := text.find("}}", start)) >= 0:
        kept.append(text[position:start])
        position = end + len("}}")
    return "".join(kept) + text[position:]


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
    options: TextOptions


_OPTIONS: Final = ("media", "strip_markdown", "smart_encoding", "split", "validity_seconds")


def _options(given: Mapping[str, Any]) -> TextOptions:
    """Of a form's fields, or of a call's."""
    known = {name: given[name] for name in _OPTIONS if given.get(name)}
    if not known:
        return PLAIN
    media = cast("list[Mapping[str, Any]]", known.pop("media", []))
    return TextOptions(media=tuple(_wish(one) for one in media), **known)


def _wish(carried: Mapping[str, Any]) -> MediumWish:
    media_id = carried.get("media_id")
    return MediumWish(uuid.UUID(str(media_id)) if media_id else None, carried.get("url"))


def plan(call: Call) -> Plan:
    options = _options({name: bound.value for name, bound in call.fields.items()})
    body = _body(call, options)
    recipients = read_recipients(call.context, call.fields["recipients"].entries, MAX_RECIPIENTS)
    sender = cast("Mapping[str, str]", call.fields["from"].value)
    chosen = sender.get("phone_number_id")
    text = _Text(
        body=body,
        numbers=tuple(item.number for item in recipients),
        from_number=None if chosen else call.context.our_number,
        from_number_id=uuid.UUID(chosen) if chosen else None,
        options=options,
    )
    return Plan(_identity(call, text.numbers), recipients, text)


def _identity(call: Call, numbers: Sequence[str]) -> JSON:
    """What the model asked for: its words as it wrote them ({{now}} is another text every second), and the numbers,
    however they were written."""
    to: list[JSON] = [*sorted(numbers)]
    return {"text": call.arguments.get("text"), "to": to}


def _body(call: Call, options: TextOptions) -> str:
    """What is said; the carrier's own limits, and the parts of a long text, are the messenger's to know."""
    body = as_text(call.fields["text"].value)
    if not body.strip():
        raise ToolError("The text is empty. Nothing was sent.", code="empty_text")
    most = MAX_CHARACTERS if options.split or options.strip_markdown else MAX_BODY_CHARACTERS
    if len(body) > most:
        say = f"The text has {len(body)} characters and at most {most} can be sent. Nothing was sent."
        raise ToolError(say, code="text_too_long")
    if not is_clean(body):
        raise ToolError("The text contains a character that cannot be sent. Nothing was sent.", code="unclean_text")
    return body


async def execute(call: Call, planned: Plan, ports: Ports) -> Answer:
    text = cast("_Text", planned.detail)
    sender = await _sender(call.context.organization_id, text, ports)
    asked = [number for number in text.numbers if number not in call.refused]
    async with asyncio.TaskGroup() as group:
        sending = [group.create_task(_send(call, number, text, sender, ports)) for number in asked]
    outcomes = {number: task.result() for number, task in zip(asked, sending, strict=True)}
    for number, verdict in call.refused.items():
        outcomes[number] = Outcome("refused", Effect.NONE, verdict.sentence)
    return answer(call, [(number, outcomes[number]) for number in text.numbers])


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


async def _send(call: Call, number: str, text: _Text, sender: str | None, ports: Ports) -> Outcome:
    request = TextRequest(
        operation_id=call.operation_id(number),
        organization_id=call.context.organization_id,
        conversation_id=call.context.conversation_id,
        origin="tool",
        to_number=number,
        body=text.body,
        from_number=sender,
        options=text.options,
        wait_seconds=min(LONGEST_WAIT_SECONDS, max(call.remaining_seconds() - ANSWER_MARGIN_SECONDS, 0.0)),
    )
    try:
        receipt = await ports.messenger.text(request)
    except ToolError as error:
        return Outcome("refused", error.effect, error.say, error.detail, error.code)
    except Unavailable as error:
        return Outcome("unknown", Effect.UNKNOWN, "", error.detail, error.code)
    except InvalidInput as error:
        return not_accepted(call, error, sender)
    except OffhookError as error:
        return Outcome("refused", Effect.NONE, "the team has to set something up first", error.detail, error.code)
    outcome = outcome_of(receipt)
    refusal = await _refusal(call, number, ports.consent) if outcome.status == "refused" else None
    return outcome if refusal is None else replace(outcome, reason=as_reason(refusal))


async def _refusal(call: Call, number: str, consent: Consent) -> str | None:
    """Why the recipient is not texted any more: the carrier's refusal has told so, or it was said meanwhile."""
    try:
        verdict = await consent.check(call.context.organization_id, number)
    except OffhookError:
        return None  # the refusal stands without its reason
    return verdict.sentence if verdict.code == SUPPRESSED_CODE else None


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
    appraise=appraise,
)
