"""Agents and what links them to tools, as they are stored."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Agent:
    """`variables`: those it declares, as organizations/variables.py writes them."""

    id: uuid.UUID
    organization_id: uuid.UUID
    name: str
    instructions: str
    greeting: str
    settings: Mapping[str, Any]
    variables: Sequence[Mapping[str, Any]]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AgentTool:
    """The link between an agent and a tool, with what is shown of the tool. The sensitive config stays sealed."""

    id: uuid.UUID
    organization_id: uuid.UUID
    agent_id: uuid.UUID
    tool_id: uuid.UUID
    is_enabled: bool
    config: Mapping[str, Any]
    sensitive_config: bytes | None = field(repr=False)
    disabled_functions: Sequence[str]
    created_at: datetime
    tool_name: str
    tool_type: str | None
    function_schema: Mapping[str, Any] | None
    static_config: Mapping[str, Any]
    called_as: Mapping[str, str]
    """Function of the tool -> the name by which this agent's model calls it; without those switched off."""
