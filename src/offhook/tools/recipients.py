"""Whom a call reaches: numbers as people and models write them, read, vouched for, and shown without telling them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import phonenumbers

from offhook.core.errors import ToolError
from offhook.core.phone import InvalidPhoneNumber, parse_e164
from offhook.core.variable_filters import as_text
from offhook.core.variables import Provenance
from offhook.tools.calls import Call, Entry, Recipient
from offhook.tools.ports import ConversationContext

_NUMBERS_KEPT: Final = 2048
"""Reading a number takes 50 µs (measured), several times what the rest of a call's preparation does."""


def read_recipients(context: ConversationContext, entries: Iterable[Entry], most: int) -> tuple[Recipient, ...]:
    """Each number once, with the best provenance that it was given with; the caller's own is signalling's. Raises
    ToolError for what is no number, for nobody, and for more than `most`."""
    region = _home_region(context)
    found: dict[str, Provenance] = {}
    for entry in entries:
        written = as_text(entry.value)
        try:
            number = _e164(written, region)
        except InvalidPhoneNumber as error:
            say = f"A recipient is no phone number: {error.message}. Ask for the number again. Nothing was sent."
            raise ToolError(say, code=error.code) from None
        vouched = Provenance.SIGNALLING if number == context.person_number else entry.provenance
        found[number] = max(vouched, found.get(number, vouched))
    if not found:
        raise ToolError("There is nobody to send it to: give at least one recipient.", code="no_recipient")
    if len(found) > most:
        raise ToolError(f"One text goes to at most {most} numbers. Nothing was sent.", code="too_many_recipients")
    return tuple(Recipient(number, provenance) for number, provenance in found.items())


def shown(call: Call, number: str) -> str:
    """The model reads no number in full that it did not write itself."""
    if number in _given_numbers(call):
        return number
    whose = "the caller's number" if number == call.context.person_number else "the number"
    return f"{whose} ending {number[-2:]}"


def _given_numbers(call: Call) -> set[str]:
    region, given = _home_region(call.context), set[str]()
    for argument in call.arguments.values():
        for part in argument if isinstance(argument, list) else [argument]:
            try:
                given.add(_e164(part, region) if isinstance(part, str) else "")
            except InvalidPhoneNumber:
                continue
    return given


def _home_region(context: ConversationContext) -> str | None:
    """Where a number without country code is taken to be: the country of our number, else of the person's."""
    home = context.our_number or context.person_number
    return None if home is None else _region_of(home)


@lru_cache(maxsize=_NUMBERS_KEPT)
def _e164(written: str, region: str | None) -> str:
    """Raises InvalidPhoneNumber. Kept, since one number comes several times in a call."""
    return parse_e164(written, region).e164


@lru_cache(maxsize=_NUMBERS_KEPT)
def _region_of(home: str) -> str | None:
    try:
        region = phonenumbers.region_code_for_country_code(parse_e164(home).country_code)
    except InvalidPhoneNumber:
        return None
    return None if region in ("ZZ", phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY) else region
