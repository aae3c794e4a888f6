"""Flow 5: a conversation in text, over the relay's socket, with the rehearsal model."""

from __future__ import annotations

from fixtures.deployment import CALLER, LINK, NUMBER, Deployment, make_workshop
from offhook.apps.conversation_view import play
from offhook.runtime.relay import Relay


async def test_who_asks_the_agent_in_text_gets_the_text(deployment: Deployment) -> None:
    agent_id = await make_workshop(deployment)
    relay = Relay(api_url=deployment.url, host="127.0.0.1", port=0, environment={})
    await relay.start()
    try:
        played = await play(
            f"ws://127.0.0.1:{relay.port}/conversations",
            deployment.key,
            person_number=CALLER,
            our_number=NUMBER,
            agent_id=agent_id,
            prompts=["text me the booking link"],
            console=None,
        )
    finally:
        await relay.aclose()
    assert "rehearsal" in played.model
    assert [call.is_error for turn in played.turns for call in turn.tool_calls] == [False]
    [text] = deployment.texts()
    assert (text.to, LINK in text.body) == (CALLER, True)
