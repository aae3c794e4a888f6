"""A picture out and a picture in, through the whole server side: upload, text, the carrier's fetch; a text with a
picture, its fetch, and that nothing of it is left once the text is redacted."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fixtures.api import ApiClient
from fixtures.deployment import CALLER, NUMBER, Deployment, make_workshop, running_deployment
from fixtures.emulators import basic
from fixtures.media import JPEG, png
from fixtures.s3 import S3Server, s3_running
from offhook.core.db.pool import Database
from offhook.emulator import DEFAULT_ACCOUNT_SID

PICTURE = png(20, 20, padding=20_000)


@dataclass
class Shop:
    """A deployment whose number texts, and where its media are kept."""

    deployment: Deployment
    api: ApiClient
    directory: Path

    def files(self) -> list[Path]:
        found = (path for path in self.directory.rglob("*") if path.is_file())
        return [path for path in found if not any(part.startswith(".") for part in path.parts)]

    async def upload(self, data: bytes = PICTURE, content_type: str = "image/png") -> str:
        async with self.deployment.client() as client:
            return (await client.upload_medium(data, content_type=content_type, filename="menü.png"))["id"]

    async def text(self, **wish: Any) -> dict[str, Any]:
        answer = await self.api.post("/api/messages", {"to": CALLER, "from": NUMBER, **wish})
        assert answer.status == 202, answer.text
        return answer.json["message"]

    async def message(self, message_id: str) -> dict[str, Any]:
        return (await self.api.get(f"/api/messages/{message_id}")).json["message"]

    async def until_status(self, message_id: str, status: str) -> dict[str, Any]:
        async def reached() -> bool:
            return (await self.message(message_id))["status"] == status

        await self.deployment.until(reached)
        return await self.message(message_id)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self.deployment.emulator.url}/_emulator/{path}"
        async with self.api.session.request(method, url, json=body) as response:
            assert response.status < 300, await response.text()
            return await response.json() if response.content_type == "application/json" else await response.read()

    async def arrived(self) -> list[bytes]:
        """The pictures of the last text at the handset."""
        messages = (await self.control("GET", f"phones/{CALLER}"))["messages"]
        return [
            await self.control("GET", medium["path"].removeprefix("/_emulator/")) for medium in messages[-1]["media"]
        ]


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.ci)])
async def shop(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> AsyncGenerator[Shop]:
    if request.param == "directory":
        async with _shop(database, tmp_path, None) as made:
            yield made
        return
    async with s3_running(tmp_path / "s3") as server, _shop(database, tmp_path, server) as made:
        yield made


@asynccontextmanager
async def _shop(database: Database, home: Path, server: S3Server | None) -> AsyncGenerator[Shop]:
    environment: dict[str, str] = {}
    if server is not None:
        place = server.place()
        environment = {
            "OFFHOOK_MEDIA_URL": place.url,
            "OFFHOOK_MEDIA_S3_ENDPOINT": str(place.s3_endpoint),
            "OFFHOOK_MEDIA_S3_REGION": str(place.s3_region),
            "OFFHOOK_MEDIA_S3_ACCESS_KEY_ID": str(place.s3_access_key_id),
            "OFFHOOK_MEDIA_S3_SECRET_ACCESS_KEY": str(place.s3_secret_access_key),
        }
    async with (
        running_deployment(database, home, environment) as deployment,
        aiohttp.ClientSession() as session,
    ):
        await make_workshop(deployment)
        api = ApiClient(session, deployment.url).with_key(deployment.key)
        yield Shop(deployment, api, server.directory if server else home / "media")


async def test_the_carrier_fetches_the_very_bytes_that_were_uploaded(shop: Shop) -> None:
    media_id = await shop.upload()
    placed = await shop.text(body="Our menu", media=[{"media_id": media_id}])
    shown = await shop.until_status(placed["id"], "delivered")
    assert await shop.arrived() == [PICTURE]
    assert [(medium["media_id"], medium["content_type"]) for medium in shown["media"]] == [(media_id, "image/png")]
    assert shown["segments"] == 1


async def test_the_largest_picture_that_a_carrier_takes_arrives(shop: Shop) -> None:
    largest = png(padding=4_999_000)
    placed = await shop.text(media=[{"media_id": await shop.upload(largest)}])
    await shop.until_status(placed["id"], "delivered")
    assert await shop.arrived() == [largest]


async def test_several_pictures_and_no_words_arrive_in_order(shop: Shop) -> None:
    media = [await shop.upload(), await shop.upload(JPEG, "image/jpeg")]
    placed = await shop.text(media=[{"media_id": media_id} for media_id in media])
    await shop.until_status(placed["id"], "delivered")
    assert await shop.arrived() == [PICTURE, JPEG]


async def test_what_the_carrier_would_not_take_is_refused_before_anything_is_stored(shop: Shop) -> None:
    note = await shop.upload(b"Just a note", "text/plain")
    for media, code in (
        ([{"media_id": note}], "medium_type_refused"),
        ([{"media_id": str(uuid.uuid4())}], "medium_not_found"),
        ([{"url": f"{shop.deployment.url}/health"}], "url_refused"),
        ([{"url": "http://169.254.169.254/latest/meta-data"}], "url_refused"),
        ([{"media_id": note}] * 11, "invalid_input"),
    ):
        answer = await shop.api.post("/api/messages", {"to": CALLER, "from": NUMBER, "media": media})
        assert answer.status == 422, answer.text
        assert answer.json["code"] == code
    assert (await shop.api.get("/api/messages")).json["messages"] == []


async def test_a_picture_that_people_text_is_kept_shown_and_gone_once_it_is_redacted(shop: Shop) -> None:
    [account] = (await shop.api.get("/api/carrier-accounts")).json["carrier_accounts"]
    hook = f"{shop.deployment.url}/webhooks/carriers/{account['id']}/inbound-text"
    async with shop.api.session.get(
        f"{shop.deployment.emulator.url}/2010-04-01/Accounts/{DEFAULT_ACCOUNT_SID}/IncomingPhoneNumbers.json",
        params={"PhoneNumber": NUMBER},
        headers=basic(),
    ) as response:
        [number] = (await response.json())["incoming_phone_numbers"]
    async with shop.api.session.post(
        f"{shop.deployment.emulator.url}/2010-04-01/Accounts/{DEFAULT_ACCOUNT_SID}"
        f"/IncomingPhoneNumbers/{number['sid']}.json",
        data={"SmsUrl": hook},
        headers=basic(),
    ) as response:
        assert response.status == 200, await response.text()
    picture = {"content_type": "image/png", "data": base64.b64encode(PICTURE).decode()}
    await shop.control("POST", f"phones/{CALLER}/send", {"to": NUMBER, "body": "My bike", "media": [picture]})

    async def kept() -> Any:
        messages = (await shop.api.get("/api/messages")).json["messages"]
        return messages[0] if messages and all(medium["media_id"] for medium in messages[0]["media"]) else None

    message = await shop.deployment.until(kept)
    [medium] = message["media"]
    found = (await shop.api.get(f"/api/media/{medium['media_id']}")).json["medium"]
    async with shop.api.session.get(found["url"]) as response:
        assert (response.status, await response.read()) == (200, PICTURE)
    assert len(shop.files()) == 1

    answer = await shop.api.post(f"/api/messages/{message['id']}/redact")
    assert answer.status == 200, answer.text

    async def gone() -> bool:
        return shop.files() == []

    await shop.deployment.until(gone)
    async with shop.api.session.get(found["url"]) as response:
        assert response.status == 404
    assert (await shop.message(message["id"]))["media"][0]["erased_at"] is not None
