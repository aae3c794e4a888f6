"""The rehearsal model: stands in for a language model, so that everything runs without a key. Deterministic.

Two skills, no more: it chooses a function by the caller's words, and it asks for one missing required argument
at a time, taking phone numbers, e-mails, numbers and quoted text from the answers. It keeps no state: each reply
is worked out anew from the conversation so far.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (LiveKit's own generics are left open in its signatures.)

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, llm
from livekit.agents.types import NotGivenOr

from offhook.runtime.spoken import report

MODEL: Final = "rehearsal"
LABEL: Final = "rehearsal (simulated)"
"""How it is shown wherever it speaks: nobody shall take it for a language model."""

_STOP_WORD: Final = re.compile(
    "a|about|an|and|are|as|at|be|but|by|can|could|do|for|from|have|how|i|if|in|is|it|its|me|my|need|no|not|of|on|or|"
    "our|please|so|some|that|the|them|then|this|to|us|was|we|what|when|which|will|with|would|yes|you|your"
)
_SAME_WORD: Final = {"sm": "text", "message": "text", "messag": "text", "mail": "email", "telephone": "phone"}
_NEVER_MIND: Final = re.compile(r"\b(never ?mind|cancel that|forget it|stop)\b", re.IGNORECASE)
_AGAIN: Final = re.compile(r"\bagain\b", re.IGNORECASE)
_PHONE: Final = re.compile(r"\+?\d(?:[\s().-]{0,2}\d){6,14}")
_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_QUOTED: Final = re.compile(r"[\"“”„«]([^\"“”„«»]+)[\"“”»]")
_PATTERNS: Final = {"phone": _PHONE, "email": _EMAIL, "integer": _NUMBER, "number": _NUMBER}
_BOOLEANS: Final = {"yes": True, "yeah": True, "true": True, "no": False, "nope": False, "false": False}


@dataclass(slots=True)
class _Wish:
    """The function that the caller wants, with the arguments known so far."""

    name: str
    parameters: Mapping[str, Any]
    arguments: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def missing(self) -> list[str]:
        return [name for name in self.parameters.get("required") or [] if name not in self.arguments]

    def schema(self, name: str) -> dict[str, Any]:
        return (self.parameters.get("properties") or {}).get(name) or {}

    def take(self, text: str, *, asked: bool) -> None:
        """What can be recognised for sure; what was asked for may also be the whole answer."""
        for place, name in enumerate(self.missing()):
            kind = _kind(name, self.schema(name))
            value = _find(kind, name, self.schema(name), text)
            if value is None and asked and place == 0 and kind == "text":
                value = text.strip() or None
            if value is not None:
                self.arguments[name] = value
            if asked:
                return

    def question(self) -> str:
        name = self.missing()[0]
        about = str(self.schema(name).get("description") or "").rstrip(" .?!")
        return f"{about}?" if about else f"Which {name.replace('_', ' ')}?"


def _words(text: str) -> set[str]:
    found = [word for word in re.findall(r"[a-z]+", text.lower()) if not _STOP_WORD.fullmatch(word)]
    stems = [re.sub(r"(?:ing|ed|s)$", "", word) if len(word) > 4 else word.rstrip("s") for word in found]
    return {_SAME_WORD.get(stem, stem) for stem in stems if stem}


def _choose(functions: list[dict[str, Any]], text: str) -> _Wish | None:
    """The function that shares most words: its name counts double; one word of a description may be chance."""
    said, best, most = _words(text), None, 1
    for one in functions:
        score = 2 * len(said & _words(str(one["name"]))) + len(said & _words(str(one.get("description") or "")))
        if score > most:
            best, most = one, score
    return None if best is None else _Wish(str(best["name"]), best.get("parameters") or {})


def _kind(name: str, schema: Mapping[str, Any]) -> str:
    hint = f"{name} {schema.get('format', '')} {schema.get('description', '')}".lower()
    if "enum" in schema or schema.get("type") in ("integer", "number", "boolean", "array"):
        return "enum" if "enum" in schema else str(schema["type"])
    if "email" in hint or "e-mail" in hint:
        return "email"
    return "phone" if re.search(r"phone|recipient|e\.164", hint) else "text"


def _find(kind: str, name: str, schema: Mapping[str, Any], text: str) -> Any:
    """What `text` surely says about this argument; None where it says nothing."""
    if kind == "array":
        items: dict[str, Any] = schema.get("items") or {}
        inner = _kind(name, items)
        found = [part[0] for part in _PATTERNS.get(inner, _QUOTED).finditer(text)]
        return [_find(inner, name, items, part) for part in found] or None
    if kind == "enum":
        return next((value for value in schema["enum"] if str(value).lower() in text.lower()), None)
    if kind == "boolean":
        return next((_BOOLEANS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in _BOOLEANS), None)
    match = _PATTERNS.get(kind, _QUOTED).search(text)
    if match is None:
        return None
    if kind == "phone":
        return ("+" if match[0].startswith("+") else "") + re.sub(r"\D", "", match[0])
    if kind == "text":
        return match[1].strip()
    return match[0] if kind == "email" else int(float(match[0])) if kind == "integer" else float(match[0])


def _wish(items: list[llm.ChatItem], functions: list[dict[str, Any]]) -> _Wish | None:
    """What the caller still wants, replayed from the conversation: what was called is no longer wanted."""
    wish: _Wish | None = None
    called: set[str] = set()
    for item in items:
        if item.type == "function_call":
            wish = None
            called.add(item.name)
        elif item.type == "message" and item.role == "user":
            text, asked = item.text_content or "", wish is not None
            wish = None if _NEVER_MIND.search(text) else wish or _choose(functions, text)
            if wish is not None:
                wish.take(text, asked=asked)
                if _AGAIN.search(text) and wish.name in called and wish.schema("again"):
                    wish.arguments["again"] = True
    return wish


class RehearsalLLM(llm.LLM[Any]):
    @property
    def model(self) -> str:
        return MODEL

    @property
    def provider(self) -> str:
        return "offhook"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> llm.LLMStream:
        usable = [] if tool_choice == "none" else tools or []
        return _Reply(self, chat_ctx=chat_ctx, tools=usable, conn_options=conn_options)


class _Reply(llm.LLMStream):
    async def _run(self) -> None:
        # This format and not "openai": strict mode would make the optional parameters required.
        functions = llm.ToolContext(self._tools).parse_function_tools("openai.responses")
        items = self._chat_ctx.items
        outputs: list[str] = []
        for item in reversed(items):
            if item.type != "function_call_output":
                break
            outputs.insert(0, report(item.output, item.is_error))
        wish = None if outputs else _wish(items, functions)
        if outputs or wish is None:
            can = ", ".join(str(one["name"]).replace("_", " ") for one in functions) or "nothing, I have no tools"
            self._say(" ".join(outputs) or f"I am the rehearsal model, not a language model. I can: {can}.")
        elif wish.missing():
            self._say(wish.question())
        else:
            call = llm.FunctionToolCall(
                name=wish.name, arguments=json.dumps(wish.arguments), call_id=f"rehearsal_{len(items)}"
            )
            self._send(llm.ChoiceDelta(role="assistant", tool_calls=[call]))

    def _say(self, sentence: str) -> None:
        for word in re.findall(r"\S+\s*", sentence):
            self._send(llm.ChoiceDelta(role="assistant", content=word))

    def _send(self, delta: llm.ChoiceDelta) -> None:
        self._event_ch.send_nowait(llm.ChatChunk(id=MODEL, delta=delta))
