"""Small sets per conversation, for what may happen only so often in it."""

from __future__ import annotations

from offhook.core.db.pool import Database
from offhook.tools.ports import Claim, ConversationContext


class PostgresTallies:
    """The Tallies port over the `tallies` table. Claims of one set take their turn, over all processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, context: ConversationContext, claim: Claim) -> frozenset[bytes] | None:
        where = (context.organization_id, context.conversation_id, claim.name)
        async with self._database.tenant(context.organization_id) as connection:
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended($1, 1))", "|".join(str(part) for part in where)
            )
            rows = await connection.fetch(
                "select item from tallies where organization_id = $1 and conversation_id = $2 and name = $3", *where
            )
            held = {bytes(row["item"]) for row in rows}
            new = claim.items - held
            if len(held) + len(new) > claim.limit:
                return None
            await connection.executemany(
                "insert into tallies (organization_id, conversation_id, name, item) values ($1, $2, $3, $4)",
                [(*where, item) for item in sorted(new)],
            )
        return new

    async def release(self, context: ConversationContext, name: str, items: frozenset[bytes]) -> None:
        async with self._database.tenant(context.organization_id) as connection:
            await connection.execute(
                "delete from tallies where organization_id = $1 and conversation_id = $2 and name = $3"
                " and item = any($4::bytea[])",
                context.organization_id,
                context.conversation_id,
                name,
                sorted(items),
            )
