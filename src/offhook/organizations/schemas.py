"""Organizations and keys on the wire."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from offhook.core.http import Form, JsonObject, Text
from offhook.organizations.auth import Scope
from offhook.organizations.variables import MAX_DECLARED, DeclaredVariable

_TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"

Name = Annotated[Text, Field(min_length=1, max_length=100)]


class DestinationsSetting(BaseModel):
    """Who may be texted. Emergency and short numbers never are, whatever stands here; premium numbers and the like
    only where `allow_numbers` names them."""

    model_config = ConfigDict(extra="forbid")

    countries: list[Annotated[str, Field(min_length=2, max_length=2)]] = Field(
        ["CA", "US"], max_length=1000, description="ISO 3166 regions: Jamaica is JM, although its code is 1."
    )
    allow_numbers: list[str] = Field(
        [], max_length=1000, description="Numbers (E.164) that are reached whatever their kind and country."
    )
    admit_magic: bool = Field(False, description="Twilio's test numbers: for accounts on the emulator.")


class QuietHoursSetting(BaseModel):
    """By the recipient's clock: no text goes from `from` until `to`, over midnight where `from` is the later."""

    model_config = ConfigDict(extra="forbid")

    from_: str = Field("21:00", alias="from", pattern=_TIME_OF_DAY)
    to: str = Field("08:00", pattern=_TIME_OF_DAY)


class TextingSetting(BaseModel):
    """When and how often people are texted. A text beyond a limit is held until it may go, and says why. What is
    missing has its default; null switches a limit off."""

    model_config = ConfigDict(extra="forbid")

    quiet_hours: QuietHoursSetting | None = Field(
        QuietHoursSetting.model_validate({}),
        description="Replies within 24 hours, texts during a call or conversation, and own_numbers are exempt.",
    )
    recipient_daily_cap: Annotated[int, Field(ge=1)] | None = Field(
        20, description="Texts to one number within 24 hours."
    )
    daily_segments: Annotated[int, Field(ge=1)] | None = Field(
        1000, description="Segments of the organization in a calendar day of its time zone."
    )
    own_numbers: list[str] | None = Field(
        [], max_length=100, description="The organization's own people (E.164): at any hour. Nothing is verified yet."
    )
    time_zone: str | None = Field(
        None, description="IANA. Of recipients whose number tells nothing (toll-free), and of the calendar day."
    )


class OrganizationSettings(BaseModel):
    """What an organization sets; a key that is missing has its default."""

    model_config = ConfigDict(extra="forbid")

    destinations: DestinationsSetting | None = None
    texting: TextingSetting | None = None
    variables: list[DeclaredVariable] | None = Field(
        None, max_length=MAX_DECLARED, description="Variables that all its agents and tools may use."
    )


@dataclass(frozen=True, slots=True)
class ShownAs:
    """Described as `model` in the OpenAPI document, and checked elsewhere: each key by the domain that reads it."""

    model: type[BaseModel]

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(self.model.__pydantic_core_schema__)


class OrganizationOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    settings: Annotated[dict[str, Any], ShownAs(OrganizationSettings)]
    created_at: datetime
    updated_at: datetime


class OrganizationEnvelope(BaseModel):
    organization: OrganizationOut


class OrganizationChange(Form):
    """What is not sent stays. Each key of `settings` replaces the one of that name; null removes it."""

    name: Name | None = None
    settings: Annotated[JsonObject, ShownAs(OrganizationSettings)] | None = None


class ApiKeyOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    last4: str = Field(description="The last four characters of the key, to tell keys apart.")
    scopes: list[Scope]
    expires_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime


class ApiKeyEnvelope(BaseModel):
    api_key: ApiKeyOut


class NewApiKeyEnvelope(BaseModel):
    api_key: ApiKeyOut
    key: str = Field(description="The key itself. It is shown this once and not kept.")


class ApiKeyList(BaseModel):
    api_keys: list[ApiKeyOut]
    next_cursor: str | None


class NewApiKey(Form):
    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]
    expires_at: AwareDatetime | None = Field(None, description="With its UTC offset; null: never.")
