"""Writes docs/reference/openapi.json: `python -m offhook.apps.openapi_file docs/reference/openapi.json`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from offhook.apps.api import create_app
from offhook.apps.openapi import as_text
from offhook.apps.wiring import make_services
from offhook.core.db.pool import Database
from offhook.core.settings import Settings
from offhook.secrets.keyring import KEY_BYTES, KeyRing


async def make_document() -> dict[str, Any]:
    """The document of the whole API. No database is reached: routes know their services by class only."""
    settings = Settings.from_environment({"OFFHOOK_HOME": "."})
    ring = KeyRing({"none": bytes(KEY_BYTES)}, bytes(KEY_BYTES))
    services = make_services(settings, Database("postgresql://"), ring)
    try:
        return create_app(services.parts()).state.openapi
    finally:
        await services.telephony.close()


def main(arguments: list[str]) -> None:
    Path(arguments[0]).write_text(as_text(asyncio.run(make_document())), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
