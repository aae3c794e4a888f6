"""A LiveKit server of our own on loopback, where a `livekit-server` is found and LIVEKIT_URL is not set.

The configuration is the one of facts/livekit.md section 10: it stays on loopback.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from offhook.core.private_files import write_private

API_KEY = "offhook"
NAME = "livekit-server"


def find_livekit_server(environment: Mapping[str, str]) -> Path | None:
    """OFFHOOK_LIVEKIT_SERVER (a path; empty: none), else `.tools/bin` of a checkout, else the PATH."""
    named = environment.get("OFFHOOK_LIVEKIT_SERVER")
    if named is not None:
        return Path(named) if named and os.access(named, os.X_OK) else None
    checkout = Path(__file__).parents[3] / ".tools" / "bin" / NAME
    if os.access(checkout, os.X_OK):
        return checkout
    found = shutil.which(NAME, path=environment.get("PATH"))
    return Path(found) if found else None


def write_configuration(
    path: Path, *, port: int, rtc_udp_port: int, rtc_tcp_port: int, api_secret: str, webhook_url: str
) -> None:
    """JSON is YAML. Readable by its owner only: the secret signs tokens."""
    configuration = {
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "keys": {API_KEY: api_secret},
        "rtc": {
            "enable_loopback_candidate": True,
            "node_ip": "127.0.0.1",
            "ips": {"includes": ["127.0.0.1/32"]},
            "udp_port": rtc_udp_port,
            "tcp_port": rtc_tcp_port,
        },
        # A room whose people have all gone is closed soon, so that its call is closed soon.
        "room": {"empty_timeout": 30, "departure_timeout": 5},
        "webhook": {"api_key": API_KEY, "urls": [webhook_url]},
        # Its warnings name participants, and a caller's identity holds the number.
        "logging": {"level": "error"},
    }
    write_private(path, json.dumps(configuration, indent=2))
