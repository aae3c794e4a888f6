"""The carriers that exist: one folder each, found by looking. Adding a carrier is adding its folder and tests."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import cast

import aiohttp

from offhook.core.egress import Egress
from offhook.telephony.carrier import Carrier


def carriers(session: aiohttp.ClientSession, egress: Egress | None = None) -> Mapping[str, Carrier]:
    """Every carrier by its name, sharing one HTTP session. A folder declares its own as `CARRIER`.

    `egress` fetches the media that are not at the carrier itself; without it they are refused.
    """
    found: dict[str, Carrier] = {}
    for module in pkgutil.iter_modules(__path__):
        declared = importlib.import_module(f"{__name__}.{module.name}")
        make = cast("Callable[[aiohttp.ClientSession, Egress | None], Carrier]", declared.CARRIER)
        carrier = make(session, egress)
        found[carrier.name] = carrier
    return found
