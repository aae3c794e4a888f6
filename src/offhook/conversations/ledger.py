"""The ledger: every tool call's intent before it runs and its outcome after, so that nothing runs twice.

Two things are recognized: the same tool call sent again (its id), and the same wish made again (conversation,
function, normalised arguments) within the same user turn or, unless the person asked for it again, 60 seconds.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from offhook.conversations import queries
from offhook.conversations.values import stored_form
from offhook.core.db.pool import Connection, Database, Row
from offhook.core.errors import Conflict, Effect
from offhook.core.variables import Value
from offhook.secrets import Sealer
from offhook.tools.policy import SAME_CALL_WINDOW_SECONDS
from offhook.tools.ports import Begun, ConversationContext, ToolCallRow

_COLUMNS = (
    "id, conversation_id, function_name, user_turn, status, effect, started_at, arguments_hash, answer, error_code,"
    " error_detail"
)

# The wish made again: anything but a call that is known to have changed nothing.
_SAME_WISH = f"""
select {_COLUMNS} from tool_calls
where organization_id = $1 and conversation_id = $2 and function_name = $3 and arguments_hash = $4
  and (user_turn = $5 or (not $6 and started_at > now() - make_interval(secs => {SAME_CALL_WINDOW_SECONDS})))
  and not (status = 'failed' and effect = 'none') and id <> $7
order by started_at desc limit 1
"""

_INSERT = f"""
insert into tool_calls (id, organization_id, conversation_id, tool_id, function_name, user_turn, repeatable,
                        arguments_hash)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (organization_id, id) do nothing
returning {_COLUMNS}
"""

_FINISH = """
update tool_calls
set status = $3, effect = $4, answer = $5, error_code = $6, error_detail = $7, duration_ms = $8, finished_at = now()
where organization_id = $1 and id = $2 and status = 'started'
returning id
"""


class PostgresLedger:
    """The Ledger port over the `tool_calls` table. Answers are sealed: they quote what was said on the call."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def begin(
        self,
        context: ConversationContext,
        *,
        tool_call_id: uuid.UUID,
        tool_id: uuid.UUID | None,
        function_name: str,
        user_turn: int,
        repeatable: str,
        arguments_hash: bytes,
        again: bool = False,
    ) -> Begun:
        """Raises Conflict when the id was used for another call."""
        async with self._database.tenant(context.organization_id) as connection:
            standing = await self._same_id(connection, context, tool_call_id)
            if standing is None and repeatable != "yes":
                wish = (context.organization_id, context.conversation_id, function_name, arguments_hash)
                await _one_at_a_time(connection, *wish)
                repeat = await connection.fetchrow(_SAME_WISH, *wish, user_turn, again, tool_call_id)
                if repeat is not None:
                    return Begun(mine=False, row=await self._row(context, repeat))
            inserted = None
            if standing is None:
                inserted = await connection.fetchrow(
                    _INSERT,
                    tool_call_id,
                    context.organization_id,
                    context.conversation_id,
                    tool_id,
                    function_name,
                    user_turn,
                    repeatable,
                    arguments_hash,
                )
                if inserted is None:
                    standing = await self._same_id(connection, context, tool_call_id)
        if inserted is not None:
            return Begun(mine=True, row=await self._row(context, inserted))
        same = _checked(standing, context.conversation_id, function_name, arguments_hash)
        return Begun(mine=False, row=await self._row(context, same), same_id=True)

    async def finish(
        self,
        context: ConversationContext,
        tool_call_id: uuid.UUID,
        *,
        status: str,
        effect: Effect,
        answer: Mapping[str, Any],
        error_code: str | None,
        error_detail: str | None,
        duration_ms: float,
        stored_values: Mapping[str, Value],
    ) -> Mapping[str, Any]:
        """The first writer's answer stands, and is what comes back."""
        plaintext = json.dumps(answer, ensure_ascii=False).encode()
        sealed = await self._sealer.seal(context.organization_id, "tool_calls", tool_call_id, "answer", plaintext)
        async with self._database.tenant(context.organization_id) as connection:
            first = await connection.fetchval(
                _FINISH,
                context.organization_id,
                tool_call_id,
                status,
                effect.value,
                sealed,
                error_code,
                error_detail,
                duration_ms,
            )
            if first is not None:
                if stored_values:
                    await queries.merge_variables(
                        connection, context.organization_id, context.conversation_id, stored_form(stored_values)
                    )
                return answer
            standing = await self._same_id(connection, context, tool_call_id)
        row = await self._row(context, standing) if standing is not None else None
        return row.answer if row is not None and row.answer is not None else answer

    async def _same_id(
        self, connection: Connection, context: ConversationContext, tool_call_id: uuid.UUID
    ) -> Row | None:
        return await connection.fetchrow(
            f"select {_COLUMNS} from tool_calls where organization_id = $1 and id = $2",
            context.organization_id,
            tool_call_id,
        )

    async def _row(self, context: ConversationContext, row: Row) -> ToolCallRow:
        answer: Mapping[str, Any] | None = None
        if row["answer"] is not None:
            sealed = bytes(row["answer"])
            opened = await self._sealer.open(context.organization_id, "tool_calls", row["id"], "answer", sealed)
            answer = json.loads(opened)
        return ToolCallRow(
            id=row["id"],
            function_name=row["function_name"],
            user_turn=row["user_turn"],
            status=row["status"],
            effect=Effect(row["effect"]) if row["effect"] else None,
            started_at=row["started_at"],
            answer=answer,
            error_detail=row["error_detail"],
        )


def _checked(standing: Row | None, conversation_id: uuid.UUID, function_name: str, arguments_hash: bytes) -> Row:
    """The row under a call's id, if it is that call's."""
    if standing is None or (standing["conversation_id"], standing["function_name"]) != (conversation_id, function_name):
        raise Conflict("this tool call id was used for another call: make a new one", code="tool_call_id_taken")
    if bytes(standing["arguments_hash"]) != arguments_hash:
        raise Conflict("this tool call id came with other arguments: make a new one", code="tool_call_id_taken")
    return standing


async def _one_at_a_time(
    connection: Connection,
    organization_id: uuid.UUID,
    conversation_id: uuid.UUID,
    function_name: str,
    arguments_hash: bytes,
) -> None:
    """Two identical wishes at once: the second waits for the first's intent and then finds it."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 0))",
        f"{organization_id}|{conversation_id}|{function_name}|{arguments_hash.hex()}",
    )
