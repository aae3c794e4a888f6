"""What a wish becomes before it is placed, by the limits and prices of its sender's carrier."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any, cast

import pytest

from offhook.core.errors import InvalidInput
from offhook.core.texts import MediumWish, TextOptions
from offhook.telephony.accounts import Accounts
from offhook.telephony.carrier import TextLimits
from offhook.telephony.consent.destinations import DestinationConsent, Policy, read_policy
from offhook.telephony.messages.intake import Intake
from offhook.telephony.messages.models import NewText, PlacedMedium, Placement, Priority
from offhook.telephony.models import Sender, Tariff

TO, FROM = "+12025550140", "+12025550100"
PRICED = Tariff(Decimal("0.01"), Decimal("0.03"), "USD", "the account's")


class OneCarrier:
    """Stands in for Accounts: one sender, at a carrier that counts segments."""

    limits = TextLimits(1530, 3, 10, {}, None, frozenset())
    attempt_timeout_seconds = 10.0

    def __init__(self, tariff: Tariff | None) -> None:
        self._sender = Sender(FROM, uuid.uuid4(), "telnyx", 1.0, tariff=tariff)

    async def sender(self, *_: Any) -> Sender:
        return self._sender

    def carrier(self, name: str) -> OneCarrier:
        return self


class AnyDestination:
    async def policy(self, _: uuid.UUID) -> Policy:
        return Policy(read_policy(None))


class AnyMedia:
    async def resolve(self, *_: Any, **__: Any) -> tuple[PlacedMedium, ...]:
        return (PlacedMedium(None, "https://x.example/a.png", "image/png", 7),)


async def placed(body: str, tariff: Tariff | None = PRICED, **options: Any) -> tuple[Placement, ...]:
    accounts, consent = cast(Accounts, OneCarrier(tariff)), cast(DestinationConsent, AnyDestination())
    origin, operation_id = options.pop("origin", "api"), options.pop("operation_id", None)
    text = NewText(uuid.uuid4(), origin, TO, body, operation_id, options=TextOptions(**options))
    return await Intake(accounts, consent, AnyMedia()).placements(text)


async def test_more_segments_than_the_carrier_takes_are_refused_with_what_forces_them() -> None:
    assert (await placed("ж" * 201))[0].segments == 3
    with pytest.raises(InvalidInput) as refused:
        await placed("ж" * 202)
    assert (refused.value.code, refused.value.fields[0].path) == ("text_too_long", "body")
    assert "4 segments because of 'ж'" in refused.value.detail


async def test_smart_encoding_may_make_it_fit() -> None:
    body = "“quoted” " + "x" * 300
    with pytest.raises(InvalidInput):
        await placed(body)
    [only] = await placed(body, smart_encoding=True)
    assert (only.encoding, only.segments) == ("GSM-7", 3)


async def test_parts_are_numbered_named_and_priced_one_by_one() -> None:
    parts = await placed("ж" * 450, split=True, operation_id="a")
    assert [(part.part, part.parts, part.operation_id) for part in parts] == [(1, 3, "a"), (2, 3, "a#2"), (3, 3, "a#3")]
    assert [part.estimated_cost for part in parts] == [Decimal("0.03"), Decimal("0.03"), Decimal("0.01")]
    assert sorted(part.message_id for part in parts) == [part.message_id for part in parts]


async def test_media_go_with_the_first_part_and_a_text_with_media_is_billed_as_one() -> None:
    media = (MediumWish(url="https://x.example/a.png"),)
    [whole] = await placed("ж" * 500, media=media, split=True)
    assert (whole.segments, whole.estimated_cost, len(whole.media)) == (1, Decimal("0.03"), 1)
    first, *others = await placed("ж" * 1600, media=media, split=True)
    assert (len(first.media), first.segments) == (1, 1)
    assert all(not part.media and part.segments <= 3 for part in others)


@pytest.mark.parametrize(
    ("tariff", "cost"), [(None, None), (Tariff(None, Decimal(1), "EUR", "x"), None), (PRICED, Decimal("0.01"))]
)
async def test_a_price_that_is_not_known_makes_no_estimate(tariff: Tariff | None, cost: Decimal | None) -> None:
    [only] = await placed("Hi", tariff)
    assert (only.estimated_cost, only.price_currency) == (cost, "USD" if cost else None)


@pytest.mark.parametrize(
    ("origin", "wished", "priority"),
    [
        ("api", None, Priority.NORMAL),
        ("tool", None, Priority.CONVERSATION),
        ("livekit", None, Priority.CONVERSATION),
        ("tool", Priority.CAMPAIGN, Priority.CAMPAIGN),
    ],
)
async def test_who_waits_for_it_decides_its_priority(origin: str, wished: int | None, priority: Priority) -> None:
    [only] = await placed("Hi", origin=origin, priority=wished)
    assert only.priority is priority


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "a\x00b", "America"])
async def test_a_zone_must_be_one(zone: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await placed("Hi", recipient_time_zone=zone)
    assert refused.value.fields[0].path == "recipient_time_zone"
