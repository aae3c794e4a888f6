"""An agent of a (made-up) bicycle workshop that texts its callers links and follow-ups.

It knows nothing of Offhook but one endpoint, so it shows what any LiveKit agent can do:

    AGENT_SEND_SMS_URL=http://127.0.0.1:8710/api/livekit/agent-send-sms
    AGENT_SEND_SMS_TOKEN=…     (AGENT_SMS_SECRET of the server; else LIVEKIT_AGENT_CONFIG_TOKEN)
    LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET, OPENAI_API_KEY

    python examples/send_sms_agent.py start

It talks in text (`lk.chat`, `lk.transcription`); give the session STT and TTS, and it talks by voice. With
MODEL=rehearsal it needs no key: Offhook's stand-in then takes the model's place. Call it with examples/join_room.py.
"""

import asyncio
import math
import os

import aiohttp
from livekit.agents import (
    Agent,
    AgentServer,
    AgentSession,
    CloseEvent,
    JobContext,
    ToolError,
    cli,
    function_tool,
    get_job_context,
    room_io,
)

AGENT_NAME = os.environ.get("AGENT_NAME", "spoke-and-chain")

INSTRUCTIONS = """\
You answer the phone of Spoke & Chain, a bicycle workshop. Be brief and friendly: your words are spoken.
The workshop repairs bicycles of every kind, Tuesday to Saturday, nine to six. A repair starts with a booked slot.

Nobody can write a link down while riding. Whenever one would help, offer to text it with send_sms:
- to book a repair slot: https://spokeandchain.example/book
- the price list: https://spokeandchain.example/prices
- the way to the workshop: https://spokeandchain.example/map
At the end, offer a text that sums up what was agreed: the day, the repair, the price.
Say that a text was sent only when the tool says so. If it is on its way, say that. If it failed, say that too.
"""

GREETING = "Spoke and Chain, hello! How can I help?"

# The endpoint takes up to 8 s to hand the text to the carrier.
TIMEOUT = aiohttp.ClientTimeout(total=12)

# Whoever was dispatched before the caller joined waits this long, in seconds, for somebody to greet.
CALLER_WAIT = 60


@function_tool
async def send_sms(message: str, room_name: str | None = None) -> str:
    """Send a text message (SMS) to the person on the call: a link, or a follow-up on what was agreed.

    Args:
        message: The text to send.
        room_name: The room of the call. Leave it out for the current call.
    """
    url = os.environ.get("AGENT_SEND_SMS_URL")
    token = os.environ.get("AGENT_SEND_SMS_TOKEN") or os.environ.get("LIVEKIT_AGENT_CONFIG_TOKEN")
    if not url or not token:
        raise ToolError("SMS is not configured for this agent, so nothing was sent.")
    job = get_job_context(required=False)
    room = room_name or (job.room.name if job else None)
    if not room:
        raise ToolError("There is no current call to text, so nothing was sent.")
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT) as http,
            http.post(
                url, json={"roomName": room, "body": message}, headers={"Authorization": f"Bearer {token}"}
            ) as response,
        ):
            answer = await response.json(content_type=None)
    except aiohttp.ClientConnectorError:
        raise ToolError("The text was not sent: the service that sends it cannot be reached.") from None
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise ToolError("It is unknown whether the text was sent. Do not send it again on your own.") from None
    if not isinstance(answer, dict) or not answer.get("success"):
        reason = answer.get("message") or answer.get("error") if isinstance(answer, dict) else response.status
        raise ToolError(f"The text was not sent: {reason}")
    return "The text is on its way." if answer.get("status") == "queued" else "The text was sent."


def language_model():
    if os.environ.get("MODEL") == "rehearsal":
        from offhook.runtime.rehearsal import RehearsalLLM

        return RehearsalLLM()
    from livekit.plugins import openai

    return openai.LLM(model=os.environ.get("MODEL", "gpt-4.1"))


async def answer_call(ctx: JobContext) -> None:
    try:
        await asyncio.wait_for(ctx.wait_for_participant(), CALLER_WAIT)
    except TimeoutError:
        ctx.shutdown(reason="nobody came")
        return
    session = AgentSession(llm=language_model(), vad=None, turn_handling={"turn_detection": None})

    @session.on("close")
    def ended(_: CloseEvent) -> None:
        ctx.shutdown(reason="the session ended")

    await session.start(
        Agent(instructions=INSTRUCTIONS, tools=[send_sms]),
        room=ctx.room,
        room_options=room_io.RoomOptions(audio_input=False, audio_output=False),
        # LiveKit's default would publish each tool call's arguments to everybody in the room.
        session_host=False,
    )
    await session.say(GREETING)


# LiveKit's default refuses calls while the machine's processors are busy above 0.7, whatever keeps them busy: on a
# laptop the caller would wait in silence. Where several machines share the calls, leave `load_threshold` out, so that
# a busy one leaves the call to another.
server = AgentServer(host="127.0.0.1", port=0, load_threshold=math.inf)
server.rtc_session(answer_call, agent_name=AGENT_NAME)

if __name__ == "__main__":
    cli.run_app(server)
