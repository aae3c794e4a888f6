"""A catalogue entry as it is stored."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class PlatformTool:
    """One row of `platform_tools`. Without `organization_id` it is everybody's, and only the operator writes it.

    `config_schema` makes a form; `tool_functions_schema` (`{"functions": [...]}`) goes to the model. Never mixed.
    """

    id: uuid.UUID
    organization_id: uuid.UUID | None
    name: str
    display_name: str
    description: str
    config_schema: Mapping[str, Any]
    auth_type: str
    auth_config: Mapping[str, Any]
    tool_functions_schema: Mapping[str, Any]
    source: str
    version: str
    retired_at: datetime | None
    created_at: datetime
    updated_at: datetime
