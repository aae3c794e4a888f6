"""Keeps what people say and send out of logs and traces. LiveKit would write some: facts/livekit.md, section 1.10."""

from __future__ import annotations

import logging
import os
from typing import Final

QUIET_ENVIRONMENT: Final = {
    "LIVEKIT_TELEMETRY_ALLOW_PII": "0",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "0",
}
"""LiveKit reads these when it exports a span; an operator who sets them otherwise has decided so."""

_TALKATIVE: Final = ("livekit", "livekit.agents", "livekit.plugins.openai", "livekit.plugins.google")
"""A logger's filter does not see its children's records, so each one that may log a payload is named."""


class PayloadFilter(logging.Filter):
    """Takes every extra field with a `pii` segment off a record (`lk.pii.arguments`, `lk.pii.error`, …)."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name in [name for name in record.__dict__ if "pii" in name.split(".")]:
            delattr(record, name)
        return True


_FILTER: Final = PayloadFilter()


def keep_payloads_out() -> None:
    """Once per process, before the first session; more often does no harm."""
    for name, value in QUIET_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_FILTER)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_FILTER)
    agents = logging.getLogger("livekit.agents")
    if agents.getEffectiveLevel() < logging.INFO:
        agents.setLevel(logging.INFO)
