"""The demonstration: a made-up bicycle workshop whose agent texts people its booking link.

All numbers are +1 202 555 01xx, which belong to nobody.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from offhook.apps.instance import Demo
from offhook.client import Client
from offhook.core.private_files import write_private

if TYPE_CHECKING:  # it brings FastAPI, and `offhook up` has children to start first
    from offhook.apps.wiring import Services

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
SETTINGS = {"texting": {"quiet_hours": None, "recipient_daily_cap": None, "daily_segments": None}}
"""The demonstration texts at any hour and as often as one likes: its carrier is the emulator, which reaches nobody."""

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


async def make_organization(services: Services, home: Path) -> Demo:
    """The organization and its key; what the key can make is made through the API (`furnish`). Kept in the home."""
    organization = await services.organizations.create_organization(ORGANIZATION, SETTINGS)
    _, key = await services.organizations.create_api_key(organization.id, name="demonstration", scopes=["admin"])
    demo = Demo(str(organization.id), ORGANIZATION, "", AGENT, NUMBER, CALLER, key)
    write_private(demo_file(home), json.dumps(asdict(demo)))
    return demo


async def connect_emulator(services: Services, demo: Demo, *, account_sid: str, auth_token: str, url: str) -> None:
    """The emulator as the organization's carrier, wherever it listens this time."""
    await services.telephony.carrier_accounts.adopt(
        uuid.UUID(demo.organization_id),
        carrier="twilio",
        external_account_id=account_sid,
        credentials={"auth_token": auth_token},
        base_url=url,
        messages_per_second=10,
    )


async def furnish(client: Client, demo: Demo, emulator_url: str) -> Demo:
    """Agent, number and tool, through the API as a customer would make them.

    Whatever is there already stays, so a first start that was interrupted is finished by the next.
    """
    await _texting(client)
    agents = (await client.list_agents())["agents"]
    agent = next((agent for agent in agents if agent["name"] == AGENT), None)
    if agent is None:
        agent = await client.create_agent(name=AGENT, instructions=INSTRUCTIONS, greeting=GREETING)
    await _number(client, agent["id"])
    await _tool(client, agent["id"])
    await _hear_texts(client, emulator_url)
    return replace(demo, agent_id=agent["id"])


async def _texting(client: Client) -> None:
    """For a demonstration that was made before there were quiet hours."""
    organization = (await client.request("GET", "/api/organization"))["organization"]
    if "texting" not in organization["settings"]:
        await client.request("PATCH", "/api/organization", json={"settings": SETTINGS})


async def _number(client: Client, agent_id: str) -> None:
    numbers = (await client.request("GET", "/api/phone-numbers"))["phone_numbers"]
    if any(number["number"] == NUMBER for number in numbers):
        return
    [account, *_] = (await client.request("GET", "/api/carrier-accounts"))["carrier_accounts"]
    body = {"number": NUMBER, "label": "Workshop", "carrier_account_id": account["id"], "agent_id": agent_id}
    await client.request("POST", "/api/phone-numbers", json=body)


async def _tool(client: Client, agent_id: str) -> None:
    tools = (await client.list_tools())["tools"]
    tool = next((tool for tool in tools if tool["name"] == SMS_TOOL["name"]), None)
    if tool is None:
        tool = await client.create_tool(**SMS_TOOL)
    attached = (await client.request("GET", f"/api/agents/{agent_id}/tools"))["agent_tools"]
    if not any(link["tool_id"] == tool["id"] for link in attached):
        await client.attach_tool(agent_id, tool["id"])


async def _hear_texts(client: Client, emulator_url: str) -> None:
    """What people text to the number comes in, wherever the API listens this time: as one enters it at a carrier."""
    [account, *_] = (await client.request("GET", "/api/carrier-accounts"))["carrier_accounts"]
    wish = {"number": NUMBER, "sms_url": account["inbound_url"]}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{emulator_url}/_emulator/numbers", json=wish) as answer,
    ):
        answer.raise_for_status()
