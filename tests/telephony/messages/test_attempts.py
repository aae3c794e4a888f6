"""When attempts start: behind those of their sender's lane, and of their account's."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any, cast

from fixtures.telephony import FROM, TO, World
from offhook.telephony.messages.attempts import Attempts, Cost
from offhook.telephony.messages.models import Message, NewText
from offhook.telephony.messages.sending import Turn


@dataclass
class Starts:
    """In place of the sending: notes when each text would have gone, and which gave up its slot."""

    at: list[float] = field(default_factory=list)
    given_up: int = 0

    async def attempt(self, _: Message, turn: Turn) -> bool:
        if await turn():
            self.at.append(asyncio.get_running_loop().time())
        else:
            self.given_up += 1
        return True


async def test_texts_of_many_senders_that_are_late_start_as_far_apart_as_their_account_allows(world: World) -> None:
    await world.execute("update carrier_accounts set total_per_second = 20")
    senders = [FROM, *(f"+1202555{2000 + n}" for n in range(9))]
    for number in senders[1:]:
        await world.telephony.phone_numbers.create(world.organization_id, number, carrier_account_id=world.account_id)
    place = world.telephony.messaging.place
    texts = [await place(NewText(world.organization_id, "api", TO, "Late", from_number=one)) for one in senders]

    await world.execute(
        "insert into lanes (organization_id, carrier_account_id, sender) values ($1, $2, '')",
        world.organization_id,
        world.account_id,
    )
    await world.execute("update lanes set next_at = now() - interval '1 hour'")
    starts = Starts()
    attempts = Attempts(world.database, cast(Any, starts), cast(Any, None))
    loop = asyncio.get_running_loop()
    before = loop.time()
    with attempts.rooms.room(world.account_id) as room:
        room.take(len(texts))
        for number, text in enumerate(texts):  # claimed so late that all of their slots have passed
            attempts.launch(room, text, before - 1.0 + number * 0.05, Cost(sender=0.5, total=0.05))
    await asyncio.gather(*(task for text in texts if (task := attempts.find(text.id)) is not None))
    await attempts.close()

    gaps = [after - earlier for earlier, after in itertools.pairwise(starts.at)]
    assert min(gaps) > 0.05 - 0.006  # a timer's lateness costs those behind it nothing
    assert len(starts.at) + starts.given_up == len(texts)
    assert len(starts.at) > 1
    async with world.database.system("a test") as connection:
        moved = await connection.fetchval("select count(*) from lanes where next_at > now() - interval '1 minute'")
    assert moved == len(starts.at) + 1  # those senders' lanes, and the account's
