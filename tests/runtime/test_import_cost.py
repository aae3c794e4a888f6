"""`import offhook` costs nothing, and a worker holds neither a database nor a server."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def modules_after(statement: str) -> set[str]:
    program = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(json.loads(ran.stdout.splitlines()[-1]))


def test_importing_offhook_loads_nothing_of_it() -> None:
    loaded = {
        name for name in modules_after("import offhook") if name.split(".")[0] in ("offhook", "livekit", "aiohttp")
    }
    assert loaded == {"offhook"}


def test_the_client_does_without_livekit() -> None:
    loaded = modules_after("from offhook import Client")
    assert "offhook.client" in loaded
    assert not {name for name in loaded if name.split(".")[0] in ("livekit", "pydantic", "fastapi")}


@pytest.mark.parametrize("module", ["call", "relay", "process", "texting"])
def test_the_runtime_holds_no_database_and_no_server(module: str) -> None:
    tops = {name.split(".")[0] for name in modules_after(f"import offhook.runtime.{module}")}
    assert not tops & {"asyncpg", "fastapi", "starlette", "uvicorn", "pgqueuer", "twilio"}


def test_what_is_not_there_is_an_attribute_error_and_what_is_there_is_listed() -> None:
    import offhook

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = offhook.nothing
    assert set(offhook.__all__) <= set(dir(offhook))
    assert callable(offhook.call)
