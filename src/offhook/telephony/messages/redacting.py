"""Forgetting a text: its words and what came with it, at the carrier first, then here.

A text that was not delivered is repeated as a new message, so the same words may stand in several: they are forgotten
in all of them, and a repeat that still waits is not sent. That it was sent, when and to whom, stays.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final, Protocol

from offhook.core.db.pool import Connection, Database
from offhook.core.errors import Conflict, NotFound, Unavailable
from offhook.telephony.accounts import Accounts
from offhook.telephony.carrier import CarrierRefused, NotOffered, NotSent, OutcomeUnknown, Treatment
from offhook.telephony.messages.models import MESSAGE_COLUMNS, Message, message_of

_KEPT_AT_CARRIER: Final = (
    "Redacted here; the carrier has no way to forget a text, so it keeps the words as long as it does."
)
_TAKEN_BACK: Final = "Canceled before it was sent, because the words of the text were redacted."

# A text, those that it repeats, and those that repeat it.
_SAME_WORDS: Final = (
    "with recursive before as (select id, retry_of from messages where organization_id = $1 and id = $2 union all"
    "  select m.id, m.retry_of from messages m join before on m.organization_id = $1 and m.id = before.retry_of),"
    " every as (select id from before union"
    "  select m.id from messages m join every on m.organization_id = $1 and m.retry_of = every.id)"
    f" select {MESSAGE_COLUMNS} from messages where organization_id = $1 and id in (select id from every) order by id"
)


class CarriedMedia(Protocol):
    """What texts carried."""

    async def erase_of(self, organization_id: uuid.UUID, message_id: uuid.UUID) -> None:
        """Forget what a message carried."""
        ...


class Redacting:
    """Redacts texts."""

    def __init__(self, database: Database, accounts: Accounts, media: CarriedMedia) -> None:
        self._database = database
        self._accounts = accounts
        self._media = media

    async def redact(self, organization_id: uuid.UUID, message_id: uuid.UUID) -> Message:
        """Forget the words of a text that a carrier has or that has ended; asked again, it goes on where it stopped.

        Raises NotFound; Conflict while it is not with a carrier, or where the carrier refuses to forget, with who must
        act; Unavailable when the carrier gives no clear answer.
        """
        async with self._database.tenant(organization_id) as connection:
            told = await _take_back(connection, organization_id, message_id)
        kept = [message.id for message in told if not await self._forget_at_carrier(message)]
        for message in told:
            await self._media.erase_of(organization_id, message.id)
        async with self._database.tenant(organization_id) as connection:
            # Meanwhile one of them may have been repeated.
            await _take_back(connection, organization_id, message_id)
            await _forget(connection, organization_id, [message.id for message in told], kept)
            return next(m for m in await _same_words(connection, organization_id, message_id) if m.id == message_id)

    async def _forget_at_carrier(self, message: Message) -> bool:
        """False where the carrier keeps the words, having no way to forget them."""
        if message.carrier_message_id is None:
            return True
        account = await self._accounts.get_open(message.carrier_account_id)
        carrier = self._accounts.carrier(account.carrier)
        try:
            await carrier.redact_message(account, message.carrier_message_id, with_media=message.media_count > 0)
        except NotOffered:
            return False
        except CarrierRefused as refused:
            if refused.refusal.treatment is Treatment.RETRY:
                raise _no_answer() from refused
            raise Conflict(
                f"The carrier does not forget the text: {refused.refusal.sentence} Its words were kept here too.",
                code="carrier_refused",
            ) from refused
        except (NotSent, OutcomeUnknown) as error:
            raise _no_answer() from error
        return True


async def _take_back(connection: Connection, organization_id: uuid.UUID, message_id: uuid.UUID) -> Sequence[Message]:
    """See that the words go nowhere any more; the messages in which they still stand. Raises NotFound, Conflict."""
    every = await _same_words(connection, organization_id, message_id)
    named = next((message for message in every if message.id == message_id), None)
    if named is None:
        raise NotFound("There is no such message.", code="message_not_found")
    if named.status == "queued":
        raise Conflict("The text waits to be sent: cancel it, then it can be redacted.", code="message_not_ended")
    await connection.execute(
        "update messages set status = 'canceled', not_before = null, hold_reason = null, decision = $3,"
        " finished_at = clock_timestamp() where organization_id = $1 and id = any($2) and status = 'queued'",
        organization_id,
        [message.id for message in every],
        _TAKEN_BACK,
    )
    now = await _same_words(connection, organization_id, message_id)
    if any(message.is_open for message in now):
        raise Conflict("The text is on its way to the carrier: ask again in a moment.", code="message_not_ended")
    return [message for message in now if message.redacted_at is None]


async def _same_words(connection: Connection, organization_id: uuid.UUID, message_id: uuid.UUID) -> Sequence[Message]:
    return [message_of(row) for row in await connection.fetch(_SAME_WORDS, organization_id, message_id)]


async def _forget(
    connection: Connection, organization_id: uuid.UUID, message_ids: Sequence[uuid.UUID], kept: Sequence[uuid.UUID]
) -> None:
    """`kept`: those whose words the carrier keeps."""
    await connection.execute(
        "update messages set body = '', redacted_at = coalesce(redacted_at, clock_timestamp()),"
        " decision = case when id = any($3) then $4 else decision end"
        " where organization_id = $1 and id = any($2)",
        organization_id,
        message_ids,
        kept,
        _KEPT_AT_CARRIER,
    )


def _no_answer() -> Unavailable:
    return Unavailable(
        "The carrier gave no clear answer, so the words were kept here: ask again.", code="carrier_unavailable"
    )
