"""Which texts may go at this moment, and until when the others wait."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fixtures.calls import make_conversation
from fixtures.tenants import insert
from offhook.core.clock import ManualClock
from offhook.core.db.pool import Database
from offhook.telephony.consent.gate import Gate, Held, Withdrawn, cap_frees
from offhook.telephony.consent.texting import check_texting
from offhook.telephony.messages.models import MESSAGE_COLUMNS, Message, Priority, message_of
from offhook.telephony.messages.releasing import rules_changed

FROM, TO, OTHER_TO = "+12025550100", "+12025550140", "+12025550141"
TOLL_FREE = "+18005550199"
NOON = datetime(2026, 1, 5, 17, 0, tzinfo=UTC)
NIGHT = datetime(2026, 1, 6, 3, 0, tzinfo=UTC)  # 22:00 in New York
MORNING = datetime(2026, 1, 6, 13, 0, tzinfo=UTC)  # 08:00 there
AWAKE: Mapping[str, Any] = {"quiet_hours": None, "recipient_daily_cap": None, "daily_segments": None}


@dataclass
class Desk:
    """An organization's queue and its gate, at a time that the test sets."""

    database: Database
    organization_id: uuid.UUID
    account_id: uuid.UUID
    now: datetime = NOON

    async def configure(self, **texting: Any) -> None:
        async with self.database.tenant(self.organization_id) as connection:
            await connection.execute(
                "update organizations set settings = $2 where id = $1",
                self.organization_id,
                {"texting": check_texting(texting)},
            )

    async def queue(self, to: str = TO, **more: Any) -> uuid.UUID:
        """A queued text; `went`: one that was handed over then."""
        went: datetime | None = more.pop("went", None)
        row: dict[str, Any] = {
            "id": uuid.uuid4(),
            "organization_id": self.organization_id,
            "direction": "outbound",
            "origin": "api",
            "carrier_account_id": self.account_id,
            "sender": FROM,
            "from_number": FROM,
            "to_number": to,
            "body": "b",
            "encoding": "GSM-7",
            "segments": 1,
            "status": "queued" if went is None else "delivered",
            "attempt_started_at": went,
            "created_at": self.now,
            **more,
        }
        async with self.database.tenant(self.organization_id) as connection:
            await insert(connection, "messages", row)
        return row["id"]

    async def conversation(
        self, person: str | None, opened: datetime, closed: datetime | None = None, *, channel: str = "room"
    ) -> uuid.UUID:
        made = await make_conversation(self.database, self.organization_id)
        async with self.database.tenant(self.organization_id) as connection:
            await connection.execute(
                "update conversations set person_number = $2, opened_at = $3, closed_at = $4, channel = $5"
                " where id = $1",
                made.conversation_id,
                person,
                opened,
                closed,
                channel,
            )
        return made.conversation_id

    async def judge(self, *ids: uuid.UUID, claim: bool = False, pause: asyncio.Event | None = None) -> list[Any]:
        """The verdict on each text, None for free; `claim`: free ones go, as the pump lets them."""
        async with self.database.system("a test judges texts") as connection:
            rows = await connection.fetch(f"select {MESSAGE_COLUMNS} from messages where id = any($1)", list(ids))
            by_id = {row["id"]: message_of(row) for row in rows}
            messages: list[Message] = [by_id[one] for one in ids]
            verdicts = await Gate(ManualClock(self.now)).judge(connection, messages)
            if claim:
                await connection.execute(
                    "update messages set status = 'sending', attempt = attempt + 1, attempt_started_at = $2"
                    " where id = any($1)",
                    [one for one in ids if one not in verdicts],
                    self.now,
                )
            if pause is not None:
                await pause.wait()
        return [verdicts.get(one) for one in ids]

    async def held(self, message_id: uuid.UUID) -> Held:
        [verdict] = await self.judge(message_id)
        assert isinstance(verdict, Held), verdict
        return verdict


@pytest.fixture
async def desk(database: Database, organization: uuid.UUID) -> Desk:
    made = Desk(database, organization, uuid.uuid4())
    row = {"carrier": "twilio", "external_account_id": "AC1", "credentials": b"c"}
    async with database.tenant(organization) as connection:
        await insert(connection, "carrier_accounts", {"id": made.account_id, "organization_id": organization, **row})
    return made


# The suppression list


async def test_nothing_is_judged_where_nothing_is_asked(desk: Desk) -> None:
    assert await desk.judge() == []


async def test_a_number_that_opted_out_is_withdrawn_at_any_hour_whoever_it_is(desk: Desk) -> None:
    await desk.configure(**{**AWAKE, "own_numbers": [TO]})
    message, other = await desk.queue(), await desk.queue(OTHER_TO)
    async with desk.database.tenant(desk.organization_id) as connection:
        await connection.execute("insert into suppressions values ($1, $2, 'keyword')", desk.organization_id, TO)
    assert await desk.judge(message, other) == [
        Withdrawn("suppressed", "Not sent: the recipient has opted out of texts."),
        None,
    ]


async def test_an_opt_out_of_another_organization_is_not_ours(desk: Desk, other_organization: uuid.UUID) -> None:
    async with desk.database.tenant(other_organization) as connection:
        await connection.execute("insert into suppressions values ($1, $2, 'keyword')", other_organization, TO)
    assert await desk.judge(await desk.queue()) == [None]


# Quiet hours


async def test_a_text_at_night_waits_for_the_morning_and_says_so(desk: Desk) -> None:
    await desk.configure()
    desk.now = NIGHT
    held = await desk.held(await desk.queue())
    assert (held.until, held.reason) == (MORNING, "quiet_hours")
    assert held.sentence == (
        "Held: for the recipient it is 22:00 (America/New_York), within the quiet hours 21:00–08:00."
        " It goes at 2026-01-06 08:00 (America/New_York)."
    )
    desk.now = MORNING
    assert await desk.judge(await desk.queue()) == [None]


async def test_the_recipients_own_zone_counts_more_than_the_area_code(desk: Desk) -> None:
    await desk.configure()
    desk.now = NIGHT
    assert await desk.judge(await desk.queue(recipient_time_zone="America/Los_Angeles")) == [None]
    assert (await desk.held(await desk.queue(recipient_time_zone="Asia/Tokyo-ish"))).until == MORNING


async def test_a_number_without_a_zone_has_the_organizations(desk: Desk) -> None:
    await desk.configure(time_zone="America/New_York")
    desk.now = NIGHT
    held = await desk.held(await desk.queue(TOLL_FREE))
    assert held.until == MORNING
    assert "does not tell where the recipient is, and by the organization's clock it is 22:00" in held.sentence
    desk.now = NOON
    assert await desk.judge(await desk.queue(TOLL_FREE)) == [None]


async def test_where_nobody_knows_the_zone_the_sentence_says_what_to_do_and_the_wait_has_an_end(desk: Desk) -> None:
    await desk.configure()
    message = await desk.queue(TOLL_FREE)
    held = await desk.held(message)
    assert (held.until, held.reason) == (desk.now + timedelta(hours=24), "time_zone_unknown")
    assert "texting.time_zone" in held.sentence
    assert "recipient_time_zone" in held.sentence
    desk.now = held.until
    [verdict] = await desk.judge(message)
    assert isinstance(verdict, Withdrawn)
    assert verdict.code == "time_zone_unknown"


async def test_a_number_that_may_be_anywhere_waits_until_all_are_awake(desk: Desk) -> None:
    await desk.configure()
    anywhere = await desk.queue("+19995550140")  # of an area code that nobody has
    held = await desk.held(anywhere)
    assert held.until == datetime(2026, 1, 5, 22, 0, tzinfo=UTC)
    assert "America/Adak" in held.sentence
    desk.now = held.until
    assert await desk.judge(anywhere) == [None]


async def test_own_people_are_texted_at_night(desk: Desk) -> None:
    await desk.configure(own_numbers=[TO])
    desk.now = NIGHT
    assert await desk.judge(await desk.queue()) == [None]
    assert (await desk.held(await desk.queue(OTHER_TO))).reason == "quiet_hours"


@pytest.mark.parametrize(("hours", "free"), [(1, True), (23.9, True), (24.1, False)])
async def test_a_reply_within_24_hours_is_exempt(desk: Desk, hours: float, free: bool) -> None:
    await desk.configure()
    desk.now = NIGHT
    came = {"direction": "inbound", "status": "received", "created_at": NIGHT - timedelta(hours=hours)}
    await desk.queue(FROM, from_number=TO, sender=TO, **came)
    assert (await desk.judge(await desk.queue()) == [None]) is free
    assert (await desk.held(await desk.queue(OTHER_TO))).until == MORNING


@pytest.mark.parametrize(
    ("person", "closed", "origin", "age_minutes", "free"),
    [
        (TO, None, "tool", 0, True),
        (TO, None, "livekit", 0, True),
        (TO, 5, "tool", 0, True),  # closed after the text was asked for
        (TO, -9, "tool", 0, True),
        (TO, -11, "tool", 0, False),
        (TO, None, "api", 0, True),
        (TO, -11, "api", 0, False),
        (OTHER_TO, None, "tool", 0, False),
        (None, None, "tool", 0, False),
        (TO, None, "tool", 61, False),  # nobody waits for it any more
    ],
)
async def test_the_person_of_a_conversation_is_texted_at_night(
    desk: Desk, person: str | None, closed: int | None, origin: str, age_minutes: int, free: bool
) -> None:
    await desk.configure()
    desk.now = NIGHT
    asked = NIGHT - timedelta(minutes=age_minutes)
    ended = None if closed is None else asked + timedelta(minutes=closed)
    conversation = await desk.conversation(person, asked - timedelta(minutes=10), ended)
    message = await desk.queue(origin=origin, created_at=asked, conversation_id=conversation)
    assert (await desk.judge(message) == [None]) is free


@pytest.mark.parametrize(("closed", "free"), [(None, True), (1, True), (-9, True), (-11, False)])
async def test_the_caller_of_a_call_that_is_no_conversation_of_ours_too(
    desk: Desk, closed: int | None, free: bool
) -> None:
    await desk.configure()
    desk.now = NIGHT
    call = {
        "id": uuid.uuid4(),
        "organization_id": desk.organization_id,
        "room_name": "room",
        "client_phone": TO,
        "opened_at": NIGHT - timedelta(minutes=5),
        "closed_at": None if closed is None else NIGHT + timedelta(minutes=closed),
    }
    async with desk.database.tenant(desk.organization_id) as connection:
        await insert(connection, "voice_calls", call)
    assert (await desk.judge(await desk.queue(origin="livekit")) == [None]) is free


@pytest.mark.parametrize(("origin", "free"), [("tool", True), ("api", False)])
async def test_a_conversation_in_texts_is_no_live_call(desk: Desk, origin: str, free: bool) -> None:
    await desk.configure()
    desk.now = NIGHT
    conversation = await desk.conversation(TO, NIGHT - timedelta(days=9), channel="sms")
    message = await desk.queue(origin=origin, conversation_id=conversation)
    assert (await desk.judge(message) == [None]) is free


async def test_a_campaign_is_no_reply(desk: Desk) -> None:
    await desk.configure()
    desk.now = NIGHT
    await desk.queue(
        TO,
        direction="inbound",
        from_number=TO,
        to_number=FROM,
        status="received",
        created_at=NIGHT - timedelta(hours=1),
    )
    reply, campaign = await desk.queue(), await desk.queue(priority=Priority.CAMPAIGN)
    assert [verdict is None for verdict in await desk.judge(reply, campaign)] == [True, False]


async def test_a_text_that_expires_before_it_may_go_says_so(desk: Desk) -> None:
    await desk.configure()
    desk.now = NIGHT
    held = await desk.held(await desk.queue(expires_at=NIGHT + timedelta(hours=2)))
    assert held.until == MORNING
    assert held.sentence.endswith(
        "It is canceled at 2026-01-06 00:00 (America/New_York), before it could go: it may not wait any longer."
    )


# Texts to one person


async def test_a_person_gets_so_many_texts_in_24_hours_and_the_next_when_the_first_is_a_day_old(desk: Desk) -> None:
    await desk.configure(**{**AWAKE, "recipient_daily_cap": 2, "time_zone": "America/New_York"})
    oldest = desk.now - timedelta(hours=23)
    await desk.queue(went=oldest)
    await desk.queue(went=desk.now - timedelta(hours=25))
    await desk.queue(OTHER_TO, went=oldest)
    first, second, other = await desk.queue(), await desk.queue(), await desk.queue(OTHER_TO)
    verdicts = await desk.judge(first, second, other, claim=True)
    assert [verdicts[0], verdicts[2]] == [None, None]
    assert isinstance(verdicts[1], Held)
    assert (verdicts[1].until, verdicts[1].reason) == (oldest + timedelta(hours=24), "recipient_cap")
    assert "It goes at 2026-01-05 13:00 (America/New_York) at the earliest." in verdicts[1].sentence
    desk.now = verdicts[1].until - timedelta(microseconds=1)
    assert (await desk.held(second)).until == oldest + timedelta(hours=24)
    desk.now = verdicts[1].until
    assert await desk.judge(second) == [None]


async def test_more_at_once_than_the_limit_wait_for_a_day(desk: Desk) -> None:
    await desk.configure(**{**AWAKE, "recipient_daily_cap": 2})
    verdicts = await desk.judge(*[await desk.queue() for _ in range(4)])
    assert verdicts[:2] == [None, None]
    assert [verdict.until for verdict in verdicts[2:]] == [desk.now + timedelta(hours=24)] * 2


async def test_what_was_not_sent_takes_up_no_place_and_what_may_have_been_does(desk: Desk) -> None:
    await desk.configure(**{**AWAKE, "recipient_daily_cap": 1})
    await desk.queue(went=desk.now, status="canceled")
    await desk.queue(went=desk.now, status="queued")  # an attempt that was not carried out
    await desk.queue(OTHER_TO, went=desk.now, status="failed")
    mine, other = await desk.judge(await desk.queue(), await desk.queue(OTHER_TO))
    assert mine is None
    assert isinstance(other, Held)


async def test_own_people_are_not_flooded_either(desk: Desk) -> None:
    await desk.configure(**{**AWAKE, "recipient_daily_cap": 1, "own_numbers": [TO]})
    assert await desk.judge(await desk.queue(), claim=True) == [None]
    assert (await desk.held(await desk.queue())).reason == "recipient_cap"


@pytest.mark.parametrize(
    ("gone", "cap", "expected"),
    [
        (0, 1, [None, 24]),
        (1, 1, [1, 1]),
        (0, 3, [None, None, None, 24, 24]),
        (2, 3, [None, 1, 1, 1]),
        (3, 3, [1, 1]),
        (5, 3, [3, 3]),
        (5, 9, [None, None]),
    ],
)
def test_the_limit_frees_a_place_when_the_text_in_its_last_one_is_a_day_old(
    gone: int, cap: int, expected: list[int | None]
) -> None:
    """Texts went 23, 22, … hours ago; `expected` in hours from now, for each of the texts wanted."""
    went = [NOON - timedelta(hours=24 - hour) for hour in range(gone, 0, -1)]
    wanted = len(expected)
    crowding = went[max(cap - wanted, 0) : cap]
    found = list[int | None]()
    for _ in expected:
        until = cap_frees(crowding, wanted, cap, found.count(None), NOON)
        found.append(None if until is None else round((until - NOON) / timedelta(hours=1)))
    assert found == expected


# The organization's day


async def test_the_days_segments_are_used_up_until_midnight_there(desk: Desk) -> None:
    await desk.configure(**{**AWAKE, "daily_segments": 10, "time_zone": "America/New_York"})
    await desk.queue(went=desk.now - timedelta(hours=1), segments=4)
    await desk.queue(went=desk.now - timedelta(hours=13), segments=50)  # yesterday, there
    long, longer, short = [await desk.queue(segments=segments) for segments in (3, 8, 3)]
    verdicts = await desk.judge(long, longer, short, claim=True)
    assert [verdicts[0], verdicts[2]] == [None, None]
    assert isinstance(verdicts[1], Held)
    assert (verdicts[1].until, verdicts[1].reason) == (datetime(2026, 1, 6, 5, 0, tzinfo=UTC), "daily_cap")
    assert "10 segments" in verdicts[1].sentence
    assert isinstance((await desk.judge(await desk.queue()))[0], Held)
    desk.now = verdicts[1].until
    assert await desk.judge(longer) == [None]


async def test_a_text_longer_than_the_limit_goes_as_the_first_of_a_day(desk: Desk) -> None:
    await desk.configure(**{**AWAKE, "daily_segments": 2})
    long, next_one = await desk.queue(segments=5), await desk.queue()
    verdicts = await desk.judge(long, next_one, claim=True)
    assert verdicts[0] is None
    assert isinstance(verdicts[1], Held)
    assert verdicts[1].until == datetime(2026, 1, 6, tzinfo=UTC)


async def test_another_attempt_on_the_same_day_counts_once(desk: Desk) -> None:
    await desk.configure(**{**AWAKE, "daily_segments": 2})
    again, new = await desk.queue(), await desk.queue()
    assert await desk.judge(again, claim=True) == [None]
    async with desk.database.system("a test") as connection:
        await connection.execute("update messages set status = 'queued' where id = $1", again)
    assert await desk.judge(again, new, claim=True) == [None, None]


async def test_texts_that_wait_for_another_attempt_keep_their_place_in_the_day(desk: Desk) -> None:
    await desk.configure(**{**AWAKE, "daily_segments": 3})
    texts = [await desk.queue() for _ in range(8)]
    went: set[uuid.UUID] = set()
    for _ in range(3):  # the carrier refuses for now, over and over
        for text in texts:
            if await desk.judge(text, claim=True) == [None]:
                went.add(text)
                async with desk.database.system("a carrier refuses for now") as connection:
                    await connection.execute("update messages set status = 'queued' where id = $1", text)
    assert len(went) == 3


async def test_a_day_that_begins_at_another_moment_is_counted_anew(desk: Desk) -> None:
    await desk.configure(**{**AWAKE, "daily_segments": 2, "time_zone": "Pacific/Auckland"})
    await desk.queue(went=desk.now - timedelta(hours=7))  # 23:00 there, of the day before
    await desk.queue(went=desk.now - timedelta(hours=7))
    assert await desk.judge(await desk.queue(), claim=True) == [None]
    await desk.configure(**{**AWAKE, "daily_segments": 2, "time_zone": "Pacific/Kiritimati"})  # 00:00 of the same day
    assert (await desk.held(await desk.queue())).reason == "daily_cap"


async def test_a_limit_that_was_off_for_a_while_counts_what_went_meanwhile(desk: Desk) -> None:
    limited = {**AWAKE, "daily_segments": 10}
    await desk.configure(**limited)
    assert await desk.judge(await desk.queue(), claim=True) == [None]
    await desk.configure(**AWAKE)
    await desk.queue(went=desk.now, segments=9)
    await desk.configure(**limited)
    async with desk.database.tenant(desk.organization_id) as connection:
        await rules_changed(connection, desk.organization_id)
    assert (await desk.held(await desk.queue())).reason == "daily_cap"


async def test_what_waits_for_midnight_waits_for_the_morning_too(desk: Desk) -> None:
    await desk.configure(daily_segments=1, time_zone="America/New_York")
    assert await desk.judge(await desk.queue(), claim=True) == [None]
    held = await desk.held(await desk.queue())
    assert (held.until, held.reason) == (MORNING, "daily_cap")
    assert "It goes at 2026-01-06 08:00 (America/New_York) at the earliest." in held.sentence


async def test_what_was_judged_free_and_never_claimed_is_not_counted_against_the_limit(desk: Desk) -> None:
    await desk.configure(**{**AWAKE, "daily_segments": 2})
    assert await desk.judge(await desk.queue(), await desk.queue()) == [None, None]  # and its process died
    async with desk.database.system("a test") as connection:
        await connection.execute("update messages set status = 'canceled'")
    assert await desk.judge(await desk.queue(), await desk.queue()) == [None, None]


async def test_a_limit_that_is_set_in_the_middle_of_a_day_counts_the_whole_day(desk: Desk) -> None:
    await desk.queue(went=desk.now - timedelta(hours=2), segments=9)
    await desk.configure(**{**AWAKE, "daily_segments": 10})
    assert await desk.judge(await desk.queue(), claim=True) == [None]
    assert (await desk.held(await desk.queue())).reason == "daily_cap"


# All together


async def test_a_text_that_waits_for_the_morning_takes_up_nobodys_place(desk: Desk) -> None:
    await desk.configure(daily_segments=1, recipient_daily_cap=1, own_numbers=[OTHER_TO])
    desk.now = NIGHT
    verdicts = await desk.judge(await desk.queue(), await desk.queue(OTHER_TO))
    assert isinstance(verdicts[0], Held)
    assert (verdicts[0].reason, verdicts[1]) == ("quiet_hours", None)


@pytest.mark.parametrize("limit", ["recipient_daily_cap", "daily_segments"])
async def test_limits_hold_over_all_who_claim_at_once(desk: Desk, limit: str) -> None:
    await desk.configure(**{**AWAKE, limit: 5})
    texts = [await desk.queue() for _ in range(24)]
    verdicts = await asyncio.gather(*(desk.judge(*texts[n : n + 3], claim=True) for n in range(0, 24, 3)))
    assert sum(verdict is None for batch in verdicts for verdict in batch) == 5


async def test_organizations_do_not_wait_for_each_other(desk: Desk, other_organization: uuid.UUID) -> None:
    await desk.configure(**{**AWAKE, "recipient_daily_cap": 5})
    neighbour = Desk(desk.database, other_organization, uuid.uuid4())
    row = {"carrier": "twilio", "external_account_id": "AC1", "credentials": b"c"}
    async with desk.database.tenant(other_organization) as connection:
        account = {"id": neighbour.account_id, "organization_id": other_organization, **row}
        await insert(connection, "carrier_accounts", account)
    await neighbour.configure(**{**AWAKE, "recipient_daily_cap": 5})
    done = asyncio.Event()
    slow = asyncio.create_task(desk.judge(await desk.queue(), claim=True, pause=done))
    assert await asyncio.wait_for(neighbour.judge(await neighbour.queue()), 5) == [None]
    done.set()
    assert await slow == [None]
