from __future__ import annotations

import os
from pathlib import Path

import pytest

from offhook.core.errors import ConfigurationError
from offhook.core.settings import ROOT_HOME, Settings


@pytest.mark.parametrize(
    ("user", "environment", "home"),
    [
        (1000, {"HOME": "/people/ada"}, Path("/people/ada/.local/share/offhook")),
        (0, {"HOME": "/root"}, ROOT_HOME),
        (0, {"HOME": "/root", "XDG_DATA_HOME": "/data"}, Path("/data/offhook")),
        (1000, {"HOME": "/people/ada", "XDG_DATA_HOME": "/data"}, Path("/data/offhook")),
        (0, {"OFFHOOK_HOME": "/srv/offhook", "XDG_DATA_HOME": "/data"}, Path("/srv/offhook")),
    ],
)
def test_the_home_is_the_one_named_or_the_users_own_or_roots(
    user: int, environment: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert Settings.from_environment(environment).home == home


def test_hosts_that_urls_may_name_are_read_with_their_ports() -> None:
    settings = Settings.from_environment({"OFFHOOK_EGRESS_ALLOW": " Files.internal:8080, 10.0.0.7:443,[::1]:9000,"})
    assert settings.egress_allow == {("files.internal", 8080), ("10.0.0.7", 443), ("::1", 9000)}
    assert Settings.from_environment({}).egress_allow == frozenset()


@pytest.mark.parametrize(
    "text", ["files.internal", ":80", "files.internal:0", "a:65536", "10.0.0.0/8:80", "http://a:80", "a:b"]
)
def test_a_host_without_a_port_of_its_own_is_the_operators_to_mend(text: str) -> None:
    with pytest.raises(ConfigurationError, match="OFFHOOK_EGRESS_ALLOW"):
        Settings.from_environment({"OFFHOOK_EGRESS_ALLOW": text})


def test_the_media_stores_secret_is_not_shown() -> None:
    settings = Settings.from_environment({"OFFHOOK_MEDIA_S3_SECRET_ACCESS_KEY": "hush"})
    assert "hush" not in repr(settings).replace(repr(settings.environment), "")
