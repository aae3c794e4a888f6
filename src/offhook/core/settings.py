"""Settings, read once from the environment at a process's start and passed on; nothing else reads the environment.

Every name is documented in docs/reference/settings.md. Durations are seconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from offhook.core.errors import ConfigurationError

DEFAULT_API_PORT = 8710
DEFAULT_AGENT_PORT = 8711
DEFAULT_EMULATOR_PORT = 8712
DEFAULT_LIVEKIT_PORT = 8713
ROOT_HOME = Path("/var/lib/offhook")
"""Root's default: PostgreSQL's unprivileged user may not enter `/root`, and the data shall be inside the home."""


@dataclass(frozen=True, slots=True)
class Settings:
    home: Path
    """Everything that is kept: database, keys, emulator's messages, what runs where."""
    database_url: str | None = field(repr=False)
    """It may hold a password. None: the embedded server below `home`."""
    host: str
    api_port: int
    agent_port: int
    emulator_port: int
    livekit_port: int
    public_url: str | None
    """The origin carriers reach, without a trailing slash. Webhook signatures are checked against it."""
    media_url: str | None
    """Where media are kept: `file:///directory` or `s3://bucket/prefix`. None: a directory below `home`."""
    media_s3_endpoint: str | None
    media_s3_region: str | None
    media_s3_access_key_id: str | None
    media_s3_secret_access_key: str | None = field(repr=False)
    egress_allow: frozenset[tuple[str, int]]
    """Hosts and ports that tenants' URLs may name although they are not on the public internet."""
    master_keys: str | None = field(repr=False)
    key_pepper: str | None = field(repr=False)
    worker_key: str | None = field(repr=False)
    """A key for workers that serve every organization of this deployment."""
    livekit_url: str | None
    livekit_api_key: str | None
    livekit_api_secret: str | None = field(repr=False)
    default_organization: str | None
    """The organization that the plain tokens and TWILIO_* variables act for: its id."""
    agent_sms_secret: str | None = field(repr=False)
    """AGENT_SMS_SECRET, else LIVEKIT_AGENT_CONFIG_TOKEN."""
    agent_config_token: str | None = field(repr=False)
    reconcile_gap_seconds: float
    """Between the two empty listings that must pass before an unknown text is sent again. Longer than any delay with
    which the carrier may still list a text that it accepted."""
    log_level: str
    environment: Mapping[str, str] = field(repr=False)
    """The rest, for what is looked up by pattern (`*_TWILIO_PHONE_NUMBER`)."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Raises ConfigurationError naming the variable that is wrong."""
        env = dict(os.environ if environment is None else environment)
        config_token = env.get("LIVEKIT_AGENT_CONFIG_TOKEN") or None
        return cls(
            home=_home(env),
            database_url=env.get("DATABASE_URL") or None,
            host=env.get("OFFHOOK_HOST", "127.0.0.1"),
            api_port=_port(env, "OFFHOOK_PORT", DEFAULT_API_PORT),
            agent_port=_port(env, "OFFHOOK_AGENT_PORT", DEFAULT_AGENT_PORT),
            emulator_port=_port(env, "OFFHOOK_EMULATOR_PORT", DEFAULT_EMULATOR_PORT),
            livekit_port=_port(env, "OFFHOOK_LIVEKIT_PORT", DEFAULT_LIVEKIT_PORT),
            public_url=(env.get("OFFHOOK_PUBLIC_URL") or "").rstrip("/") or None,
            media_url=env.get("OFFHOOK_MEDIA_URL") or None,
            media_s3_endpoint=env.get("OFFHOOK_MEDIA_S3_ENDPOINT") or None,
            media_s3_region=env.get("OFFHOOK_MEDIA_S3_REGION") or None,
            media_s3_access_key_id=env.get("OFFHOOK_MEDIA_S3_ACCESS_KEY_ID") or None,
            media_s3_secret_access_key=env.get("OFFHOOK_MEDIA_S3_SECRET_ACCESS_KEY") or None,
            egress_allow=_addresses(env, "OFFHOOK_EGRESS_ALLOW"),
            master_keys=env.get("OFFHOOK_MASTER_KEYS") or None,
            key_pepper=env.get("OFFHOOK_KEY_PEPPER") or None,
            worker_key=env.get("OFFHOOK_WORKER_KEY") or None,
            livekit_url=env.get("LIVEKIT_URL") or None,
            livekit_api_key=env.get("LIVEKIT_API_KEY") or None,
            livekit_api_secret=env.get("LIVEKIT_API_SECRET") or None,
            default_organization=env.get("OFFHOOK_DEFAULT_ORGANIZATION") or None,
            agent_sms_secret=env.get("AGENT_SMS_SECRET") or config_token,
            agent_config_token=config_token,
            reconcile_gap_seconds=_seconds(env, "OFFHOOK_RECONCILE_GAP_SECONDS", 90.0),
            log_level=env.get("OFFHOOK_LOG_LEVEL", "info"),
            environment=env,
        )


def _home(env: Mapping[str, str]) -> Path:
    named = env.get("OFFHOOK_HOME")
    if named:
        return Path(named).expanduser().absolute()
    data = env.get("XDG_DATA_HOME")
    if data:
        return Path(data) / "offhook"
    if sys.platform != "win32" and os.geteuid() == 0:
        return ROOT_HOME
    return Path(env.get("HOME") or Path.home()) / ".local" / "share" / "offhook"


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isdecimal() or int(text) > 65535:
        raise ConfigurationError(f"{name} is {text!r}: give a port from 0 (any free one) to 65535")
    return int(text)


def _addresses(env: Mapping[str, str], name: str) -> frozenset[tuple[str, int]]:
    """From `files.internal:8080,10.0.0.7:443`; an IPv6 address stands in brackets."""
    found: set[tuple[str, int]] = set()
    for entry in filter(None, (part.strip() for part in (env.get(name) or "").split(","))):
        host, _, port = entry.rpartition(":")
        host = host.removeprefix("[").removesuffix("]").lower()
        if not host or "/" in host or not port.isdecimal() or not 0 < int(port) <= 65535:
            raise ConfigurationError(f"{name} has the form host:port,host:port; {entry!r} is not")
        found.add((host, int(port)))
    return frozenset(found)


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 86_400:
        raise ConfigurationError(f"{name} is {text!r}: give a number of seconds above 0")
    return value
