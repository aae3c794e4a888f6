"""A process that owns an embedded server, to be killed: `python embedded_owner.py <home>`. Prints the server's pid."""

import asyncio
import sys
from pathlib import Path

from offhook.core.db.embedded import EmbeddedPostgres


async def own(home: Path) -> None:
    server = EmbeddedPostgres(home, settings={"fsync": "off"})
    await server.start()
    print(server.pid, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(own(Path(sys.argv[1])))
