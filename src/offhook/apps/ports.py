"""Ports: a default that is taken by something else gives way to a free one; a port that was asked for does not."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from offhook.core.errors import ConfigurationError


def choose_port(environment: Mapping[str, str], variable: str, wanted: int, host: str, taken: set[int]) -> int:
    """A port that is free now; adds it to `taken`. Raises ConfigurationError when the one asked for is in use."""
    asked = bool(environment.get(variable))
    if wanted != 0 and wanted not in taken and _is_free(host, wanted):
        port = wanted
    elif asked and wanted != 0:
        raise ConfigurationError(f"port {wanted} is in use: set {variable} to another one, or to 0 for any free one")
    else:
        port = _any_free(host, taken)
    taken.add(port)
    return port


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _any_free(host: str, taken: set[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind((host, 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port
