"""The PostgreSQL of a machine that has none: our own child, reached through a socket that only we may open.

For laptops, CI and one-box demonstrations: wheels lag behind security releases, so it never listens on TCP.
"""

from offhook.core.db.embedded.address import PostgresAddress, find_running
from offhook.core.db.embedded.binaries import EmbeddedPostgresError
from offhook.core.db.embedded.record import data_elsewhere
from offhook.core.db.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "PostgresAddress", "data_elsewhere", "find_running"]
