"""`offhook agent`: the relay, and the LiveKit worker where there is a LiveKit server."""

from __future__ import annotations

from offhook.core.settings import Settings
from offhook.core.telemetry import configure


def run(settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM. Raises ConfigurationError where a key is missing."""
    configure(settings.log_level)
    # The only place of `apps` that imports LiveKit's agents, which costs two seconds and 134 MB.
    from offhook.runtime.process import AgentProcessSettings, main

    main(AgentProcessSettings.from_settings(settings))
    return 0
