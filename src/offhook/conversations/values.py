"""The variables of one conversation, each with its provenance; and texts with them put in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from offhook.core.variables import MissingVariable, Provenance, Template, UnusableVariable, Value, VariableError
from offhook.tools.functions import NOT_KNOWN


def conversation_values(
    *,
    conversation_id: uuid.UUID,
    person_number: str | None,
    our_number: str | None,
    release: Mapping[str, Any],
    stored: Mapping[str, Any],
    now: datetime,
) -> dict[str, Value]:
    """Everything that has a value now. `stored` is the conversation's row: dispatch values and what tools stored."""
    agent = release["agent"]
    values: dict[str, Value] = {}
    for declared in release["variables"]:
        if declared.get("value") is not None:
            values[declared["name"]] = Value(declared["value"], Provenance.ORGANIZATION)
    for name, entry in stored.items():
        values[name] = Value(entry["value"], Provenance[entry["provenance"]])
    if person_number is not None:
        values["caller_phone_number"] = Value(person_number, Provenance.SIGNALLING)
    if our_number is not None:
        values["called_phone_number"] = Value(our_number, Provenance.SIGNALLING)
    values["call_id"] = Value(str(conversation_id), Provenance.ORGANIZATION)
    values["agent_name"] = Value(agent["name"], Provenance.ORGANIZATION)
    values["organization_name"] = Value(release["organization_name"], Provenance.ORGANIZATION)
    values["now"] = Value(_local(now, agent["settings"].get("time_zone")), Provenance.ORGANIZATION)
    return values


def stored_form(values: Mapping[str, Value]) -> dict[str, Any]:
    """As the conversation's row keeps them."""
    return {name: {"value": value.value, "provenance": value.provenance.name} for name, value in values.items()}


def _local(now: datetime, zone: str | None) -> str:
    try:
        return now.astimezone(ZoneInfo(zone or "UTC")).isoformat(timespec="seconds")
    except (ZoneInfoNotFoundError, ValueError):
        return now.isoformat(timespec="seconds")


def spoken(text: str, values: Mapping[str, Value]) -> str:
    """An agent's own words with variables put in. What has no value is named unknown: a call whose caller ID is
    hidden must still be answered. (A tool, by contrast, sends nothing when a value is missing.)"""
    try:
        template = Template.parse(text)
    except VariableError:
        return text
    known = dict(values)
    while True:
        try:
            return template.render(known).text
        except (MissingVariable, UnusableVariable) as error:
            if known.get(error.name) == Value(NOT_KNOWN, Provenance.ORGANIZATION):
                return text
            known[error.name] = Value(NOT_KNOWN, Provenance.ORGANIZATION)
