"""TWILIO_* in the environment: a carrier account and a sender for the default organization, as other Twilio programs
are configured (product.md, section 7)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from offhook.core.errors import ConfigurationError
from offhook.core.phone import InvalidPhoneNumber, parse_e164
from offhook.core.settings import Settings
from offhook.telephony.assembly import Telephony
from offhook.telephony.base_urls import Address, address_of

SUFFIX = "_TWILIO_PHONE_NUMBER"


def environment_addresses(environment: Mapping[str, str]) -> frozenset[Address]:
    """Where the account of the environment may be: whoever sets TWILIO_BASE_URL is the operator, who allows it."""
    address = address_of(environment.get("TWILIO_BASE_URL", ""))
    return frozenset() if address is None else frozenset({address})


def sender_number(environment: Mapping[str, str]) -> str | None:
    """TWILIO_PHONE_NUMBER, else the only variable that ends in _TWILIO_PHONE_NUMBER; E.164. None where there is none.

    Raises ConfigurationError for two of them, or for one that is no phone number.
    """
    names = ["TWILIO_PHONE_NUMBER"] if environment.get("TWILIO_PHONE_NUMBER") else []
    names = names or sorted(name for name, value in environment.items() if name.endswith(SUFFIX) and value)
    if not names:
        return None
    if len(names) > 1:
        raise ConfigurationError(f"which sender? {' and '.join(names)} are set: set TWILIO_PHONE_NUMBER, or only one")
    try:
        return parse_e164(environment[names[0]]).e164
    except InvalidPhoneNumber as error:
        raise ConfigurationError(f"{names[0]} is no phone number: {error.message}") from None


async def adopt_environment_account(telephony: Telephony, settings: Settings) -> None:
    """Make the account and the number known to the default organization. Nothing happens where the variables are
    not set."""
    environment = settings.environment
    account_sid, auth_token = environment.get("TWILIO_ACCOUNT_SID"), environment.get("TWILIO_AUTH_TOKEN")
    number = sender_number(environment)
    if not account_sid or not auth_token or number is None or settings.default_organization is None:
        return
    try:
        organization_id = uuid.UUID(settings.default_organization)
    except ValueError:
        raise ConfigurationError("OFFHOOK_DEFAULT_ORGANIZATION is no id of an organization") from None
    account = await telephony.carrier_accounts.adopt(
        organization_id,
        carrier="twilio",
        external_account_id=account_sid,
        credentials={"auth_token": auth_token},
        base_url=environment.get("TWILIO_BASE_URL") or None,
    )
    await telephony.phone_numbers.adopt(organization_id, number, account.id)
