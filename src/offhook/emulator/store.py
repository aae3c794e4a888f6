"""The emulator's memory: what the journal tells, held in tables for reading."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from offhook.emulator.clock import Clock, SystemClock
from offhook.emulator.journal import Journal
from offhook.emulator.records import Callback, Message
from offhook.emulator.settings import Account

Record = dict[str, Any]
EVENTS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: `type` is `message.created`, `message.status`, `message.redacted`, `message.deleted`,
    `callback.queued`, `callback.ended`, `account.added`, `number.set` or `block.set`."""

    seq: int
    at: float
    type: str
    sid: str | None
    detail: Record


class Store:
    """Opened on a home folder; replays its journal. One process at a time."""

    def __init__(self, home: Path, *, clock: Clock | None = None) -> None:
        self._clock: Clock = clock or SystemClock()
        self._journal = Journal(home / "journal.jsonl")
        self._seq = 0
        self._by_account: dict[str, list[str]] = {}
        self._by_recipient: dict[tuple[str, str], list[str]] = {}
        self._listeners: list[Callable[[], None]] = []
        self.accounts: dict[str, Account] = {}
        self.messages: dict[str, Message] = {}
        self.blocks: set[tuple[str, str, str]] = set()
        """(account, sender, recipient): the recipient opted out of this sender."""
        self.number_settings: dict[tuple[str, str], Record] = {}
        self.pending_callbacks: dict[str, Callback] = {}
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        for line in self._journal.replay():
            self._apply(line)

    @property
    def seq(self) -> int:
        """The number of the last transaction."""
        return self._seq

    def append(self, *records: Record) -> int:
        """Write one transaction and apply it; all of its records survive a kill, or none. Returns its number."""
        line = {"seq": self._seq + 1, "at": self._clock.time(), "do": list(records)}
        self._journal.write(line)
        self._apply(line)
        self.wake_listeners()
        return self._seq

    async def synced(self) -> None:
        """Return once everything appended so far is on the disk."""
        await self._journal.synced()

    async def close(self) -> None:
        await self._journal.close()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called after every transaction; call what is returned to end it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def wake_listeners(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def newest_first(self, account_sid: str | None = None, *, to: str | None = None) -> Iterator[Message]:
        """The messages of an account (or of all), the last made first."""
        if account_sid is None:
            sids: list[str] = list(self.messages)
        elif to is None:
            sids = self._by_account.get(account_sid, [])
        else:
            sids = self._by_recipient.get((account_sid, to), [])
        return (self.messages[sid] for sid in reversed(sids) if sid in self.messages)

    def add_account(self, account: Account) -> None:
        """Keep an account, or replace the one with its sid. Unchanged, nothing is written."""
        if self.accounts.get(account.sid) != account:
            self.append({"type": "account", **asdict(account)})

    def _apply(self, line: Record) -> None:
        self._seq = line["seq"]
        for record in line["do"]:
            fields = {name: value for name, value in record.items() if name != "type"}
            kind, sid = self._APPLIERS[record["type"]](self, fields, line)
            self.events.append(Event(self._seq, line["at"], kind, sid, fields))

    def _apply_account(self, fields: Record, line: Record) -> tuple[str, str | None]:
        verified = fields["verified"]
        fields = {**fields, "numbers": tuple(fields["numbers"]), "verified": tuple(verified) if verified else verified}
        self.accounts[fields["sid"]] = Account(**fields)
        return "account.added", None

    def _apply_number(self, fields: Record, line: Record) -> tuple[str, str | None]:
        key = (fields["account_sid"], fields["number"])
        self.number_settings[key] = {**self.number_settings.get(key, {}), **fields["set"]}
        return "number.set", None

    def _apply_block(self, fields: Record, line: Record) -> tuple[str, str | None]:
        pair = (fields["account_sid"], fields["from_number"], fields["to"])
        if fields["blocked"]:
            self.blocks.add(pair)
        else:
            self.blocks.discard(pair)
        return "block.set", None

    def _apply_message(self, fields: Record, line: Record) -> tuple[str, str | None]:
        message = Message.from_record(fields, line["seq"])
        self.messages[message.sid] = message
        self._by_account.setdefault(message.account_sid, []).append(message.sid)
        self._by_recipient.setdefault((message.account_sid, message.to), []).append(message.sid)
        return "message.created", message.sid

    def _apply_status(self, fields: Record, line: Record) -> tuple[str, str | None]:
        message = self.messages[fields["sid"]]
        self.messages[message.sid] = replace(
            message,
            status=fields["status"],
            updated_at=line["at"],
            sent_at=line["at"] if fields["status"] == "sent" else message.sent_at,
            error_code=fields.get("error_code"),
        )
        return "message.status", message.sid

    def _apply_redact(self, fields: Record, line: Record) -> tuple[str, str | None]:
        message = self.messages[fields["sid"]]
        self.messages[message.sid] = replace(message, body="", updated_at=line["at"])
        return "message.redacted", message.sid

    def _apply_delete(self, fields: Record, line: Record) -> tuple[str, str | None]:
        del self.messages[fields["sid"]]
        return "message.deleted", fields["sid"]

    def _apply_callback(self, fields: Record, line: Record) -> tuple[str, str | None]:
        callback = Callback(**fields)
        self.pending_callbacks[callback.id] = callback
        return "callback.queued", callback.fields.get("MessageSid")

    def _apply_callback_ended(self, fields: Record, line: Record) -> tuple[str, str | None]:
        callback = self.pending_callbacks.pop(fields["id"], None)
        return "callback.ended", callback.fields.get("MessageSid") if callback else None

    _APPLIERS: ClassVar[dict[str, Callable[[Store, Record, Record], tuple[str, str | None]]]] = {
        "account": _apply_account,
        "number": _apply_number,
        "block": _apply_block,
        "message": _apply_message,
        "status": _apply_status,
        "redact": _apply_redact,
        "delete": _apply_delete,
        "callback": _apply_callback,
        "callback_ended": _apply_callback_ended,
    }
