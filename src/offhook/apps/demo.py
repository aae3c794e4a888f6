"""The demonstration: a made-up bicycle workshop whose agent texts people its booking link.

All numbers are +1 202 555 01xx, which belong to nobody.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

from offhook.apps.instance import Demo, write_private
from offhook.client import Client
from offhook.core.db.pool import Database
from offhook.core.ids import new_id
from offhook.organizations.service import OrganizationService

ORGANIZATION = "Spoke & Chain"
AGENT = "Workshop desk"
NUMBER = "+12025550100"
CALLER = "+12025550143"
BOOKING_LINK = "https://spokeandchain.example/book"
GREETING = "Spoke & Chain, the bicycle workshop. How can I help?"
INSTRUCTIONS = (
    "You answer the phone of Spoke & Chain, a bicycle workshop. Callers want a repair slot, prices, or opening hours "
    "(Tuesday to Saturday, 9 to 18). You cannot book slots yourself: offer to text the booking link, and when the "
    "caller agrees, do it at once. Never read a link aloud. You need no number: the text goes to the number that is "
    "calling, {{caller_phone_number}}."
)
SMS_TOOL: dict[str, Any] = {
    "name": "Text the booking link",
    "type": "sms",
    "label": "Text the booking link",
    "description": "Text the caller the link where they book a repair slot. Use it when they ask for the link or agree to get it.",
    "from": {"type": "called_number"},
    "text": {"mode": "fixed", "value": f"Spoke & Chain: book your repair slot here: {BOOKING_LINK}"},
    "recipients": {"mode": "fixed", "value": ["{{caller_phone_number}}"]},
}


def demo_file(home: Path) -> Path:
    return home / "demo.json"


def read_demo(home: Path) -> Demo | None:
    try:
        return Demo(**json.loads(demo_file(home).read_text()))
    except (OSError, ValueError, TypeError):
        return None


async def make_organization(database: Database, pepper: bytes, home: Path) -> Demo:
    """The organization and its key; what the key can make is made through the API (`furnish`). Kept in the home."""
    organizations = OrganizationService(database, pepper)
    organization = await organizations.create_organization(ORGANIZATION)
    _, key = await organizations.create_api_key(organization.id, name="demonstration", scopes=["admin"])
    demo = Demo(str(organization.id), ORGANIZATION, str(new_id()), AGENT, NUMBER, CALLER, key)
    write_private(demo_file(home), json.dumps(asdict(demo)))
    return demo


async def furnish(client: Client, demo: Demo, *, account_sid: str, auth_token: str, emulator_url: str) -> Demo:
    """Carrier account (the emulator), agent, number and tool, through the API as a customer would make them.

    Done again it changes nothing but the emulator's address.
    """
    account = await _carrier_account(client, account_sid, auth_token, emulator_url)
    agents = (await client.request("GET", "/api/agents"))["agents"]
    if agents:
        return demo
    agent = (
        await client.request(
            "POST", "/api/agents", {"name": AGENT, "instructions": INSTRUCTIONS, "greeting": GREETING}
        )
    )["agent"]
    await client.request(
        "POST",
        "/api/phone-numbers",
        {
            "number": NUMBER,
            "label": "Workshop",
            "carrier_account_id": account["id"],
            "agent_id": agent["id"],
        },
    )
    tool = (await client.request("POST", "/api/tools", SMS_TOOL))["tool"]
    await client.request("POST", f"/api/agents/{agent['id']}/tools", {"tool_id": tool["id"]})
    return Demo(**{**asdict(demo), "agent_id": str(uuid.UUID(agent["id"]))})


async def _carrier_account(client: Client, account_sid: str, auth_token: str, emulator_url: str) -> dict[str, Any]:
    accounts = (await client.request("GET", "/api/carrier-accounts"))["carrier_accounts"]
    body = {
        "carrier": "twilio",
        "label": "Emulator (simulated carrier)",
        "credentials": {"account_sid": account_sid, "auth_token": auth_token},
        "base_url": emulator_url,
        "messages_per_second": 10,
    }
    if not accounts:
        return (await client.request("POST", "/api/carrier-accounts", body))["carrier_account"]
    account = accounts[0]
    if account["base_url"] != emulator_url:
        change = {"base_url": emulator_url}
        account = (await client.request("PATCH", f"/api/carrier-accounts/{account['id']}", change))["carrier_account"]
    return account
