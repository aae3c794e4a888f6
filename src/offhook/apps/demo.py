"""The demonstration: a made-up bicycle workshop whose agent texts people its booking link.

All numbers are +1 202 555 01xx, which belong to nobody.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from offhook.apps.instance import Demo, write_private
from offhook.client import Client
from offhook.core.db.pool import Database
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
    "description": (
        "Text the caller the link where they book a repair slot. Use it when they ask for the link or agree to get it."
    ),
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
    demo = Demo(str(organization.id), ORGANIZATION, "", AGENT, NUMBER, CALLER, key)
    write_private(demo_file(home), json.dumps(asdict(demo)))
    return demo


async def furnish(client: Client, demo: Demo, *, account_sid: str, auth_token: str, emulator_url: str) -> Demo:
    """Carrier account (the emulator), agent, number and tool, through the API as a customer would make them.

    Whatever is there already stays, so a first start that was interrupted is finished by the next; only the
    emulator's address follows the emulator.
    """
    account = await _carrier_account(client, account_sid, auth_token, emulator_url)
    agents = (await client.list_agents())["agents"]
    agent = next((agent for agent in agents if agent["name"] == AGENT), None)
    if agent is None:
        agent = await client.create_agent(name=AGENT, instructions=INSTRUCTIONS, greeting=GREETING)
    await _number(client, account["id"], agent["id"])
    await _tool(client, agent["id"])
    return replace(demo, agent_id=agent["id"])


async def _carrier_account(client: Client, account_sid: str, auth_token: str, emulator_url: str) -> dict[str, Any]:
    accounts = (await client.request("GET", "/api/carrier-accounts"))["carrier_accounts"]
    account = next((account for account in accounts if account["external_account_id"] == account_sid), None)
    if account is None:
        body = {
            "carrier": "twilio",
            "label": "Emulator (simulated carrier)",
            "credentials": {"account_sid": account_sid, "auth_token": auth_token},
            "base_url": emulator_url,
            "messages_per_second": 10,
        }
        return (await client.request("POST", "/api/carrier-accounts", json=body))["carrier_account"]
    if account["base_url"] != emulator_url:
        path = f"/api/carrier-accounts/{account['id']}"
        account = (await client.request("PATCH", path, json={"base_url": emulator_url}))["carrier_account"]
    return account


async def _number(client: Client, account_id: str, agent_id: str) -> None:
    numbers = (await client.request("GET", "/api/phone-numbers"))["phone_numbers"]
    if any(number["number"] == NUMBER for number in numbers):
        return
    body = {"number": NUMBER, "label": "Workshop", "carrier_account_id": account_id, "agent_id": agent_id}
    await client.request("POST", "/api/phone-numbers", json=body)


async def _tool(client: Client, agent_id: str) -> None:
    tools = (await client.list_tools())["tools"]
    tool = next((tool for tool in tools if tool["name"] == SMS_TOOL["name"]), None)
    if tool is None:
        tool = await client.create_tool(**SMS_TOOL)
    attached = (await client.request("GET", f"/api/agents/{agent_id}/tools"))["agent_tools"]
    if not any(link["tool_id"] == tool["id"] for link in attached):
        await client.attach_tool(agent_id, tool["id"])
