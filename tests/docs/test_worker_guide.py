from __future__ import annotations

from livekit.agents import AgentServer

import offhook
from fixtures.documents import blocks, document


def test_the_worker_of_the_guide_is_one_that_livekit_takes() -> None:
    (worker,) = blocks(document("how-to/use-in-your-livekit-worker.md"), "python", "worker.py")
    made: dict[str, object] = {"__name__": "worker"}
    exec(compile(worker.text, "worker.py", "exec"), made)
    server = made["server"]
    assert isinstance(server, AgentServer)
    assert server._agent_name == "front-desk"


def test_what_the_guides_import_is_there() -> None:
    assert {"call", "send_sms", "Client"} <= set(dir(offhook))
