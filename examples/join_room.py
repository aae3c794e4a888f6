"""Call an agent in a LiveKit room, as somebody on the phone who types.

    LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET

    python examples/join_room.py --agent spoke-and-chain "Text me the booking link"

To the agent the caller is a participant of kind SIP with a phone number, though no telephone is there. The token also
dispatches the agent when the caller's joining makes the room, as a SIP dispatch rule does.
"""

import argparse
import asyncio
import os
import uuid

from livekit import api, rtc

# Seconds: a worker that is registered takes a job at once, but its process imports the model's library first.
PATIENCE = 60

QUIET = {"listening", "idle"}


def token(args: argparse.Namespace) -> str:
    agent = api.RoomAgentDispatch(agent_name=args.agent, metadata=args.metadata)
    attributes = {"sip.callStatus": "active", "sip.phoneNumber": args.caller, "sip.trunkPhoneNumber": args.called}
    return (
        api.AccessToken()
        .with_identity(f"sip_{args.caller}")
        .with_kind("sip")
        .with_attributes(attributes)
        .with_grants(api.VideoGrants(room_join=True, room=args.room))
        .with_room_config(api.RoomConfiguration(agents=[agent]))
        .to_jwt()
    )


async def call(args: argparse.Namespace) -> None:
    room, said, happened, reading = rtc.Room(), [], asyncio.Event(), set()

    async def read(reader: rtc.TextStreamReader) -> None:
        said.append(await reader.read_all())
        print("Agent   ", said[-1], flush=True)

    def read_out(task: asyncio.Task) -> None:
        reading.discard(task)
        happened.set()

    def transcription(reader: rtc.TextStreamReader, identity: str) -> None:
        if identity != room.local_participant.identity:
            task = asyncio.create_task(read(reader))
            reading.add(task)
            task.add_done_callback(read_out)

    def quiet() -> bool:
        return any(one.attributes.get("lk.agent.state") in QUIET for one in room.remote_participants.values())

    async def turn_over(heard: int) -> None:
        while len(said) == heard or reading or not quiet():
            happened.clear()
            await happened.wait()

    room.register_text_stream_handler("lk.transcription", transcription)
    room.on("participant_attributes_changed", lambda *_: happened.set())
    await room.connect(os.environ["LIVEKIT_URL"], token(args))
    print("Room    ", args.room)
    try:
        await asyncio.wait_for(turn_over(0), PATIENCE)
        for line in args.lines:
            print("Caller  ", line)
            heard = len(said)
            await room.local_participant.send_text(line, topic="lk.chat")
            await asyncio.wait_for(turn_over(heard), PATIENCE)
    except TimeoutError:
        raise SystemExit(f"{args.agent} said nothing for {PATIENCE} s: does a worker of that name run?") from None
    finally:
        await room.disconnect()


def main() -> None:
    parser = argparse.ArgumentParser(description="Call an agent in a LiveKit room, as somebody who types.")
    parser.add_argument("lines", nargs="*", help="what the caller says; each is one turn")
    parser.add_argument("--agent", default="offhook", help="the name under which the worker takes jobs")
    parser.add_argument("--metadata", default="", help='the dispatch\'s, such as {"agent_id": "…"}')
    parser.add_argument("--room", default=f"call-{uuid.uuid4().hex[:8]}", help="a new one, so that it is dispatched to")
    parser.add_argument("--from", dest="caller", default="+12025550143", help="the caller's number")
    parser.add_argument("--to", dest="called", default="+12025550100", help="the number called")
    asyncio.run(call(parser.parse_args()))


if __name__ == "__main__":
    main()
