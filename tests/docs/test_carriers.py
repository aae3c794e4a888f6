from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from fixtures.documents import code_spans, document, rows, section
from offhook.telephony import carriers as package
from offhook.telephony.carrier import Carrier, CarrierAccount, NotOffered

PAGE = document("reference/carriers.md")
NAMES = ("twilio", "telnyx")


def carrier(name: str) -> Carrier:
    return importlib.import_module(f"offhook.telephony.carriers.{name}").CARRIER(cast("Any", None))


def offer_rows() -> Sequence[tuple[str, Callable[[Carrier], str]]]:
    """Label and cell of each row of the table of what a carrier offers."""
    return (
        ("longest text", lambda c: f"{c.limits.max_characters} characters{_segments(c)}"),
        ("media in one text", lambda c: f"{c.limits.max_media}, together {_bytes(c.limits.max_media_total_bytes)}"),
        ("media from senders in", lambda c: ", ".join(sorted(c.limits.media_countries))),
        ("unknown outcome", _evidence),
        ("validity", lambda c: "yes" if c.honours_validity else "no"),
        ("redaction", lambda c: "by message" if _redacts(c) else "no"),
        ("price of a segment", lambda c: f"{c.prices.segment} {c.prices.currency}"),
        ("price of a text with media", lambda c: f"{c.prices.media} {c.prices.currency}"),
    )


def _segments(c: Carrier) -> str:
    return "" if c.limits.max_segments is None else f", {c.limits.max_segments} segments"


def _bytes(count: int | None) -> str:
    return "unlimited" if count is None else f"{count:_} bytes".replace("_", " ")


def _evidence(c: Carrier) -> str:
    return {(True, False): "list", (False, True): "key", (True, True): "list, key"}[c.lists_messages, c.honours_keys]


def _redacts(c: Carrier) -> bool:
    """Whoever does not offer it says so before anything is asked; who does fails here for want of a session."""
    account = CarrierAccount(cast("Any", None), cast("Any", None), c.name, "", None, {})
    asking = c.redact_message(account, "x", with_media=False)
    try:
        cast("Any", asking).send(None)
    except NotOffered:
        return False
    except AttributeError:
        return True
    raise AssertionError("it waits for something")


def test_every_carrier_is_on_the_page() -> None:
    assert sorted(NAMES) == sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def test_the_table_of_what_each_offers_is_the_code() -> None:
    told = [tuple(row) for row in rows(section(PAGE, "## What each offers"))]
    assert told == [(label, *(cell(carrier(name)) for name in NAMES)) for label, cell in offer_rows()]


@pytest.mark.parametrize("name", NAMES)
def test_the_sources_of_prices_are_told(name: str) -> None:
    assert " ".join(carrier(name).prices.source.split()) in " ".join(PAGE.split())


@pytest.mark.parametrize("name", NAMES)
def test_statuses_map_as_told(name: str) -> None:
    known = importlib.import_module(f"offhook.telephony.carriers.{name}.events").STATUSES
    told = {code_spans(row[0])[0]: code_spans(row[1])[0] for row in rows(_part(name, "### Statuses"))}
    assert told == dict(known)


@pytest.mark.parametrize("name", NAMES)
def test_the_table_of_codes_is_the_adapters(name: str) -> None:
    errors = importlib.import_module(f"offhook.telephony.carriers.{name}.errors").ERRORS
    told = [tuple(row) for row in rows(_part(name, "### Codes"))]
    assert told == [
        (r.code, r.treatment.value + (f", {r.repeats} ×" if r.repeats else ""), r.sentence) for r in errors.values()
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_table_of_media_is_the_adapters(name: str) -> None:
    told = {
        content_type: int(row[0].replace(" ", ""))
        for row in rows(_part(name, "### Media"))
        for content_type in code_spans(row[1])
    }
    assert told == dict(carrier(name).limits.media_types)


def _part(name: str, heading: str) -> str:
    return section(section(PAGE, f"## {name.capitalize()}"), heading)
