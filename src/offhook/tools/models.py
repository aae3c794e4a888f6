"""A tool as it is stored."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Tool:
    """One row of `tools`. A draft has no `type` and no `function_schema`."""

    id: uuid.UUID
    organization_id: uuid.UUID
    name: str
    label: str
    description: str
    type: str | None
    function_schema: Mapping[str, Any] | None
    static_config: Mapping[str, Any]
    config_metadata: Mapping[str, Any]
    is_async: bool
    platform_tool_id: uuid.UUID | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class UsingAgent:
    """An agent that a tool is attached to."""

    id: uuid.UUID
    name: str
