"""Accounts and numbers on the wire."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from offhook.core.http import Form, JsonObject, Text

Label = Annotated[Text, Field(max_length=100)]
BaseUrl = Annotated[Text, Field(max_length=300)]
Pace = Annotated[float, Field(gt=0, le=1000)]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CarrierAccountOut(_Out):
    """Without credentials: those are written and never read."""

    id: uuid.UUID
    carrier: str
    label: str
    external_account_id: str
    base_url: str | None
    messages_per_second: float
    stopped_reason: str | None = Field(description="Set: nothing is sent until new credentials are entered.")
    created_at: datetime
    updated_at: datetime


class NewCarrierAccount(Form):
    carrier: Text
    external_account_id: Annotated[Text, Field(max_length=100)]
    credentials: JsonObject = Field(description="As the carrier's own form asks; kept encrypted, never shown.")
    label: Label = ""
    base_url: BaseUrl | None = Field(None, description="For an emulator.")
    messages_per_second: Pace = 1.0


class CarrierAccountChange(Form):
    """What is not sent stays."""

    label: Label | None = None
    base_url: BaseUrl | None = Field(None, description="Null: the carrier's own. Another one needs `credentials` too.")
    messages_per_second: Pace | None = Field(None, description="Null: 1, which is a new account's.")
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
    created_at: datetime


class NewPhoneNumber(Form):
    number: Annotated[Text, Field(max_length=64)]
    label: Label = ""
    carrier_account_id: uuid.UUID | None = Field(None, description="Without one, the number cannot text.")
    agent_id: uuid.UUID | None = Field(None, description="Who answers it.")


class PhoneNumberChange(Form):
    """What is not sent stays; null clears."""

    label: Label | None = None
    carrier_account_id: uuid.UUID | None = Field(None, description="Null: the number cannot text.")
    agent_id: uuid.UUID | None = Field(None, description="Who answers it. Null: nobody.")


class PhoneNumberEnvelope(BaseModel):
    phone_number: PhoneNumberOut


class PhoneNumberList(BaseModel):
    phone_numbers: list[PhoneNumberOut]
    next_cursor: str | None
