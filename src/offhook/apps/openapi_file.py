"""The OpenAPI document of the whole application, as `offhook openapi` writes and checks it."""

from __future__ import annotations

from typing import Any

from offhook.apps.api import create_app
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
