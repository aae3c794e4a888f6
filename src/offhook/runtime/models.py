"""Which models an agent speaks with: those its settings name, else what the environment has a key for, else rehearsal.

The settings of an agent, each part optional:
    {"llm": {"plugin": "openai", "model": "gpt-4.1", "options": {"temperature": 0.3}}, "stt": {…}, "tts": {…}}
`plugin` is the last part of a LiveKit plugin's module: `livekit.plugins.<plugin>` with classes LLM, STT, TTS.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (LiveKit's own generics are left open in its signatures.)

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from livekit.agents import llm

from offhook.core.errors import ConfigurationError
from offhook.runtime import rehearsal

OPTIONS: Final = frozenset(
    {"detect_language", "frequency_penalty", "language", "max_completion_tokens", "max_output_tokens"}
    | {"parallel_tool_calls", "presence_penalty", "reasoning_effort", "seed", "service_tier", "speed"}
    | {"temperature", "top_k", "top_p", "verbosity", "voice"}
)
"""What an agent's settings may pass to a plugin. Addresses and keys are not among them: settings belong to an
organization, and the worker's own key must not go to an address that an organization chose."""

PACKAGES: Final = {"google": 'pip install "offhook[gemini]"', "openai": 'pip install "offhook[livekit]"'}
"""How to get a plugin that is missing; any other is `pip install livekit-plugins-<plugin>`."""

GEMINI_MODEL: Final = "gemini-2.5-flash"

_PLUGIN: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_CLASSES: Final = {"llm": "LLM", "stt": "STT", "tts": "TTS"}


@dataclass(frozen=True, slots=True)
class Models:
    """`label` is what people are shown: `openai gpt-4.1`, or `rehearsal (simulated)`."""

    llm: llm.LLM[Any]
    label: str
    stt: Any = None
    tts: Any = None


def choose(settings: Mapping[str, Any], environment: Mapping[str, str]) -> Models:
    """Raises ConfigurationError, which says what to install or to set."""
    wanted = _part(settings, "llm")
    plugin = str(wanted.get("plugin") or default_plugin(environment))
    model = _language_model(plugin, wanted, environment)
    return Models(
        llm=model,
        label=rehearsal.LABEL if plugin == rehearsal.MODEL else f"{plugin} {model.model}",
        stt=_speech("stt", _part(settings, "stt")),
        tts=_speech("tts", _part(settings, "tts")),
    )


def _part(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = settings.get(name)
    return cast("Mapping[str, Any]", part) if isinstance(part, dict) else {}


def default_plugin(environment: Mapping[str, str]) -> str:
    if environment.get("OPENAI_API_KEY") or environment.get("OPENAI_BASE_URL"):
        return "openai"
    return "google" if environment.get("GEMINI_API_KEY") else rehearsal.MODEL


def _language_model(plugin: str, wanted: Mapping[str, Any], environment: Mapping[str, str]) -> llm.LLM[Any]:
    if plugin == rehearsal.MODEL:
        return rehearsal.RehearsalLLM()
    return cast("llm.LLM[Any]", _build("llm", plugin, _arguments(plugin, wanted, environment)))


def _speech(part: str, wanted: Mapping[str, Any]) -> Any:
    if not wanted.get("plugin"):
        return None
    return _build(part, str(wanted["plugin"]), _named(wanted) | _options(wanted))


def _arguments(plugin: str, wanted: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    arguments = _named(wanted) | _options(wanted)
    match plugin:
        case "openai":
            if not arguments.get("model") and (model := environment.get("OPENAI_MODEL")):
                arguments["model"] = model
            # A server of one's own often wants no key; the plugin does not start without one.
            arguments["api_key"] = environment.get("OPENAI_API_KEY") or "none"
            if base_url := environment.get("OPENAI_BASE_URL"):
                arguments["base_url"] = base_url
        case "google":
            arguments.setdefault("model", environment.get("GEMINI_MODEL") or GEMINI_MODEL)
            if key := environment.get("GEMINI_API_KEY"):
                arguments["api_key"] = key
        case _:
            pass
    return arguments


def _named(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {"model": str(wanted["model"])} if wanted.get("model") else {}


def _options(wanted: Mapping[str, Any]) -> dict[str, Any]:
    options = dict(_part(wanted, "options"))
    if refused := sorted(set(options) - OPTIONS):
        raise ConfigurationError(f"The agent's settings pass an option that is not allowed: {', '.join(refused)[:200]}")
    return options


def _build(part: str, plugin: str, arguments: dict[str, Any]) -> Any:
    if _PLUGIN.fullmatch(plugin) is None:
        raise ConfigurationError(f"The agent's settings name no LiveKit plugin as its {part}: {plugin[:40]!r}")
    try:
        module = importlib.import_module(f"livekit.plugins.{plugin}")
        made = getattr(module, _CLASSES[part])(**arguments)
    except ImportError:
        how = PACKAGES.get(plugin) or f"pip install livekit-plugins-{plugin.replace('_', '-')}"
        raise ConfigurationError(f"The LiveKit plugin {plugin!r} is not installed in this worker: {how}") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise ConfigurationError(f"The {part} of the LiveKit plugin {plugin!r} cannot be made: {error}") from error
    return made
