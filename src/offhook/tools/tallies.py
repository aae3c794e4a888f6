"""Tallies in PostgreSQL: one statement each, safe across processes."""

from __future__ import annotations

from offhook.core.db.pool import Database
from offhook.tools.ports import Claim, ConversationContext


class PostgresTallies:
    """The Tallies port over the table `conversation_tallies`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, context: ConversationContext, claim: Claim) -> frozenset[bytes] | None:
        async with self._database.tenant(context.organization_id) as connection:
            fresh = await connection.fetchval(
                "select claim_tally($1, $2, $3, $4, $5)",
                context.organization_id,
                context.conversation_id,
                claim.name,
                list(claim.items),
                claim.limit,
            )
        return None if fresh is None else frozenset(fresh)

    async def release(self, context: ConversationContext, name: str, items: frozenset[bytes]) -> None:
        if not items:
            return
        async with self._database.tenant(context.organization_id) as connection:
            await connection.execute(
                "delete from conversation_tallies "
                "where organization_id = $1 and conversation_id = $2 and name = $3 and item = any($4)",
                context.organization_id,
                context.conversation_id,
                name,
                list(items),
            )
