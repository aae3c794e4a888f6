"""Who may be texted: the policy of the organization, then its suppressions."""

from __future__ import annotations

import uuid

import pytest

from fixtures.telephony import TO
from offhook.core.db.pool import Database
from offhook.core.errors import InvalidInput
from offhook.telephony.consent.destinations import DestinationConsent, check_destinations


async def configure(database: Database, organization: uuid.UUID, setting: object) -> None:
    async with database.tenant(organization) as connection:
        await connection.execute(
            "update organizations set settings = $2 where id = $1", organization, {"destinations": setting}
        )


@pytest.mark.parametrize(
    ("number", "code"),
    [(TO, ""), ("+19002345678", "destination_premium"), ("+4930123456", "destination_country"),
     ("911", "destination_emergency"), ("+15005550006", "destination_magic"), ("nonsense", "destination_invalid")],
)  # fmt: skip
async def test_the_default_policy(database: Database, organization: uuid.UUID, number: str, code: str) -> None:
    verdict = await DestinationConsent(database).check(organization, number)
    assert (verdict.allowed, verdict.code) == (not code, code)
    assert bool(verdict.sentence) is not verdict.allowed


async def test_the_organizations_own_policy(database: Database, organization: uuid.UUID) -> None:
    given = {"countries": ["de"], "admit_magic": True, "allow_numbers": ["+44 20 7946 0958"]}
    await configure(database, organization, check_destinations(given))
    consent = DestinationConsent(database)
    for number in ("+4930123456", "+15005550006", "+442079460958"):
        assert (await consent.check(organization, number)).allowed
    assert not (await consent.check(organization, "+12125550123")).allowed


async def test_suppressions_belong_to_one_organization(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID
) -> None:
    async with database.tenant(organization) as connection:
        await connection.execute("insert into suppressions values ($1, $2, 'operator')", organization, TO)
    consent = DestinationConsent(database)
    assert (await consent.check(organization, TO)).code == "suppressed"
    assert (await consent.check(other_organization, TO)).allowed


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ([], "destinations"),
        ({"country": ["US"]}, "destinations.country"),
        ({"countries": "US"}, "destinations.countries"),
        ({"countries": ["USA"]}, "destinations.countries.0"),
        ({"countries": [1]}, "destinations.countries.0"),
        ({"allow_numbers": ["hello"]}, "destinations.allow_numbers.0"),
        ({"admit_magic": "yes"}, "destinations.admit_magic"),
    ],
)
def test_a_wrong_setting_names_the_place(setting: object, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_destinations(setting)
    assert [problem.path for problem in refused.value.fields] == [path]
