"""Texts that people send us: a message, what it asks for, and what it carries, in one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from offhook.core.db.pool import Connection
from offhook.core.ids import new_id
from offhook.core.phone import find_e164
from offhook.core.segments import count
from offhook.core.telemetry import get_logger
from offhook.core.text import clean_text
from offhook.telephony.carrier import InboundTextEvent
from offhook.telephony.carrier_events import Waiting
from offhook.telephony.consent import opting
from offhook.telephony.consent.language import Kind
from offhook.telephony.consent.opting import How, Reason
from offhook.telephony.consent.words import Wish, read
from offhook.telephony.media.inbound import enqueue_inbound_media
from offhook.telephony.messages.releasing import person_wrote

_log = get_logger(__name__)

MAX_BODY_CHARACTERS: Final = 16_000
"""Of what is kept: ten times what a carrier delivers."""


_MessageId = uuid.UUID | None
"""None: the text is not kept."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """An inbound message that is stored."""

    id: uuid.UUID
    organization_id: uuid.UUID


async def take_in(connection: Connection, waiting: Waiting, event: InboundTextEvent) -> None:
    """Store the text, do what it asks for, and have its media fetched. One that is there already changes nothing.

    A wish counts to whatever number of the organization's account it was sent, also to one that Offhook was not told
    of, whose texts are not kept.
    """
    if not await _is_ours(connection, waiting, event):
        _log.info("inbound_text_to_unknown_number", account_id=str(waiting.account_id))
        await _heed(connection, waiting, event, None)
        return
    message = await _store(connection, waiting, event)
    if message is None:
        return
    await enqueue_inbound_media(connection, message, event.media)
    await _heed(connection, waiting, event, message.id)
    await person_wrote(connection, waiting.organization_id, event.from_number, message.id)


async def _heed(connection: Connection, waiting: Waiting, event: InboundTextEvent, message_id: _MessageId) -> None:
    """Do what the text asks for; nothing where its sender is no number."""
    number = find_e164(event.from_number)
    if number is None:
        return
    await opting.reached_us(connection, waiting.organization_id, number)
    wish = _told(event) or read(event.body)
    if wish is not None:
        await _ACTS[wish.kind](connection, waiting, number, wish.how, message_id)


def _told(event: InboundTextEvent) -> Wish | None:
    """What the carrier took the text for. It has answered it, so its word is the one that the person got."""
    return Wish(Kind(event.consent), How.OPT_OUT_TYPE) if event.consent is not None else None


async def _stop(connection: Connection, waiting: Waiting, number: str, how: How, message_id: _MessageId) -> None:
    await opting.opt_out(
        connection,
        waiting.organization_id,
        number,
        reason=Reason.FREE_FORM if how is How.FREE_FORM else Reason.KEYWORD,
        how=how,
        message_id=message_id,
        at=waiting.received_at,
    )


async def _start(connection: Connection, waiting: Waiting, number: str, how: How, message_id: _MessageId) -> None:
    await opting.opt_in(
        connection, waiting.organization_id, number, how=how, message_id=message_id, at=waiting.received_at
    )


async def _help(connection: Connection, waiting: Waiting, number: str, how: How, message_id: _MessageId) -> None:
    await opting.ask_for_help(
        connection, waiting.organization_id, number, how=how, message_id=message_id, at=waiting.received_at
    )


_ACTS: Final = {Kind.STOP: _stop, Kind.START: _start, Kind.HELP: _help}


async def _is_ours(connection: Connection, waiting: Waiting, event: InboundTextEvent) -> bool:
    """Whether it came to a number or service of the organization's, or to one that has texted this person: who stops
    a number that was given up since has stopped it all the same."""
    return await connection.fetchval(
        "select exists (select from phone_numbers where organization_id = $1 and number = $3)"
        " or exists (select from messaging_services"
        "  where organization_id = $1 and carrier_account_id = $2 and external_id = $5)"
        " or exists (select from messages where organization_id = $1 and carrier_account_id = $2 and to_number = $4"
        "  and from_number = $3 and direction = 'outbound' and attempt_started_at is not null)",
        waiting.organization_id,
        waiting.account_id,
        event.to_number,
        event.from_number,
        event.messaging_service,
    )


async def _store(connection: Connection, waiting: Waiting, event: InboundTextEvent) -> Inbound | None:
    """None: it is there already."""
    body = clean_text(event.body)[:MAX_BODY_CHARACTERS]
    size = count(body)
    message_id = new_id()
    stored = await connection.fetchval(
        "insert into messages (id, organization_id, direction, origin, carrier_account_id, carrier_message_id, sender,"
        "  from_number, to_number, body, encoding, segments, media_count, status, messaging_service_id, send_at,"
        "  created_at, finished_at)"
        " values ($1, $2, 'inbound', 'carrier', $3, $4, $5, $5, $6, $7, $8, $9, $10, 'received',"
        "  (select id from messaging_services"
        "   where organization_id = $2 and carrier_account_id = $3 and external_id = $11), $12, $12, $12)"
        " on conflict (carrier_account_id, carrier_message_id) do nothing returning id",
        message_id,
        waiting.organization_id,
        waiting.account_id,
        event.carrier_message_id,
        event.from_number,
        event.to_number,
        body,
        size.encoding,
        size.segments,
        len(event.media),
        event.messaging_service,
        waiting.received_at,
    )
    return None if stored is None else Inbound(stored, waiting.organization_id)
