"""Accounts and numbers on the wire."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from offhook.core.http import Form, JsonObject, Text
from offhook.telephony.amounts import Amount
from offhook.telephony.models import AccountRow, AccountTerms

Label = Annotated[Text, Field(max_length=100)]
BaseUrl = Annotated[Text, Field(max_length=300)]
Pace = Annotated[float, Field(gt=0, le=1000)]
Price = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=6)]
Currency = Annotated[Text, Field(pattern="^[A-Z]{3}$", description="ISO 4217, of both prices.")]

_TOTAL = "Segments a second over all its senders together; null: only each sender's own pace counts."
_SEGMENT_PRICE = "Of one segment, for estimates; null: the carrier's usual one."
_MEDIA_PRICE = "Of one text with media, for estimates; null: the carrier's usual one."
_PACE = "Segments a second; null: its account's pace."
_STOPPED = "Set: its texts wait until it is started again."


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CarrierAccountOut(_Out):
    """Without credentials: those are written and never read."""

    id: uuid.UUID
    carrier: str
    label: str
    external_account_id: str
    base_url: str | None
    messages_per_second: float = Field(description="Segments a second, of each sender that has no pace of its own.")
    total_per_second: float | None = Field(description=_TOTAL)
    segment_price: Amount | None = Field(description=_SEGMENT_PRICE)
    media_price: Amount | None = Field(description=_MEDIA_PRICE)
    price_currency: str
    stopped_reason: str | None = Field(
        description="Set: nothing is sent until new credentials are entered or the account is started."
    )
    inbound_url: str | None = Field(
        description="Enter it at the carrier as the webhook for texts to your numbers. Null: OFFHOOK_PUBLIC_URL is not "
        "set, so the carrier cannot reach this Offhook."
    )
    created_at: datetime
    updated_at: datetime


def account_view(account: AccountRow, inbound_url: str | None) -> CarrierAccountOut:
    return CarrierAccountOut.model_validate({**asdict(account), "inbound_url": inbound_url})


class NewCarrierAccount(Form):
    carrier: Text
    external_account_id: Annotated[Text, Field(max_length=100)]
    credentials: JsonObject = Field(description="As the carrier's own form asks; kept encrypted, never shown.")
    label: Label = ""
    base_url: BaseUrl | None = Field(None, description="For an emulator, where the deployment's operator allows it.")
    messages_per_second: Pace = 1.0
    total_per_second: Pace | None = Field(None, description=_TOTAL)
    segment_price: Price | None = Field(None, description=_SEGMENT_PRICE)
    media_price: Price | None = Field(None, description=_MEDIA_PRICE)
    price_currency: Currency = "USD"

    def terms(self) -> AccountTerms:
        return AccountTerms(self.total_per_second, self.segment_price, self.media_price, self.price_currency)


class CarrierAccountChange(Form):
    """What is not sent stays."""

    label: Label | None = None
    base_url: BaseUrl | None = Field(None, description="Null: the carrier's own. Another one needs `credentials` too.")
    messages_per_second: Pace | None = Field(None, description="Null: 1, which is a new account's.")
    total_per_second: Pace | None = Field(None, description=_TOTAL)
    segment_price: Price | None = Field(None, description=_SEGMENT_PRICE)
    media_price: Price | None = Field(None, description=_MEDIA_PRICE)
    price_currency: Currency | None = Field(None, description="Null: USD.")
    credentials: JsonObject = Field(
        default_factory=dict, description="Entered anew: sending goes on where it was stopped for the old ones."
    )


class CarrierAccountEnvelope(BaseModel):
    carrier_account: CarrierAccountOut


class CarrierAccountList(BaseModel):
    carrier_accounts: list[CarrierAccountOut]
    next_cursor: str | None


class PhoneNumberOut(_Out):
    id: uuid.UUID
    number: str
    label: str
    carrier_account_id: uuid.UUID | None
    agent_id: uuid.UUID | None
    messages_per_second: float | None = Field(description=_PACE)
    stopped_reason: str | None = Field(description=_STOPPED)
    created_at: datetime


class NewPhoneNumber(Form):
    number: Annotated[Text, Field(max_length=64)]
    label: Label = ""
    carrier_account_id: uuid.UUID | None = Field(None, description="Without one, the number cannot text.")
    agent_id: uuid.UUID | None = Field(None, description="Who answers it.")
    messages_per_second: Pace | None = Field(None, description=_PACE)


class PhoneNumberChange(Form):
    """What is not sent stays; null clears."""

    label: Label | None = None
    carrier_account_id: uuid.UUID | None = Field(None, description="Null: the number cannot text.")
    agent_id: uuid.UUID | None = Field(None, description="Who answers it. Null: nobody.")
    messages_per_second: Pace | None = Field(None, description=_PACE)


class PhoneNumberEnvelope(BaseModel):
    phone_number: PhoneNumberOut


class PhoneNumberList(BaseModel):
    phone_numbers: list[PhoneNumberOut]
    next_cursor: str | None


class MessagingServiceOut(_Out):
    id: uuid.UUID
    carrier_account_id: uuid.UUID
    external_id: str = Field(description="The carrier's own id of it: Twilio's MG…, Telnyx's messaging profile.")
    label: str
    messages_per_second: float | None = Field(description=_PACE)
    stopped_reason: str | None = Field(description=_STOPPED)
    created_at: datetime


class NewMessagingService(Form):
    carrier_account_id: uuid.UUID
    external_id: Annotated[Text, Field(max_length=100)] = Field(description="The carrier's own id of it.")
    label: Label = ""
    messages_per_second: Pace | None = Field(None, description=_PACE)


class MessagingServiceChange(Form):
    """What is not sent stays; null clears."""

    label: Label | None = None
    messages_per_second: Pace | None = Field(None, description=_PACE)


class MessagingServiceEnvelope(BaseModel):
    messaging_service: MessagingServiceOut


class MessagingServiceList(BaseModel):
    messaging_services: list[MessagingServiceOut]
    next_cursor: str | None
