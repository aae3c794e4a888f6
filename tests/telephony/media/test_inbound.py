"""Pictures that people text us: noted with the message, fetched by a job, given up with a reason."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from fixtures.media import JPEG, SAMPLES, MediaRoom, png
from offhook.core.db.jobs import RetryLater
from offhook.core.errors import Unavailable
from offhook.telephony.carrier import (
    CarrierRefused,
    InboundMedium,
    NotOffered,
    NotSent,
    OutcomeUnknown,
    Refusal,
    Treatment,
)
from offhook.telephony.media.fetching import MAX_INBOUND_BYTES
from offhook.telephony.media.inbound import FETCH, enqueue_inbound_media
from offhook.telephony.media.library import REVIEW
from offhook.telephony.media.models import MAX_PER_TEXT, MessageMedium

URL = "https://api.carrier.example/media/ME1"


@dataclass(frozen=True)
class Received:
    id: uuid.UUID
    organization_id: uuid.UUID


async def receive(
    room: MediaRoom, *media: InboundMedium, age: timedelta = timedelta(0)
) -> tuple[uuid.UUID, list[dict[str, Any]]]:
    """An inbound message with media; its id, and the jobs that were queued."""
    message_id = await room.message(direction="inbound", status="received", origin="carrier")
    await room.execute("update messages set created_at = now() - $2::interval where id = $1", message_id, age)
    async with room.database.system("a test receives") as connection:
        await enqueue_inbound_media(connection, Received(message_id, room.organization_id), media)
    return message_id, await room.jobs(FETCH)


async def carried(room: MediaRoom, message_id: uuid.UUID) -> list[MessageMedium]:
    return list((await room.part.media.views(room.organization_id, [message_id])).get(message_id, ()))


async def test_media_are_fetched_and_kept_with_their_message(room: MediaRoom) -> None:
    message_id, jobs = await receive(room, InboundMedium(URL, "image/jpeg"), InboundMedium(URL + "2", "image/gif"))
    assert [set(job) for job in jobs] == [{"message_id", "position", "media_id"}] * 2
    assert [(medium.media_id, medium.url) for medium in await carried(room, message_id)] == [
        (None, URL),
        (None, URL + "2"),
    ]
    room.carrier.answers = [("image/jpeg", [JPEG[:5], JPEG[5:]]), ("image/gif", [SAMPLES["image/gif"]])]
    for job in jobs:
        await room.run(FETCH, job)
    first, second = await carried(room, message_id)
    assert (first.url, first.content_type, first.size_bytes) == (None, "image/jpeg", len(JPEG))
    assert second.content_type == "image/gif"
    assert room.carrier.asked == [URL, URL + "2"]
    shown = (await room.api.get(f"/api/media/{first.media_id}")).json["medium"]
    assert shown["origin"] == "inbound"
    assert (await room.other_api.get(f"/api/media/{first.media_id}")).status == 404


async def test_a_message_without_media_queues_nothing(room: MediaRoom) -> None:
    assert (await receive(room))[1] == []


async def test_what_is_stored_twice_is_noted_once(room: MediaRoom) -> None:
    message_id, _ = await receive(room, InboundMedium(URL, "image/jpeg"))
    async with room.database.system("a test receives") as connection:
        again = Received(message_id, room.organization_id)
        await enqueue_inbound_media(connection, again, [InboundMedium(URL, "image/jpeg")])
    assert len(await carried(room, message_id)) == 1


async def test_hostile_media_of_a_webhook_are_noted_as_far_as_they_can_be(room: MediaRoom) -> None:
    many = [InboundMedium(f"http://\x00\ud800/{index}", "Image/JPEG; " + "x" * 300) for index in range(30)]
    message_id, jobs = await receive(room, *many)
    assert len(await carried(room, message_id)) == len(jobs) == MAX_PER_TEXT


@pytest.mark.parametrize(
    ("data", "declared", "content_type"),
    [
        (b"<html><script>alert(1)</script>", "image/jpeg", "application/octet-stream"),
        (png(), "image/jpeg", "image/png"),
        (b"\x00\x01\x02", "image/jpeg", "application/octet-stream"),
        (b"", "image/jpeg", "application/octet-stream"),
    ],
)
async def test_bytes_are_kept_as_what_they_are_whatever_the_carrier_says(
    room: MediaRoom, data: bytes, declared: str, content_type: str
) -> None:
    message_id, (job,) = await receive(room, InboundMedium(URL, declared))
    room.carrier.answers = [(declared, [data])]
    await room.run(FETCH, job)
    (medium,) = await carried(room, message_id)
    assert (medium.content_type, medium.size_bytes) == (content_type, len(data))


async def test_a_job_that_comes_twice_fetches_once(room: MediaRoom) -> None:
    message_id, (job,) = await receive(room, InboundMedium(URL, "image/jpeg"))
    room.carrier.answers = [("image/jpeg", [JPEG])]
    await room.run(FETCH, job)
    await room.run(FETCH, job)
    assert room.carrier.asked == [URL]
    assert len(room.files()) == 1
    assert (await carried(room, message_id))[0].media_id == uuid.UUID(job["media_id"])


async def test_a_fetch_that_a_crash_cut_short_is_repeated_over_its_own_bytes(room: MediaRoom) -> None:
    message_id, (job,) = await receive(room, InboundMedium(URL, "image/jpeg"))

    async def half() -> AsyncIterator[bytes]:
        yield b"bytes of before the crash"

    await room.part.inbound._store.put(uuid.UUID(job["media_id"]), half())
    room.carrier.answers = [("image/jpeg", [JPEG])]
    await room.run(FETCH, job)
    assert [file.read_bytes() for file in room.files()] == [JPEG]
    assert (await carried(room, message_id))[0].size_bytes == len(JPEG)


def refused(treatment: Treatment) -> CarrierRefused:
    return CarrierRefused(Refusal("20404", treatment, "There is no such medium."))


@pytest.mark.parametrize(
    "failure",
    [NotSent("refused"), OutcomeUnknown("timeout"), refused(Treatment.RETRY), refused(Treatment.FAIL)],
)
async def test_what_may_come_yet_is_tried_again_with_growing_pauses(room: MediaRoom, failure: Exception) -> None:
    pauses: list[float] = []
    for age in (timedelta(0), timedelta(seconds=60), timedelta(seconds=500)):
        message_id, jobs = await receive(room, InboundMedium(URL, "image/jpeg"), age=age)
        room.carrier.answers = [failure]
        with pytest.raises(RetryLater) as caught:
            await room.run(FETCH, jobs[-1])
        pauses.append(caught.value.seconds)
        assert (await carried(room, message_id))[0].note is None
    assert pauses == sorted(pauses)
    assert pauses[0] < 10 < pauses[-1]


async def test_a_medium_that_breaks_off_is_tried_again_and_leaves_nothing(room: MediaRoom) -> None:
    _, (job,) = await receive(room, InboundMedium(URL, "image/jpeg"))
    room.carrier.answers = [("image/jpeg", [JPEG * 5000, OutcomeUnknown("broke off")])]
    with pytest.raises(RetryLater):
        await room.run(FETCH, job)
    assert room.files() == []


async def test_a_store_that_is_away_is_waited_for(room: MediaRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    _, (job,) = await receive(room, InboundMedium(URL, "image/jpeg"))
    room.carrier.answers = [("image/jpeg", [JPEG])]

    async def away(*_: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr("offhook.telephony.media.store.MediaStore.put", away)
    with pytest.raises(RetryLater):
        await room.run(FETCH, job)


@pytest.mark.parametrize(
    ("answer", "age"),
    [
        (refused(Treatment.FAIL), timedelta(hours=1)),
        (NotOffered(), timedelta(0)),
        (NotSent("refused"), timedelta(hours=25)),
        (("image/jpeg", [JPEG, bytes(MAX_INBOUND_BYTES)]), timedelta(0)),
    ],
)
async def test_what_will_not_come_is_given_up_with_a_reason(room: MediaRoom, answer: Any, age: timedelta) -> None:
    message_id, (job,) = await receive(room, InboundMedium(URL, "image/jpeg"), age=age)
    room.carrier.answers = [answer]
    await room.run(FETCH, job)
    (medium,) = await carried(room, message_id)
    assert medium.media_id is None
    assert medium.note is not None
    assert medium.note.endswith(".")
    assert room.files() == []
    await room.run(FETCH, job)
    assert len(room.carrier.asked) == 1


async def test_the_media_of_a_redacted_message_are_erased(room: MediaRoom) -> None:
    message_id, (job,) = await receive(room, InboundMedium(URL, "image/jpeg"))
    room.carrier.answers = [("image/jpeg", [JPEG])]
    await room.run(FETCH, job)
    await room.part.media.erase_of(room.organization_id, message_id)
    assert room.files() == []
    (medium,) = await carried(room, message_id)
    assert medium.erased_at is not None
    for review in await room.jobs(REVIEW):
        await room.run(REVIEW, review)
    assert room.files() == []


async def test_the_media_of_a_deleted_message_go_with_it(room: MediaRoom) -> None:
    message_id, (job,) = await receive(room, InboundMedium(URL, "image/jpeg"))
    room.carrier.answers = [("image/jpeg", [JPEG])]
    await room.run(FETCH, job)
    await room.execute("delete from messages where id = $1", message_id)
    [review] = await room.jobs(REVIEW)
    assert review["media_id"] == job["media_id"]
    await room.run(REVIEW, review)
    assert room.files() == []


async def test_a_message_that_is_redacted_while_its_media_are_fetched_keeps_none(room: MediaRoom) -> None:
    message_id, (job,) = await receive(room, InboundMedium(URL, "image/jpeg"))
    room.carrier.answers = [("image/jpeg", [JPEG])]
    put = room.part.inbound._store.put

    async def redacted_meanwhile(media_id: uuid.UUID, chunks: Any) -> None:
        await put(media_id, chunks)
        await room.part.media.erase_of(room.organization_id, message_id)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(room.part.inbound._store, "put", redacted_meanwhile)
        await room.run(FETCH, job)
    assert room.files() == []
    (medium,) = await carried(room, message_id)
    assert (medium.media_id, medium.url) == (None, None)


async def test_a_message_that_was_redacted_before_is_not_fetched(room: MediaRoom) -> None:
    message_id, (job,) = await receive(room, InboundMedium(URL, "image/jpeg"))
    await room.part.media.erase_of(room.organization_id, message_id)
    await room.run(FETCH, job)
    assert room.carrier.asked == []


async def test_media_are_not_fetched_for_an_account_that_must_not_be_where_it_is(room: MediaRoom) -> None:
    _, [job] = await receive(room, InboundMedium("http://169.254.169.254/latest/meta-data", "text/plain"))
    await room.execute("update carrier_accounts set base_url = 'http://169.254.169.254'")
    with pytest.raises(RetryLater):
        await room.run(FETCH, job)
    assert room.carrier.asked == []
