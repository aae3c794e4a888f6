"""What a carrier tells of a text, written down and acted on: in its answer, in its list, in a callback, when asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from offhook.core.db.pool import Connection
from offhook.telephony.carrier import Carrier, CarrierMessage, MessageStatusEvent
from offhook.telephony.messages import queries
from offhook.telephony.messages.models import Message
from offhook.telephony.messages.refusals import apply_refusal

ENDED_BADLY: Final = frozenset({"failed", "undelivered"})
_NO_REASON: Final = "The carrier did not deliver it, and gave no reason."


@dataclass(frozen=True, slots=True)
class Told:
    """A status, and what came with it."""

    carrier_message_id: str
    status: str
    error_code: str | None = None
    from_number: str | None = field(default=None, repr=False)
    price: Decimal | None = None
    price_currency: str | None = None

    @classmethod
    def by(cls, source: CarrierMessage | MessageStatusEvent) -> Told:
        priced = source if isinstance(source, CarrierMessage) else None
        return cls(
            source.carrier_message_id,
            source.status,
            source.error_code,
            source.from_number,
            priced and priced.price,
            priced and priced.price_currency,
        )


async def accept(
    connection: Connection, message: Message, told: CarrierMessage, carrier: Carrier, decision: str | None = None
) -> bool:
    """The carrier has it; one that has ended badly already is acted on like one that ends so later. False if this
    attempt is no longer the message's. Raises `queries.TAKEN`."""
    ended_badly = told.status in ENDED_BADLY
    first = replace(told, status="accepted") if ended_badly else told
    accepted = await queries.record_accepted(connection, message, first, decision)
    if accepted and ended_badly:
        await hear(connection, message, Told.by(told), carrier)
    return accepted


async def hear(connection: Connection, message: Message, told: Told, carrier: Carrier) -> None:
    """A status; what was known already, or is older, changes nothing. An error is acted on once, by whichever way it
    is told first."""
    refusal = carrier.refusal_of(told.error_code) if told.error_code else None
    sentence = refusal.sentence if refusal else _NO_REASON if told.status in ENDED_BADLY else None
    moved = await queries.move_forward(
        connection,
        message,
        told.carrier_message_id,
        told.status,
        told.error_code,
        sentence,
        from_number=told.from_number,
        price=told.price,
        price_currency=told.price_currency,
    )
    if moved and refusal is not None:
        await apply_refusal(connection, message, refusal)
