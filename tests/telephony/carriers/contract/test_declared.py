"""What every carrier declares of itself."""

from __future__ import annotations

import re
from typing import Any, cast

import jsonschema_rs
from aiohttp import web

from fixtures.media import SAMPLES
from offhook.telephony.media.content_types import WrongType, decide, plain
from telephony.carriers.answering import answering
from telephony.carriers.face import FROM, TEXT, TO, Face
from telephony.carriers.faces import every_face


@every_face
def test_account_ids_are_told_from_others(face: Face) -> None:
    carrier = face.make(cast("Any", None))
    assert carrier.name == face.name
    assert re.fullmatch(carrier.external_account_id_pattern, face.external_account_id)
    assert not [odd for odd in face.not_account_ids if re.fullmatch(carrier.external_account_id_pattern, odd)]
    assert not re.fullmatch(carrier.messaging_service_id_pattern, FROM)


@every_face
def test_the_credentials_form_takes_the_credentials_and_nothing_else(face: Face) -> None:
    form = jsonschema_rs.validator_for(dict(face.make(cast("Any", None)).credentials_schema()))
    assert form.is_valid(dict(face.credentials))
    assert not form.is_valid({})
    assert not form.is_valid({**face.credentials, "other": "x"})


@every_face
def test_nothing_in_the_credentials_form_may_be_empty(face: Face) -> None:
    schema = face.make(cast("Any", None)).credentials_schema()
    forms = {name: jsonschema_rs.validator_for(dict(field)) for name, field in schema["properties"].items()}
    assert forms
    assert not [name for name, form in forms.items() if form.is_valid("")]


@every_face
def test_limits_and_prices_are_complete(face: Face) -> None:
    carrier = face.make(cast("Any", None))
    limits, prices = carrier.limits, carrier.prices
    assert limits.max_characters > 160
    assert limits.max_media >= 1
    assert {"image/jpeg", "image/png", "image/gif", "text/vcard"} <= set(limits.media_types)
    assert all(name == name.lower() and size > 100_000 for name, size in limits.media_types.items())
    assert {"US", "CA"} <= limits.media_countries
    assert prices.segment > 0 < prices.media
    assert prices.currency == "USD"
    assert prices.source
    assert 0 < carrier.attempt_timeout_seconds <= 15


@every_face
def test_each_type_of_medium_that_it_takes_can_be_told_by_its_bytes(face: Face) -> None:
    def is_told(name: str, sample: bytes) -> bool:
        try:
            return decide(name, sample) == plain(name)
        except WrongType:
            return False

    listed = face.make(cast("Any", None)).limits.media_types
    assert not [name for name in listed if not any(is_told(name, sample) for sample in SAMPLES.values())]
    assert not [name for name in listed if plain(name) not in listed]  # what is served is the usual name


@every_face
async def test_secrets_are_shown_in_no_repr(face: Face) -> None:
    async with answering(face, lambda _: web.json_response(face.accepted(1))) as at:
        await at.carrier.send_text(at.account, TEXT)
        door = at.carrier._doors.of(at.account)  # type: ignore[attr-defined]
    shown = repr(at.account) + repr(door) + repr(TEXT)
    assert not [secret for secret in (*face.credentials.values(), TO, TEXT.body) if secret in shown]
