"""What a text shall carry, checked before it is placed, and where its carrier finds it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from fixtures.media import JPEG, PUBLIC_URL, SAMPLES, MediaRoom, media_room, png
from offhook.core.db.pool import Database
from offhook.core.errors import ConfigurationError, Conflict, InvalidInput
from offhook.secrets import KeyRing
from offhook.telephony.carrier import TextLimits
from offhook.telephony.carriers.twilio.offer import LIMITS as TWILIO
from offhook.telephony.media.models import MediumWish
from offhook.telephony.messages.models import MESSAGE_COLUMNS, Message, PlacedMedium, message_of
from offhook.telephony.models import Sender

LIMITS = TextLimits(
    max_characters=1600,
    max_segments=None,
    max_media=3,
    media_types={"image/jpeg": 5000, "image/png": 5000, "audio/vnd.wave": 1000, "video/*": 2000},
    max_media_total_bytes=6000,
    media_countries=frozenset({"US", "CA"}),
)


def sender(number: str | None) -> Sender:
    return Sender(number=number, account_id=uuid.uuid4(), carrier="twilio", seconds_per_segment=1.0)


US, UK, POOL = sender("+12025550100"), sender("+442079460123"), sender(None)


@dataclass
class Shop:
    """Somebody's web server with pictures. `paths` → answer."""

    port: int = 0
    paths: dict[str, Any] = field(default_factory=dict[str, Any])
    asked: list[str] = field(default_factory=list[str])

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path} {request.headers.get('range')}")
        answer = self.paths.get(request.path)
        if answer is None:
            raise web.HTTPNotFound
        return await answer(request)


def file(data: bytes, content_type: str | None, *, length: bool = True) -> Any:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={} if content_type is None else {"content-type": content_type})
        if length:
            response.content_length = len(data)
        else:
            response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(data)
        return response

    return answer


@asynccontextmanager
async def running(shop: Shop) -> AsyncGenerator[None]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", shop.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shop.port = runner.addresses[0][1]
    try:
        yield
    finally:
        await runner.cleanup()


@dataclass
class Counter:
    room: MediaRoom
    shop: Shop

    async def resolve(
        self, *wishes: MediumWish, of: Sender = US, limits: TextLimits = LIMITS
    ) -> tuple[PlacedMedium, ...]:
        return await self.room.part.media.resolve(self.room.organization_id, wishes, sender=of, limits=limits)

    async def refusal(self, *wishes: MediumWish, of: Sender = US, limits: TextLimits = LIMITS) -> list[tuple[str, str]]:
        """Path and code of each field that is wrong."""
        with pytest.raises(InvalidInput) as caught:
            await self.resolve(*wishes, of=of, limits=limits)
        assert all(problem.message.endswith(".") for problem in caught.value.fields)
        assert "127.0.0.1" not in caught.value.detail
        return [(problem.path, problem.code) for problem in caught.value.fields]

    async def uploaded(self, data: bytes = JPEG, content_type: str = "image/jpeg") -> MediumWish:
        return MediumWish(media_id=uuid.UUID((await self.room.upload(data, content_type))["id"]))

    def offered(self, path: str, answer: Any) -> MediumWish:
        self.shop.paths[path] = answer
        return MediumWish(url=self.shop.url(path))


@pytest.fixture
async def counter(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID, ring: KeyRing, tmp_path: Path
) -> AsyncGenerator[Counter]:
    shop = Shop()
    async with running(shop):
        allow = frozenset({("127.0.0.1", shop.port)})
        async with media_room(database, organization, other_organization, ring, tmp_path, egress_allow=allow) as room:
            yield Counter(room, shop)


async def test_an_upload_is_placed_with_what_its_bytes_are(counter: Counter) -> None:
    wish = await counter.uploaded()
    assert await counter.resolve(wish) == (PlacedMedium(wish.media_id, None, "image/jpeg", len(JPEG)),)


@pytest.mark.parametrize(
    ("sent_as", "data"),
    [
        ("text/rtf", SAMPLES["text/rtf"]),
        ("application/rtf", SAMPLES["text/rtf"]),
        ("audio/wav", SAMPLES["audio/vnd.wave"]),
        ("text/x-vcard", SAMPLES["text/vcard"]),
        ("audio/amr-nb", SAMPLES["audio/amr"]),
    ],
)
async def test_an_upload_is_served_by_a_name_that_the_carrier_lists(
    counter: Counter, sent_as: str, data: bytes
) -> None:
    wish = await counter.uploaded(data, sent_as)
    [placed] = await counter.resolve(wish, limits=TWILIO)
    shown = (await counter.room.api.get(f"/api/media/{wish.media_id}")).json["medium"]
    served = await counter.room.anonymous.get(shown["url"].removeprefix(PUBLIC_URL))
    assert served.headers["content-type"] == placed.content_type
    assert placed.content_type in TWILIO.media_types


@pytest.mark.parametrize("length", [True, False])
async def test_a_url_is_placed_with_what_its_server_gives(counter: Counter, length: bool) -> None:
    data = png(padding=4800)
    wish = counter.offered("/menu.png", file(data, "image/png", length=length))
    assert await counter.resolve(wish) == (PlacedMedium(None, wish.url, "image/png", len(data)),)


async def test_a_url_is_asked_as_the_carrier_will_ask_and_once_for_many_texts(counter: Counter) -> None:
    wish = counter.offered("/menu.png", file(png(), "image/png"))
    for _ in range(3):
        await counter.resolve(wish)
    assert counter.shop.asked == ["GET /menu.png None"]


async def test_several_keep_their_order(counter: Counter) -> None:
    wishes = [await counter.uploaded(), counter.offered("/a.png", file(png(), "image/png")), await counter.uploaded()]
    placed = await counter.resolve(*wishes)
    assert [(medium.media_id, medium.url) for medium in placed] == [(wish.media_id, wish.url) for wish in wishes]


async def test_nothing_wished_is_nothing_checked(counter: Counter) -> None:
    assert await counter.resolve(of=UK) == ()


async def test_another_name_of_an_accepted_type_and_a_group_of_types_are_accepted(counter: Counter) -> None:
    wave = b"RIFF\x24\x00\x00\x00WAVEfmt "
    film = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00"
    placed = await counter.resolve(
        await counter.uploaded(wave, "audio/x-wav"), await counter.uploaded(film, "video/mp4")
    )
    assert [medium.content_type for medium in placed] == ["audio/vnd.wave", "video/mp4"]


async def test_every_medium_that_is_wrong_is_named(counter: Counter) -> None:
    wishes: Sequence[MediumWish] = [
        MediumWish(media_id=uuid.uuid4()),
        counter.offered("/page", file(b"<html>not found</html>", "image/png")),
        await counter.uploaded(b"%PDF-1.7\n", "application/pdf"),
    ]
    assert await counter.refusal(*wishes) == [
        ("media.0", "medium_not_found"),
        ("media.1", "medium_type_unknown"),
        ("media.2", "medium_type_refused"),
    ]


async def test_neither_and_both_are_no_wish(counter: Counter) -> None:
    both = MediumWish(media_id=uuid.uuid4(), url="https://example.com/a.png")
    assert await counter.refusal(MediumWish(), both) == [("media.0", "invalid"), ("media.1", "invalid")]


async def test_sizes_are_checked_one_by_one_and_together(counter: Counter) -> None:
    large = counter.offered("/large.png", file(png(padding=5000), "image/png"))
    assert await counter.refusal(large) == [("media.0", "medium_too_large")]
    half = await counter.uploaded(png(padding=3000), "image/png")
    assert await counter.refusal(half, half) == [("media", "media_too_large")]
    assert len(await counter.resolve(half)) == 1


async def test_more_than_a_text_carries_is_refused_before_any_server_is_asked(counter: Counter) -> None:
    wish = counter.offered("/a.png", file(png(), "image/png"))
    assert await counter.refusal(*[wish] * 4) == [("media", "too_many_media")]
    assert counter.shop.asked == []


async def test_a_sender_of_a_country_without_media_is_told_to_text_a_link(counter: Counter) -> None:
    wish = await counter.uploaded()
    assert await counter.refusal(wish, of=UK) == [("media", "media_not_offered")]
    assert len(await counter.resolve(wish, of=POOL)) == 1


async def test_another_organizations_upload_is_not_found(counter: Counter) -> None:
    answer = await counter.room.other_api.send("POST", "/api/media", data=JPEG, headers={"content-type": "image/jpeg"})
    theirs = MediumWish(media_id=uuid.UUID(answer.json["medium"]["id"]))
    assert await counter.refusal(theirs) == [("media.0", "medium_not_found")]


async def test_an_erased_upload_is_refused(counter: Counter) -> None:
    wish = await counter.uploaded()
    await counter.room.api.delete(f"/api/media/{wish.media_id}")
    assert await counter.refusal(wish) == [("media.0", "medium_erased")]


async def test_without_a_public_url_uploads_are_refused_and_urls_are_not(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID, ring: KeyRing, tmp_path: Path
) -> None:
    shop = Shop()
    async with running(shop):
        allow = frozenset({("127.0.0.1", shop.port)})
        async with media_room(
            database, organization, other_organization, ring, tmp_path, public_url=None, egress_allow=allow
        ) as room:
            counter = Counter(room, shop)
            wish = await counter.uploaded()
            with pytest.raises(InvalidInput, match="OFFHOOK_PUBLIC_URL") as caught:
                await counter.resolve(wish)
            assert caught.value.code == "public_url_needed"
            assert len(await counter.resolve(counter.offered("/a.png", file(png(), "image/png")))) == 1


async def _slowly(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


async def _endlessly(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "image/png"})
    await response.prepare(request)
    await response.write(png())
    while True:
        await response.write(bytes(65536))


async def _partly(request: web.Request) -> web.StreamResponse:
    headers = {"content-range": f"bytes 0-{len(png()) - 1}/{len(png())}", "content-type": "image/png"}
    return web.Response(status=206, body=png(), headers=headers)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (file(b"", "image/png"), "medium_type_unknown"),
        (file(JPEG, "image/png"), "medium_type_mismatch"),
        (file(b"<svg/>", "image/svg+xml"), "medium_type_unknown"),
        (file(b"%PDF-1.7\n", "application/pdf"), "medium_type_refused"),
        (_endlessly, "url_unusable"),
        (_partly, "url_unusable"),
        (file(png(), None), "medium_type_refused"),
        (file(png(), "application/octet-stream"), "medium_type_refused"),
        (file(JPEG, "image/pjpeg"), "medium_type_refused"),
        (file(b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/x-wav"), "medium_type_refused"),
        (None, "url_unusable"),
    ],
)
async def test_a_url_whose_server_gives_something_else_is_refused(counter: Counter, answer: Any, code: str) -> None:
    assert await counter.refusal(counter.offered("/a.png", answer)) == [("media.0", code)]


async def test_a_server_that_is_too_slow_is_not_waited_for(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offhook.telephony.media.foreign.TIMEOUT_SECONDS", 0.2)
    assert await counter.refusal(counter.offered("/a.png", _slowly)) == [("media.0", "url_unusable")]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/a.png", "http://localhost/a.png", "file:///etc/passwd", "http://169.254.169.254/", "x"]
)
async def test_a_url_that_leads_inside_is_refused(counter: Counter, url: str) -> None:
    assert await counter.refusal(MediumWish(url=url)) == [("media.0", "url_refused")]


async def stored(room: MediaRoom, message_id: uuid.UUID) -> Message:
    (row,) = await room.fetch(f"select {MESSAGE_COLUMNS} from messages where id = $1", message_id)
    return message_of(row)


async def test_the_carrier_is_given_our_signed_addresses_and_others_as_they_are(counter: Counter) -> None:
    room = counter.room
    made = await room.upload(png(), filename="menu.png")
    message_id = await room.message()
    await room.carry(message_id, made["id"])
    await room.execute(
        "insert into message_media (organization_id, message_id, position, url, content_type)"
        " values ($1, $2, 1, 'https://shop.example/a.png', 'image/png')",
        room.organization_id,
        message_id,
    )
    ours, theirs = await room.part.media.addresses(await stored(room, message_id))
    assert theirs == "https://shop.example/a.png"
    assert ours.startswith(f"{PUBLIC_URL}/media/{made['id']}/")
    assert ours.endswith("/menu.png")
    assert (await room.anonymous.send("HEAD", ours.removeprefix(PUBLIC_URL))).status == 200
    views = await room.part.media.views(room.organization_id, [message_id, uuid.uuid4()])
    assert [(view.position, view.media_id, view.url) for view in views[message_id]] == [
        (0, uuid.UUID(made["id"]), None),
        (1, None, "https://shop.example/a.png"),
    ]
    assert await room.part.media.views(room.other_organization_id, [message_id]) == {}


async def test_a_text_whose_medium_was_erased_meanwhile_has_no_addresses(counter: Counter) -> None:
    room = counter.room
    made = await room.upload(png())
    message_id = await room.message(status="failed")
    await room.carry(message_id, made["id"])
    await room.api.delete(f"/api/media/{made['id']}")
    with pytest.raises(Conflict) as caught:
        await room.part.media.addresses(await stored(room, message_id))
    assert caught.value.code == "medium_erased"


async def test_an_upload_and_no_public_url_any_more_is_the_operators_to_mend(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID, ring: KeyRing, tmp_path: Path
) -> None:
    async with media_room(database, organization, other_organization, ring, tmp_path, public_url=None) as room:
        made = await room.upload(png())
        assert made["url"].startswith("/media/")
        message_id = await room.message()
        await room.carry(message_id, made["id"])
        with pytest.raises(ConfigurationError, match="OFFHOOK_PUBLIC_URL"):
            await room.part.media.addresses(await stored(room, message_id))


async def test_a_redacted_message_loses_foreign_addresses_and_keeps_uploads_for_other_texts(
    counter: Counter,
) -> None:
    room = counter.room
    made = await room.upload(png())
    message_id = await room.message(status="delivered")
    await room.carry(message_id, made["id"])
    await room.execute(
        "insert into message_media (organization_id, message_id, position, url, content_type)"
        " values ($1, $2, 1, 'https://shop.example/private.png', 'image/png')",
        room.organization_id,
        message_id,
    )
    await room.part.media.erase_of(room.organization_id, message_id)
    views = await room.part.media.views(room.organization_id, [message_id])
    assert [(view.media_id is None, view.url, view.erased_at) for view in views[message_id]] == [
        (False, None, None),
        (True, None, None),
    ]
    assert len(room.files()) == 1
