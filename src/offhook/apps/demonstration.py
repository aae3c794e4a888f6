"""The demonstration on the first start: one conversation in the terminal, and the text as it arrives."""

from __future__ import annotations

from rich.console import Console

from offhook.apps.conversation_view import play, show_texts
from offhook.apps.instance import Instance

PROMPTS = (
    "Hi, my rear brake is squealing. Can I bring the bike in this week?",
    "Yes please, text me the booking link.",
)


async def play_demonstration(instance: Instance, console: Console) -> None:
    """Who says what, the tool call with its milliseconds, the text on the caller's phone."""
    demo = instance.demo
    console.print()
    console.rule(f"a call to {demo.organization_name}, {demo.number}")
    played = await play(
        instance.relay_url,
        demo.api_key,
        person_number=demo.caller,
        our_number=demo.number,
        agent_id=demo.agent_id,
        prompts=PROMPTS,
        console=console,
    )
    await show_texts(instance.emulator_url, demo.caller, after=played.texts_after, console=console, wait_seconds=5.0)
    console.rule()
