from __future__ import annotations

import os
from pathlib import Path

import pytest

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
