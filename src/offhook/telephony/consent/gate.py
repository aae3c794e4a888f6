"""The gate: asked about every text inside the transaction that claims it, last before the send."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from offhook.core.db.pool import Connection
from offhook.telephony.consent import queries
from offhook.telephony.messages.models import Message


@dataclass(frozen=True, slots=True)
class Held:
    """Not now. `reason`: quiet_hours, recipient_cap or daily_cap; `sentence` says why and when, for the operator."""

    until: datetime
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Never: the text is canceled. `code`: suppressed."""

    code: str
    sentence: str


OPTED_OUT = Withdrawn("suppressed", "Not sent: the recipient has opted out of texts.")


class Gate:
    """Who may be texted at this moment."""

    async def judge(self, connection: Connection, messages: Sequence[Message]) -> Mapping[uuid.UUID, Held | Withdrawn]:
        """Those of one organization's texts that may not go now; the others may.

        Call it inside the claim's transaction, before any row of `messages` is changed: texts judged free in one call
        count towards each other's caps, and others who judge wait until this transaction ends.
        """
        if not messages:
            return {}
        numbers = {message.to_number for message in messages}
        suppressed = await queries.suppressed_among(connection, messages[0].organization_id, numbers)
        return {message.id: OPTED_OUT for message in messages if message.to_number in suppressed}
