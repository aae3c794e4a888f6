"""What a form should show beside a field; written into `Annotated`, read from the JSON Schema as `x-form`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class FormHint:
    """`label` and `help` for people; `risk` is what they should know before they leave the field to the model."""

    label: str
    help: str = ""
    risk: str = ""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        hinted = dict(handler(schema))
        hinted["x-form"] = {name: text for name, text in asdict(self).items() if text}
        return hinted
