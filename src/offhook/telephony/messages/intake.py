"""What is checked before a text is placed: number, policy, words, sender. Nothing is stored for what is refused."""

from __future__ import annotations

import uuid
from typing import Final

from offhook.core import segments
from offhook.core.destination import Refused
from offhook.core.errors import FieldProblem, InvalidInput
from offhook.core.ids import new_id
from offhook.core.phone import InvalidPhoneNumber, parse_e164
from offhook.core.text import is_clean
from offhook.telephony.accounts import Accounts
from offhook.telephony.consent.destinations import DestinationConsent
from offhook.telephony.messages.models import Placement

MAX_OPERATION_ID: Final = 200


class Intake:
    """Turns a wish into a placement."""

    def __init__(self, accounts: Accounts, consent: DestinationConsent) -> None:
        self._accounts = accounts
        self._consent = consent

    async def prepare(
        self,
        *,
        organization_id: uuid.UUID,
        origin: str,
        to_number: str,
        body: str,
        from_number: str | None = None,
        operation_id: str | None = None,
        conversation_id: uuid.UUID | None = None,
        claim_within_seconds: float | None = None,
    ) -> Placement:
        """Raises InvalidInput that names the fields as `to`, `from`, `body`, `operation_id`."""
        counted = _counted(body)
        if operation_id is not None and not (0 < len(operation_id) <= MAX_OPERATION_ID and is_clean(operation_id)):
            raise _wrong("operation_id", f"Must be a text of 1 to {MAX_OPERATION_ID} characters.")
        verdict = (await self._consent.policy(organization_id)).judge(_plus(to_number, "to"))
        if isinstance(verdict, Refused):
            raise InvalidInput(
                verdict.sentence,
                code=verdict.reason_code,
                fields=[FieldProblem("to", verdict.sentence, verdict.reason_code)],
            )
        sender = await self._accounts.sender(organization_id, _plus(from_number, "from") if from_number else None)
        return Placement(
            message_id=new_id(),
            organization_id=organization_id,
            conversation_id=conversation_id,
            origin=origin,
            operation_id=operation_id,
            sender=sender,
            to_number=verdict.destination.number,
            body=body,
            encoding=counted.encoding,
            segments=counted.segments,
            claim_within_seconds=claim_within_seconds,
            attempt_seconds=self._accounts.carrier(sender.carrier).attempt_timeout_seconds,
        )


def _counted(body: str) -> segments.Segments:
    if not body.strip():
        raise _wrong("body", "The text is empty.")
    if len(body) > segments.MAX_BODY_CHARACTERS:
        raise _wrong(
            "body", f"The text has {len(body)} characters; at most {segments.MAX_BODY_CHARACTERS} can be sent."
        )
    if not is_clean(body):
        raise _wrong("body", "Contains a NUL character or half of a surrogate pair, which cannot be stored.")
    return segments.count(body)


def _plus(number: str, field: str) -> str:
    """The number in E.164. One that is written so already is taken as it is: the policy reads it anyway."""
    if number[:1] == "+" and number[1:].isdigit() and number.isascii():
        return number
    try:
        return parse_e164(number).e164
    except InvalidPhoneNumber as error:
        raise _wrong(field, f"This is not a phone number: {error.message}.", error.code) from None


def _wrong(field: str, message: str, code: str = "invalid") -> InvalidInput:
    return InvalidInput(message, fields=[FieldProblem(field, message, code)])
