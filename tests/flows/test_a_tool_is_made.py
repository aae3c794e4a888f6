"""Flow 2: a tool is made: preview and save are the same compile, errors name their fields, the next call has it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from fixtures.deployment import CALLER, LINK_TOOL, NUMBER, Deployment, make_workshop
from offhook.client import ApiError


async def test_what_the_preview_shows_is_what_is_saved(deployment: Deployment) -> None:
    async with deployment.client() as client:
        shown = await client.request("POST", "/api/tools/preview", json=LINK_TOOL)
        saved = await client.create_tool(**LINK_TOOL)
    preview = shown.get("preview", shown)
    assert preview["function_schema"] == saved["function_schema"]
    assert preview["static_config"] == saved["static_config"]
    assert saved["config_metadata"]["text"] == LINK_TOOL["text"]


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"text": {"mode": "fixed", "value": "Hello {{caller_phone_numbr}}"}}, "text", "caller_phone_number"),
        ({"from": {"type": "specific_number"}}, "from", "phone_number_id"),
        ({"text": {"mode": "fixed", "value": "x" * 1601}}, "text", "1600"),
        ({"name": "x" * 51}, "name", "50"),
        ({"recipients": {"mode": "perhaps"}}, "recipients", "mode"),
    ],
)
async def test_a_form_that_is_wrong_names_its_field(
    deployment: Deployment, change: dict[str, Any], path: str, said: str
) -> None:
    async with deployment.client() as client:
        with pytest.raises(ApiError) as refused:
            await client.create_tool(**(LINK_TOOL | change))
    problem = refused.value
    assert problem.http_status == 422
    assert any(path in str(field) for field in problem.fields), problem.fields
    assert said in str(problem.fields) + problem.detail


async def test_a_change_is_there_from_the_next_conversation_and_not_in_this_one(deployment: Deployment) -> None:
    await make_workshop(deployment)
    async with deployment.client() as client:
        first = await client.open_conversation(str(uuid.uuid4()), channel="web", our_number=NUMBER)
        [tool] = (await client.list_tools())["tools"]
        await client.request("PATCH", f"/api/tools/{tool['id']}", json={**LINK_TOOL, "description": "Changed."})
        again = await client.open_conversation(first.id, channel="web", our_number=NUMBER)
        second = await client.open_conversation(
            str(uuid.uuid4()), channel="web", our_number=NUMBER, person_number=CALLER
        )
    assert again.release.digest == first.release.digest
    assert second.release.digest != first.release.digest
    assert "Changed." in second.release.functions[0].description
