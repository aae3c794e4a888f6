"""Who goes first, what waits, what is stopped and started; and that nobody is forgotten."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from fixtures.jobs import JobsProcess, running_jobs
from fixtures.telephony import FROM, OTHER_TO, TO, World
from offhook.core.db import jobs
from offhook.core.errors import Conflict, Effect
from offhook.core.http.paging import Page
from offhook.core.texts import PLAIN
from offhook.emulator import DEFAULT_ACCOUNT_SID
from offhook.telephony.carrier import (
    Carrier,
    CarrierAccount,
    CarrierMessage,
    CarrierRefused,
    OutboundText,
    Refusal,
    Treatment,
)
from offhook.telephony.messages import lanes
from offhook.telephony.messages.attempts import MAX_PER_ACCOUNT
from offhook.telephony.messages.lanes import LaneKey
from offhook.telephony.messages.models import Message, NewText, Priority
from offhook.telephony.messages.placing import RECONCILE
from offhook.telephony.messages.refusals import apply_refusal
from offhook.telephony.messages.stops import start_account

OTHER_FROM = "+12025550101"


def text(world: World, body: str, *, to: str = TO, sender: str | None = None, **options: object) -> NewText:
    return NewText(world.organization_id, "api", to, body, from_number=sender, options=replace(PLAIN, **options))


async def placed(world: World, *texts: NewText) -> list[Message]:
    return [await world.telephony.messaging.place(one) for one in texts]


async def pace(world: World, messages_per_second: float) -> None:
    await world.execute("update carrier_accounts set messages_per_second = $1", messages_per_second)


async def slots(world: World) -> list[Message]:
    """The messages in the order in which they went."""
    return sorted(
        (message for message in await world.messages() if message.attempt_started_at is not None),
        key=lambda message: (message.attempt_started_at, message.id),
    )


def ended(world: World, count: int) -> Callable[[], Awaitable[bool]]:
    async def all_ended() -> bool:
        found = await world.messages()
        return len(found) >= count and all(message.status not in ("queued", "sending") for message in found)

    return all_ended


# Who goes first -------------------------------------------------------------------------------------------------------


async def test_a_reply_goes_before_a_campaign_that_was_placed_before_it(world: World) -> None:
    await pace(world, 5.0)
    await placed(world, *(text(world, f"Campaign {n}", priority=Priority.CAMPAIGN) for n in range(6)))
    await placed(world, text(world, "Normal"), text(world, "Reply", priority=Priority.CONVERSATION))
    async with world.working():
        await world.until(ended(world, 8), 20)
    assert [message.body for message in await slots(world)] == [
        "Reply", "Normal", *(f"Campaign {n}" for n in range(6))
    ]  # fmt: skip


async def test_who_waits_for_a_text_has_it_sent_past_a_queue_without_any_job(world: World) -> None:
    await placed(world, *(text(world, f"Campaign {n}", priority=Priority.CAMPAIGN) for n in range(20)))
    wish = replace(world.wish("Mine"), options=replace(PLAIN, priority=Priority.CONVERSATION))
    receipt = await world.telephony.messaging.text(wish)
    assert receipt.effect is Effect.DONE
    assert [message.body for message in await slots(world)] == ["Mine"]


async def test_parts_and_equals_go_in_the_order_of_asking(world: World) -> None:
    await pace(world, 100.0)
    await placed(world, *(text(world, f"{n}") for n in range(12)))
    async with world.working():
        await world.until(ended(world, 12))
    assert [message.body for message in await slots(world)] == [f"{n}" for n in range(12)]


async def test_the_account_holds_its_own_rate_over_all_its_senders(world: World) -> None:
    await world.telephony.phone_numbers.create(world.organization_id, OTHER_FROM, carrier_account_id=world.account_id)
    account = world.emulator.store.accounts[DEFAULT_ACCOUNT_SID]
    object.__setattr__(account, "numbers", (*account.numbers, OTHER_FROM))
    await world.execute("update carrier_accounts set total_per_second = 20")
    senders = (FROM, OTHER_FROM)
    await asyncio.gather(
        *(world.telephony.messaging.place(text(world, f"{n}", sender=senders[n % 2])) for n in range(20))
    )
    async with world.working():
        await world.until(ended(world, 20))
    started = [m.attempt_started_at for m in await slots(world) if m.attempt_started_at]
    assert min(after - before for before, after in itertools.pairwise(started)) >= timedelta(
        seconds=0.05, microseconds=-2
    )


# Nobody is forgotten --------------------------------------------------------------------------------------------------


async def test_texts_placed_while_pumps_come_and_go_are_all_sent(world: World) -> None:
    async def asker(number: int) -> None:
        for turn in range(12):
            await world.telephony.messaging.place(text(world, f"{number}.{turn}", to=(TO, OTHER_TO)[number % 2]))
            await asyncio.sleep(0.004 * (number + 1))  # so that the lane runs empty now and then

    async with world.working(), world.working():
        await asyncio.gather(*(asker(number) for number in range(8)))
        await world.until(ended(world, 96), 20)
    assert len(await world.phone()) + len(await world.phone(OTHER_TO)) == 96


async def test_a_killed_pump_is_taken_over_and_nothing_is_lost_or_doubled(
    world: World, database_dsn: str, tmp_path: Path
) -> None:
    await pace(world, 20.0)
    await asyncio.gather(*(world.telephony.messaging.place(text(world, f"{n}")) for n in range(60)))
    first = JobsProcess(database_dsn, tmp_path / "media", carrier_url=world.emulator.url)
    await first.start()

    async def under_way() -> bool:
        return len(await world.phone()) > 5

    await world.until(under_way)
    await first.kill()
    async with running_jobs(2, database_dsn, tmp_path / "media", world.emulator.url):
        # What it had claimed is found out once an attempt's longest time is over: not waited for here.
        await world.execute(
            "update messages set attempt_started_at = attempt_started_at - interval '1 minute'"
            " where status = 'sending' and carrier_message_id is null"
        )
        await world.execute(
            "update pgqueuer set execute_after = now() - interval '1 second'"
            " where entrypoint = 'messages.reconcile' and status = 'queued'"
        )
        await world.until(ended(world, 60), 30)
    assert sorted(arrived["body"] for arrived in await world.phone()) == sorted(f"{n}" for n in range(60))


async def test_a_pump_that_is_stopped_while_it_waits_gives_its_lane_to_another(world: World) -> None:
    await pace(world, 1.0)
    await placed(world, text(world, "First"), text(world, "Second"))
    async with world.working():

        async def first_went() -> bool:
            return len(await slots(world)) == 1

        await world.until(first_went)
    async with world.working():
        await world.until(ended(world, 2))


async def test_lanes_that_nobody_looks_after_are_found_by_the_sweep(world: World) -> None:
    await placed(world, text(world, "Restored from a backup"))
    await world.execute("delete from pgqueuer")
    await world.execute("update lanes set pump_at = pump_at - interval '2 minutes'")
    async with world.working():
        sweeping = asyncio.create_task(world.telephony.pump.sweep())
        await world.until(ended(world, 1))
        sweeping.cancel()


async def test_a_text_under_way_whose_guard_is_gone_is_found_by_the_sweep(world: World) -> None:
    [lost, fresh, guarded] = await placed(world, *(text(world, body) for body in ("Lost", "Fresh", "Guarded")))
    await world.execute("delete from pgqueuer")
    await world.execute("update lanes set pump_at = null")
    await world.execute(
        "update messages set status = 'sending', attempt = 1, attempt_started_at ="
        " now() - case when id = $1 then interval '0' else interval '3 minutes' end",
        fresh.id,
    )
    async with world.database.system("a test") as connection:
        await jobs.enqueue(connection, RECONCILE, guarded.id)
        assert await lanes.guard_again(connection) == 1
        assert await lanes.guard_again(connection) == 0
    async with world.working():
        await world.until_status(lost.id, "delivered")


async def test_a_lane_has_one_job_however_many_texts_wait(world: World) -> None:
    await pace(world, 0.01)
    await asyncio.gather(*(world.telephony.messaging.place(text(world, f"{n}")) for n in range(100)))
    async with world.database.system("a test") as connection:
        assert await connection.fetchval("select count(*) from pgqueuer where entrypoint = 'lanes.pump'") == 1


async def test_an_endpoint_that_answers_nobody_holds_only_so_many_attempts(world: World) -> None:
    await world.fault("latency", seconds=3.0, count=None)
    await asyncio.gather(*(world.telephony.messaging.place(text(world, f"{n}")) for n in range(80)))
    most = 0

    async def several_seen() -> bool:
        nonlocal most
        sending = [message for message in await world.messages() if message.status == "sending"]
        most = max(most, len(sending))
        return most >= MAX_PER_ACCOUNT

    async with world.working():
        await world.until(several_seen)
        await asyncio.sleep(0.3)  # in which more would have been taken
        await several_seen()
        assert most == MAX_PER_ACCOUNT


# Holds, validity, taking back -----------------------------------------------------------------------------------------


async def test_a_text_is_held_for_quiet_hours_and_goes_when_they_are_over(world: World) -> None:
    await _texting(world, '{"quiet_hours": {"from": "00:00", "to": "23:59"}}')
    [message] = await placed(world, text(world, "Good night"))
    async with world.working():

        async def held() -> bool:
            return (await world.message(message.id)).hold_reason is not None

        await world.until(held)
        waiting = await world.message(message.id)
        assert (waiting.status, waiting.hold_reason) == ("queued", "quiet_hours")
        assert waiting.not_before is not None
        assert waiting.send_at >= waiting.not_before
        assert (waiting.decision or "").startswith("Held")
        await _texting(world, '{"quiet_hours": null}')
        await world.execute("update messages set not_before = clock_timestamp()")
        await world.execute("update lanes set pump_at = null")
        sweeping = asyncio.create_task(world.telephony.pump.sweep())
        sent = await world.until_status(message.id, "delivered")
        sweeping.cancel()
    assert (sent.hold_reason, sent.decision) == (None, None)


async def test_who_waits_for_a_text_is_told_of_its_hold_at_once(world: World) -> None:
    await _texting(world, '{"quiet_hours": {"from": "00:00", "to": "23:59"}}')
    receipt = await asyncio.wait_for(world.telephony.messaging.text(world.wish("Good night")), 4)
    assert (receipt.status, receipt.effect, receipt.hold_reason) == ("queued", Effect.NONE, "quiet_hours")
    assert receipt.held_until is not None


async def test_a_text_that_has_waited_too_long_is_canceled_wherever_it_stands(world: World) -> None:
    await pace(world, 0.5)
    await placed(world, *(text(world, f"{n}") for n in range(3)))
    [late] = await placed(world, text(world, "Late", validity_seconds=1))
    async with world.working():
        canceled = await world.until_status(late.id, "canceled")
    assert canceled.error_code == "expired"
    assert "Late" not in [arrived["body"] for arrived in await world.phone()]


async def test_a_queued_text_is_canceled_and_no_other(world: World) -> None:
    [message] = await placed(world, text(world, "Not yet"))
    canceled = await world.telephony.messaging.cancel(world.organization_id, message.id)
    assert (canceled.status, bool(canceled.decision)) == ("canceled", True)
    again = await world.telephony.messaging.cancel(world.organization_id, message.id)
    assert again.finished_at == canceled.finished_at
    receipt = await world.telephony.messaging.text(world.wish("Gone"))
    with pytest.raises(Conflict) as late:
        await world.telephony.messaging.cancel(world.organization_id, receipt.message_id)
    assert late.value.code == "message_not_queued"


# Stops ----------------------------------------------------------------------------------------------------------------


async def test_texts_of_a_stopped_sender_wait_and_go_on_when_it_is_started(world: World) -> None:
    await pace(world, 20.0)
    messages = await placed(world, *(text(world, f"{n}") for n in range(5)))
    await refuse(world, messages[0], Treatment.STOP_SENDER)
    async with world.working():

        async def all_held() -> bool:
            return all(message.hold_reason == "sender_stopped" for message in await world.messages())

        await world.until(all_held)
        with pytest.raises(Conflict) as stopped:
            await world.telephony.messaging.place(text(world, "New"))
        assert stopped.value.code == "sender_stopped"
        [alert], _ = await world.telephony.alerts.list(world.organization_id, Page(), is_open=True)
        assert (alert.kind, alert.seen_count) == ("sender_stopped", 1)
        [number] = (await world.api.get("/api/phone-numbers")).json["phone_numbers"]
        answer = await world.api.post(f"/api/phone-numbers/{number['id']}/start", {})
        assert answer.json == {"was_stopped": True}
        await world.until(ended(world, 5))
    assert len(await world.phone()) == 5
    assert (await world.api.get("/api/alerts?open=true")).json["alerts"] == []


async def test_texts_of_a_stopped_account_are_given_up_after_a_day(world: World) -> None:
    [message] = await placed(world, text(world, "Waits"))
    await refuse(world, message, Treatment.STOP_ACCOUNT)
    async with world.working():

        async def held() -> bool:
            return (await world.message(message.id)).hold_reason == "account_stopped"

        await world.until(held)
        await world.execute("update messages set not_before = clock_timestamp()")
        await world.execute("update lanes set pump_at = null")
        sweeping = asyncio.create_task(world.telephony.pump.sweep())
        failed = await world.until_status(message.id, "failed")
        sweeping.cancel()
    assert failed.error_code == "account_stopped"
    assert "24 hours" in (failed.decision or "")


async def test_starting_an_account_lets_its_texts_go(world: World) -> None:
    [message] = await placed(world, text(world, "Waits"))
    await refuse(world, message, Treatment.STOP_ACCOUNT)
    assert await world.telephony.starts.account(world.organization_id, world.account_id)
    assert not await world.telephony.starts.account(world.organization_id, world.account_id)
    async with world.working():
        await world.until_status(message.id, "delivered")


# Treatments -----------------------------------------------------------------------------------------------------------


async def test_a_text_that_was_not_delivered_goes_again_as_a_new_one_so_often_and_no_more(world: World) -> None:
    [message] = await placed(world, text(world, "Once more"))
    refusal = Refusal("30003", Treatment.RETRY_LATER, "The handset could not be reached.", repeats=1)
    await end(world, message, refusal)
    async with world.database.system("a test") as connection:
        await apply_refusal(connection, message, refusal)  # told twice
    first, second = await world.messages()
    assert (second.retry_of, second.body, second.hold_reason) == (first.id, "Once more", "carrier")
    assert "sent again" in (first.decision or "")
    assert second.not_before is not None
    await end(world, second, refusal)
    assert len(await world.messages()) == 2
    assert "given up" in ((await world.message(second.id)).decision or "")


async def test_a_text_to_who_has_opted_out_meanwhile_is_not_said_to_go_again(world: World) -> None:
    [message] = await placed(world, text(world, "Once more"))
    await world.execute("insert into suppressions values ($1, $2, 'keyword')", world.organization_id, TO)
    await end(world, message, Refusal("30003", Treatment.RETRY_LATER, "The handset could not be reached.", repeats=1))
    [ended] = await world.messages()
    assert (ended.decision or "").endswith("It is not repeated: the recipient has opted out of texts.")


async def test_a_day_that_is_full_pauses_the_lane_until_the_carriers_midnight(world: World) -> None:
    [message] = await placed(world, text(world, "Tomorrow"))
    await end(world, message, Refusal("30023", Treatment.WAIT_DAY, "The day's limit is reached."))
    _, again = await world.messages()
    assert again.not_before is not None
    async with world.database.system("a test") as connection:
        next_at = await connection.fetchval("select next_at from lanes where sender <> ''")
    assert next_at == again.not_before
    assert again.not_before.astimezone(again.not_before.tzinfo).minute == 0


async def test_a_number_that_takes_no_texts_goes_on_the_list_as_such(world: World) -> None:
    message, other = await placed(world, text(world, "Landline"), text(world, "The next"))
    await end(world, message, Refusal("30006", Treatment.UNREACHABLE, "The number is a landline."))
    async with world.database.tenant(world.organization_id) as connection:
        assert await connection.fetchval("select reason from suppressions") == "unreachable"
    assert (await world.message(other.id)).status == "canceled"


async def test_who_starts_an_account_and_who_looks_at_a_lane_do_not_wait_for_each_other(
    world: World, superuser_dsn: str
) -> None:
    [message] = await placed(world, text(world, "Held"))
    await world.execute("update messages set not_before = now() + interval '1 day', hold_reason = 'account_stopped'")
    await world.execute("update carrier_accounts set total_per_second = 20")
    async with world.database.system("a test makes the account's lane") as connection:
        await lanes.lock(connection, LaneKey(world.account_id, message.sender))
    watcher = await asyncpg.connect(superuser_dsn)

    async def start() -> None:
        async with world.database.system("a test starts the account") as connection:
            await start_account(connection, world.organization_id, world.account_id)

    async def waits() -> bool:
        return await watcher.fetchval("select exists (select from pg_locks where not granted)")

    async with world.database.system("a test looks at the lane") as connection:
        await connection.execute("select from lanes where sender = $1 for update", message.sender)
        starting = asyncio.create_task(start())
        await world.until(waits)
        await lanes.lock(connection, LaneKey(world.account_id, message.sender))  # and the account's
        await connection.execute("update messages set decision = 'Looked at.' where id = $1", message.id)
    await starting
    await watcher.close()
    assert (await world.message(message.id)).hold_reason is None


async def test_alerts_are_counted_per_matter_and_resolved(world: World) -> None:
    messages = await placed(world, text(world, "One"), text(world, "Two"))
    for message in messages:
        await end(world, message, Refusal("30007", Treatment.ALERT, "The text was filtered."))
    [alert] = (await world.api.get("/api/alerts")).json["alerts"]
    assert (alert["kind"], alert["subject"], alert["seen_count"]) == ("text_refused", "30007", 2)
    resolved = await world.api.post(f"/api/alerts/{alert['id']}/resolve", {})
    assert resolved.json["alert"]["resolved_at"] is not None
    assert (await world.api.post(f"/api/alerts/{uuid.uuid4()}/resolve", {})).status == 404


async def refuse(world: World, message: Message, treatment: Treatment) -> None:
    """What a refusal of an earlier text would have done; this one still waits."""
    async with world.database.system("a test") as connection:
        await apply_refusal(connection, message, Refusal("1", treatment, "Something is wrong."))


async def end(world: World, message: Message, refusal: Refusal) -> None:
    """The carrier took the text and said later that it failed."""
    await world.execute(
        "update messages set status = 'failed', decision = $2, not_before = null, hold_reason = null,"
        " finished_at = clock_timestamp() where id = $1",
        message.id,
        refusal.sentence,
    )
    async with world.database.system("a test") as connection:
        await apply_refusal(connection, message, refusal)


async def _texting(world: World, setting: str) -> None:
    async with world.database.tenant(world.organization_id) as connection:
        await connection.execute(
            "update organizations set settings = jsonb_set(settings, '{texting}',"
            ' \'{"recipient_daily_cap": null, "daily_segments": null}\'::jsonb || $1::text::jsonb)',
            setting,
        )


@pytest.mark.parametrize("treatment", [Treatment.STOP_SENDER, Treatment.STOP_ACCOUNT])
async def test_a_text_that_trips_a_stop_goes_when_it_has_been_set_right_unless_somebody_waits_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch, treatment: Treatment
) -> None:
    kind = type(world.telephony.inbox._accounts.carrier("twilio"))
    [number] = (await world.telephony.phone_numbers.list(world.organization_id, Page()))[0]
    refused: list[str] = []

    async def refusing(carrier: Carrier, account: CarrierAccount, wanted: OutboundText) -> CarrierMessage:
        refused.append(wanted.body)
        raise CarrierRefused(Refusal("99", treatment, "Something is wrong."))

    async def start() -> None:
        starts = world.telephony.starts
        await starts.number(world.organization_id, number.id)
        await starts.account(world.organization_id, world.account_id)

    with monkeypatch.context() as patched:
        patched.setattr(kind, "send_text", refusing)
        receipt = await world.telephony.messaging.text(world.wish("Somebody waits"))
        assert (receipt.status, receipt.effect, receipt.error_code) == ("failed", Effect.NONE, "99")
        await start()
        async with world.working():
            [message] = await placed(world, text(world, "Left to the queue"))

            async def held() -> bool:
                reason = (await world.message(message.id)).hold_reason
                return reason == treatment.value.replace("stop_", "") + "_stopped"

            await world.until(held)
    assert refused == ["Somebody waits", "Left to the queue"]
    await start()
    async with world.working():
        await world.until_status(message.id, "delivered")
