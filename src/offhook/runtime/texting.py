"""`offhook.send_sms`: a function tool that texts the caller, for any LiveKit agent, also one that is not of Offhook's.

Configured by AGENT_SEND_SMS_URL (`https://…/api/livekit/agent-send-sms`) and AGENT_SEND_SMS_TOKEN, else
LIVEKIT_AGENT_CONFIG_TOKEN. Give it to an agent as it is: `Agent(tools=[offhook.send_sms])`.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (LiveKit's own generics are left open in its signatures.)

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

import aiohttp
from livekit.agents import ToolError, function_tool, get_job_context

TIMEOUT_SECONDS: Final = 12.0
"""The endpoint answers within 8 s (product.md section 7); the rest is the way there and back."""

NOT_CONFIGURED: Final = "SMS is not configured for this agent, so nothing was sent."
NO_CALL: Final = "There is no current call to text, so nothing was sent."
NOT_REACHED: Final = "The text was not sent: the service that sends it cannot be reached."
UNKNOWN: Final = (
    "The service did not answer in time, so it is unknown whether the text was sent. "
    "Do not say that it was sent or that it was not, and do not send it again on your own."
)
SENT: Final = "The text was sent."
HELD: Final = "The text is stored, but may not go now."
QUEUED: Final = "The text is on its way; it may take a moment to arrive."


@function_tool
async def send_sms(message: str, room_name: str | None = None) -> str:
    """Send a text message (SMS) to the person on the current call, for example a link or a follow-up.

    Args:
        message: The text to send.
        room_name: The room of the call. Leave it out for the current call.
    """
    url = os.environ.get("AGENT_SEND_SMS_URL")
    token = os.environ.get("AGENT_SEND_SMS_TOKEN") or os.environ.get("LIVEKIT_AGENT_CONFIG_TOKEN")
    if not url or not token:
        raise ToolError(NOT_CONFIGURED)
    job = get_job_context(required=False)
    room = room_name or (job.room.name if job is not None else None)
    if not room:
        raise ToolError(NO_CALL)
    status, answer = await _post(url, token, {"roomName": room, "body": message})
    if status == 200 and answer.get("success"):
        if "heldUntil" in answer:
            return _held(answer["heldUntil"])
        return QUEUED if answer.get("status") == "queued" else SENT
    raise ToolError(f"The text was not sent: {answer.get('message') or answer.get('error') or f'error {status}'}")


def _held(until: object) -> str:
    """What the model is told of a text that is not to go now."""
    try:
        moment = datetime.fromisoformat(str(until))
    except ValueError:
        return HELD
    clock = "their time" if moment.utcoffset() else "UTC"
    return f"{HELD} It goes on {moment:%A, %d %B at %H:%M}, {clock}: say that it will arrive then, not now."


async def _post(url: str, token: str, body: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.post(url, json=body, allow_redirects=False) as response,
        ):
            raw = await response.read()
            return response.status, _document(raw)
    except aiohttp.ClientConnectorError:
        raise ToolError(NOT_REACHED) from None
    except (TimeoutError, aiohttp.ClientError):
        raise ToolError(UNKNOWN) from None


def _document(raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except ValueError:
        return {}
    return cast("dict[str, Any]", document) if isinstance(document, dict) else {}
