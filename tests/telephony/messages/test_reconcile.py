"""What became of a text whose answer was lost: where the carrier picks the number, where there are pictures, and where
no list is evidence."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from fixtures.telephony import FROM, TO, World, post_directly
from offhook.core.db.jobs import RetryLater
from offhook.core.errors import Conflict
from offhook.core.texts import TextOptions
from offhook.telephony.carrier import Carrier, CarrierAccount
from offhook.telephony.messages.asking import QUESTIONS_PER_ACCOUNT, Asking
from offhook.telephony.messages.hearing import Told, hear
from offhook.telephony.messages.models import Message, NewText
from offhook.telephony.messages.reconcile import UNANSWERED, UNHEARD, Reconciliation

SERVICE = "MG" + "5" * 32


async def lost(world: World, text: NewText) -> Message:
    """A text whose attempt has an unknown outcome, as a process leaves it that was killed."""
    message = await world.telephony.messaging.place(text)
    await world.execute("delete from pgqueuer")
    await world.execute("update lanes set pump_at = null")
    await world.execute(
        "update messages set status = 'sending', attempt = 1, unknown_attempts = 1,"
        " attempt_started_at = now() - interval '1 minute', outcome_unknown_since = now() where id = $1",
        message.id,
    )
    return await world.message(message.id)


def reconciling(world: World, gap_seconds: float = 0.1) -> Reconciliation:
    accounts = world.telephony.inbox._accounts
    return Reconciliation(world.database, accounts, Asking(accounts), gap_seconds)


async def settled(world: World, message: Message) -> Message:
    reconciliation = reconciling(world)

    async def look() -> bool:
        try:
            await reconciliation.settle(message.id)
        except RetryLater:
            return False
        return True

    await world.until(look)
    return await world.message(message.id)


def carrier_of(world: World) -> Carrier:
    return world.telephony.inbox._accounts.carrier("twilio")


async def test_a_text_of_a_messaging_service_is_found_by_its_words(world: World) -> None:
    await world.control("POST", "services", {"sid": SERVICE, "numbers": [FROM]})
    service = await world.telephony.messaging_services.create(world.organization_id, world.account_id, SERVICE)
    options = TextOptions(messaging_service_id=service.id)
    await world.fault("drop_after")
    receipt = await world.telephony.messaging.text(world.wish("Pooled", options=options))
    assert (await world.message(receipt.message_id)).carrier_message_id is not None
    async with world.working():  # the carrier may pick the number later than it lists the text
        found = await world.until_status(receipt.message_id, "delivered")
    assert found.from_number == FROM
    assert len(await world.phone()) == 1


async def test_the_same_words_from_a_number_are_not_taken_for_those_of_a_service(world: World) -> None:
    await world.control("POST", "services", {"sid": SERVICE, "numbers": [FROM]})
    service = await world.telephony.messaging_services.create(world.organization_id, world.account_id, SERVICE)
    await world.telephony.messaging.text(world.wish("Twin", from_number=FROM))
    options = TextOptions(messaging_service_id=service.id)
    message = await lost(world, NewText(world.organization_id, "api", TO, "Twin", options=options))
    again = await settled(world, message)
    assert (again.status, again.carrier_message_id) == ("queued", None)
    async with world.working():
        await world.until_status(message.id, "delivered")
    assert len(await world.phone()) == 2


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """A carrier whose list is no evidence and that knows no keys."""
    monkeypatch.setattr(type(carrier_of(world)), "lists_messages", False)


@pytest.mark.usefixtures("silent")
async def test_where_nothing_is_evidence_a_text_is_reported_and_never_sent_again(world: World) -> None:
    message = await lost(world, NewText(world.organization_id, "api", TO, "Who knows"))
    reconciliation = reconciling(world)
    with pytest.raises(RetryLater) as later:
        await reconciliation.settle(message.id)
    assert later.value.seconds == pytest.approx(UNHEARD.total_seconds(), abs=30)
    await world.execute("update messages set outcome_unknown_since = now() - $1::interval", UNHEARD)
    failed = await settled(world, message)
    assert (failed.status, failed.error_code) == ("failed", "outcome_unknown")
    assert "may have been sent" in (failed.decision or "")
    async with world.working():
        assert await world.phone() == []


@pytest.mark.usefixtures("silent")
async def test_where_keys_are_honoured_the_carrier_is_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(carrier_of(world)), "honours_keys", True)
    message = await lost(world, NewText(world.organization_id, "api", TO, "Once more"))
    again = await settled(world, message)
    assert (again.status, again.hold_reason) == ("queued", "carrier")
    assert "same key" in (again.decision or "")


@pytest.mark.usefixtures("silent")
async def test_a_key_that_is_too_old_is_not_relied_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(carrier_of(world)), "honours_keys", True)
    message = await lost(world, NewText(world.organization_id, "api", TO, "Too late"))
    await world.execute("update messages set maybe_sent_since = now() - $1::interval", timedelta(hours=23, minutes=30))
    failed = await settled(world, message)
    assert (failed.status, failed.error_code) == ("failed", "outcome_unknown")


@pytest.mark.usefixtures("silent")
async def test_the_callback_of_the_last_attempt_is_waited_for_before_a_text_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(carrier_of(world)), "honours_keys", True)
    message = await lost(world, NewText(world.organization_id, "api", TO, "The last time"))
    await world.execute("update messages set outcome_unknown_since = clock_timestamp(), unknown_attempts = 3")
    with pytest.raises(RetryLater) as later:
        await reconciling(world, 5.0).settle(message.id)
    assert 0 < later.value.seconds <= 5
    assert (await world.message(message.id)).status == "sending"


@pytest.mark.parametrize("listed", ["Sent from your Twilio trial account - It's “done”", 'It\'s "done" '])
async def test_a_text_is_found_whose_words_the_carrier_has_changed(world: World, listed: str) -> None:
    sid = await post_directly(world, listed)
    message = await lost(world, NewText(world.organization_id, "api", TO, "It’s “done”"))
    found = await settled(world, message)
    assert found.carrier_message_id == sid


# A carrier that shows no list -----------------------------------------------------------------------------------------


async def test_a_list_that_is_not_given_is_asked_for_more_and_more_seldom(world: World) -> None:
    message = await lost(world, NewText(world.organization_id, "api", TO, "Not now"))
    await world.fault("status", route="messages.list", status=503, count=None)
    pauses = list[float]()
    for minutes in (0, 1, 60):
        await world.execute(
            "update messages set outcome_unknown_since = now() - make_interval(mins => $1::int)", minutes
        )
        with pytest.raises(RetryLater) as later:
            await reconciling(world).settle(message.id)
        pauses.append(later.value.seconds)
    assert pauses == pytest.approx([3.0, 15.0, 60.0], abs=1.0)


async def test_a_list_that_nobody_gives_for_a_day_ends_a_text_with_the_reason(world: World) -> None:
    message = await lost(world, NewText(world.organization_id, "api", TO, "Revoked"))
    await world.fault("status", route="messages.list", status=401, count=None)
    await world.execute("update messages set outcome_unknown_since = now() - $1::interval", UNANSWERED)
    await reconciling(world).settle(message.id)
    ended = await world.message(message.id)
    assert (ended.status, ended.error_code) == ("failed", "outcome_unknown")
    assert "for 24 hours the carrier has not shown its list: " in (ended.decision or "")
    [alert] = (await world.api.get("/api/alerts")).json["alerts"]
    assert (alert["kind"], alert["sentence"]) == ("text_given_up", ended.decision)


async def test_a_carrier_that_answers_nobody_is_asked_only_so_much_at_once(world: World) -> None:
    asking = Asking(world.telephony.inbox._accounts)
    over = asyncio.Event()

    async def question(_: Carrier, account: CarrierAccount) -> str:
        await over.wait()
        return account.carrier

    asked = [asyncio.create_task(asking.ask(world.account_id, question, 7.0)) for _ in range(QUESTIONS_PER_ACCOUNT)]
    await asyncio.sleep(0)
    with pytest.raises(RetryLater) as later:
        await asking.ask(world.account_id, question, 7.0)
    assert later.value.seconds == 7.0
    over.set()
    assert await asyncio.gather(*asked) == ["twilio"] * QUESTIONS_PER_ACCOUNT
    assert await asking.ask(world.account_id, question, 7.0) == "twilio"


# Found ended badly ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "consequence"),
    [("30034", "sender_stopped"), ("30007", "text_refused"), ("30005", "unreachable"), ("30003", "repeat")],
)
async def test_a_text_that_is_found_ended_badly_is_acted_on(world: World, code: str, consequence: str) -> None:
    """Its answer and its callbacks were lost: the list is the first to tell."""
    await world.fault("failed", route="delivery", error_code=int(code))
    message = await lost(world, NewText(world.organization_id, "api", TO, "Ends badly"))
    await post_directly(world, message.body)

    async def ended() -> bool:
        return [text["status"] for text in await world.phone()] == ["failed"]

    await world.until(ended)
    found = await settled(world, message)
    assert (found.status, found.error_code) == ("failed", code)
    assert found.decision is not None
    assert "in the carrier's list" not in found.decision
    async with world.database.system("a test") as connection:
        seen = {row["kind"] for row in await connection.fetch("select kind from alerts")}
        seen |= {row["reason"] for row in await connection.fetch("select reason from suppressions")}
    seen |= {"repeat" for one in await world.messages() if one.retry_of == message.id}
    assert seen == {consequence}


# May have been sent ---------------------------------------------------------------------------------------------------


@pytest.fixture
async def maybe_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> Message:
    """A text that its carrier is to be asked about again under its key."""
    monkeypatch.setattr(type(carrier_of(world)), "lists_messages", False)
    monkeypatch.setattr(type(carrier_of(world)), "honours_keys", True)
    message = await settled(world, await lost(world, NewText(world.organization_id, "api", TO, "Perhaps")))
    assert (message.status, message.maybe_sent_since) == ("queued", message.attempt_started_at)
    return message


async def test_what_may_have_been_sent_cannot_be_canceled(world: World, maybe_sent: Message) -> None:
    with pytest.raises(Conflict) as refused:
        await world.telephony.messaging.cancel(world.organization_id, maybe_sent.id)
    assert refused.value.code == "message_not_queued"
    assert "may have been carried out" in refused.value.detail
    assert (await world.message(maybe_sent.id)).status == "queued"


@pytest.mark.parametrize(
    "end",
    [
        "update messages set status = 'canceled', error_code = 'expired', decision = 'Too late.'",
        "update messages set status = 'canceled', error_code = 'suppressed', decision = 'Opted out.'",
        "update messages set status = 'failed', error_code = '10009', decision = 'Refused.'",
    ],
)
async def test_what_may_have_been_sent_never_ends_as_not_sent_and_goes_on_when_the_carrier_tells_of_it(
    world: World, maybe_sent: Message, end: str
) -> None:
    await world.execute(f"{end}, finished_at = clock_timestamp()")
    ended = await world.message(maybe_sent.id)
    assert (ended.status, ended.error_code) == ("failed", "outcome_unknown")
    assert ended.decision is not None
    assert ended.decision.startswith("The outcome is unknown: an earlier attempt may have been carried out. ")
    async with world.database.system("a test") as connection:
        for status in ("sent", "delivered"):
            await hear(connection, ended, Told("SM" + "7" * 32, status), carrier_of(world))
    delivered = await world.message(maybe_sent.id)
    assert (delivered.status, delivered.error_code, delivered.decision) == ("delivered", None, None)
    assert (delivered.carrier_message_id, delivered.maybe_sent_since) == ("SM" + "7" * 32, None)
    assert delivered.finished_at is not None
