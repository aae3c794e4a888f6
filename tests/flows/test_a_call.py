"""Flow 1: a call. The model asks for the link; the text arrives at the caller's phone; the answer comes back."""

from __future__ import annotations

import json
import uuid

import pytest
from livekit.agents import AgentSession

from fixtures.api import WORKER_KEY
from fixtures.deployment import CALLER, LINK, NUMBER, Deployment, make_workshop
from fixtures.scripted_model import ScriptedLLM
from offhook.client import ApiError
from offhook.runtime.conversation import Conversation


async def test_a_caller_who_asks_for_the_link_gets_the_text(deployment: Deployment) -> None:
    await make_workshop(deployment)
    model = ScriptedLLM({"calls": [("text_the_booking_link", {})]}, "It is on its way.")
    async with deployment.client(WORKER_KEY) as client:
        conversation = await Conversation.open(
            client, channel="phone", person_number=CALLER, our_number=NUMBER, room_name="call-1", room_sid="RM_1"
        )
        async with AgentSession(llm=model, vad=None, turn_handling={"turn_detection": None}) as session:
            conversation.listen(session)
            await session.start(conversation.agent(greets=False))
            await session.run(user_input="Text me the link, please.")
        await conversation.close("ended")

    [text] = deployment.texts()
    assert (text.to, LINK in text.body) == (CALLER, True)
    [output] = model.outputs()
    assert not output.is_error
    assert json.loads(output.output)
    assert CALLER not in output.output
    await _closed(deployment, "RM_1")


async def _closed(deployment: Deployment, room_sid: str) -> None:
    async with deployment.services.database.tenant(deployment.organization_id) as connection:
        call = await connection.fetchrow("select * from voice_calls where room_sid = $1", room_sid)
        tool_call = await connection.fetchrow("select * from tool_calls")
        message = await connection.fetchrow("select * from messages")
    assert call is not None
    assert tool_call is not None
    assert message is not None
    assert (call["status"], call["client_phone"], call["our_number"]) == ("closed", CALLER, NUMBER)
    assert (tool_call["status"], tool_call["effect"]) == ("done", "done")
    assert message["conversation_id"] == tool_call["conversation_id"] == call["conversation_id"]


async def test_a_number_that_nobody_answers_says_what_the_operator_must_do(deployment: Deployment) -> None:
    await make_workshop(deployment)
    async with deployment.client(WORKER_KEY) as client:
        with pytest.raises(ApiError) as refused:
            await client.open_conversation(str(uuid.uuid4()), channel="phone", our_number="+12025550199")
    assert refused.value.code == "agent_not_found"
    assert "/api/phone-numbers" in refused.value.detail
    assert "+12025550199" not in refused.value.detail
