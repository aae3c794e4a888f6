"""The emulator's memory: what the journal tells, held in tables for reading."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from offhook.emulator.clock import Clock, SystemClock
from offhook.emulator.journal import Journal
from offhook.emulator.records import Callback, Fault, Medium, Message, Service
from offhook.emulator.settings import Account

Record = dict[str, Any]
EVENTS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `type` is one of the names that the store's appliers return."""

    seq: int
    at: float
    type: str
    sid: str | None
    detail: Record


class Store:
    """Opened on a home folder; replays its journal. One process at a time."""

    def __init__(self, home: Path, *, clock: Clock | None = None) -> None:
        self._clock: Clock = clock or SystemClock()
        self._home = home
        self._journal = Journal(home / "journal.jsonl")
        self._seq = 0
        self._by_account: dict[str, list[str]] = {}
        self._by_recipient: dict[tuple[str, str], list[str]] = {}
        self._by_phone: dict[str, list[str]] = {}
        self._media_of: dict[str, list[str]] = {}
        self._seeds: dict[str, bytes] = {}
        self._free_from: dict[tuple[str, str], float] = {}
        self._last_fault_id = 0
        self._listeners: list[Callable[[], None]] = []
        self.accounts: dict[str, Account] = {}
        self.messages: dict[str, Message] = {}
        self.blocks: set[tuple[str, str, str]] = set()
        """(account, sender, recipient): the recipient opted out of this sender."""
        self.number_settings: dict[tuple[str, str], Record] = {}
        self.services: dict[str, Service] = {}
        self.media: dict[str, Medium] = {}
        self.faults: dict[int, Fault] = {}
        """In force, oldest first."""
        self.pending_callbacks: dict[str, Callback] = {}
        self.answers: dict[tuple[str, str, str], Record] = {}
        """(account, path, key): what a request with this idempotency key was answered: `request` (its hash), `body`,
        `at`."""
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

    def of_phone(self, number: str) -> list[Message]:
        """What a handset got and sent, oldest first."""
        return [self.messages[sid] for sid in self._by_phone.get(number, ()) if sid in self.messages]

    def phones(self) -> Iterator[tuple[str, int, Message]]:
        """Every handset with a text: its number, how many, and the last of them."""
        for number, sids in self._by_phone.items():
            there = [sid for sid in sids if sid in self.messages]
            if there:
                yield number, len(there), self.messages[there[-1]]

    def add_account(self, account: Account) -> None:
        """Keep an account, or replace the one with its sid. Unchanged, nothing is written."""
        if self.accounts.get(account.sid) != account:
            self.append({"type": "account", **asdict(account)})

    def seed(self, account_sid: str) -> bytes:
        """32 bytes that an account's own keys are made from; drawn once, then the same for ever."""
        if account_sid not in self._seeds:
            self.append({"type": "seed", "account_sid": account_sid, "seed": secrets.token_hex(32)})
        return self._seeds[account_sid]

    def media_of(self, message_sid: str) -> list[Medium]:
        """The media kept for a message, in its order."""
        return [self.media[sid] for sid in self._media_of.get(message_sid, ()) if sid in self.media]

    def medium_path(self, sid: str) -> Path:
        """Where a medium's bytes are: write and sync them there before its record."""
        return self._home / "media" / sid

    def face_of(self, account_sid: str, number: str) -> str:
        """The face whose customer gets the texts that come to a number."""
        return "telnyx" if number in self.accounts[account_sid].telnyx_numbers else "twilio"

    def free_from(self, account_sid: str, sender: str) -> float:
        """When the queue of a sender with a rate is empty."""
        return self._free_from.get((account_sid, sender), 0.0)

    def next_fault_id(self) -> int:
        return self._last_fault_id + 1

    def _apply(self, line: Record) -> None:
        self._seq = line["seq"]
        for record in line["do"]:
            fields = {name: value for name, value in record.items() if name != "type"}
            kind, sid = self._APPLIERS[record["type"]](self, fields, line)
            self.events.append(Event(self._seq, line["at"], kind, sid, fields))

    def _apply_account(self, fields: Record, line: Record) -> tuple[str, str | None]:
        account = Account.from_record(fields)
        self.accounts[account.sid] = account
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
        self._by_phone.setdefault(message.phone, []).append(message.sid)
        if message.slot_ends_at is not None:
            self._free_from[(message.account_sid, message.from_number)] = message.slot_ends_at
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

    def _apply_seed(self, fields: Record, line: Record) -> tuple[str, str | None]:
        self._seeds[fields["account_sid"]] = bytes.fromhex(fields["seed"])
        return "seed.drawn", None

    def _apply_service(self, fields: Record, line: Record) -> tuple[str, str | None]:
        service = Service.from_record(fields)
        self.services[service.sid] = service
        return "service.set", service.sid

    def _apply_service_deleted(self, fields: Record, line: Record) -> tuple[str, str | None]:
        self.services.pop(fields["sid"], None)
        return "service.deleted", fields["sid"]

    def _apply_medium(self, fields: Record, line: Record) -> tuple[str, str | None]:
        medium = Medium(**fields)
        self.media[medium.sid] = medium
        self._media_of.setdefault(medium.message_sid, []).append(medium.sid)
        return "medium.kept", medium.message_sid

    def _apply_medium_deleted(self, fields: Record, line: Record) -> tuple[str, str | None]:
        medium = self.media.pop(fields["sid"], None)
        return "medium.deleted", medium.message_sid if medium else None

    def _apply_price(self, fields: Record, line: Record) -> tuple[str, str | None]:
        message = self.messages[fields["sid"]]
        self.messages[message.sid] = replace(message, price=fields["price"], updated_at=line["at"])
        return "message.priced", message.sid

    def _apply_fault(self, fields: Record, line: Record) -> tuple[str, str | None]:
        fault = Fault(**fields)
        self.faults[fault.id], self._last_fault_id = fault, fault.id
        return "fault.added", None

    def _apply_fault_struck(self, fields: Record, line: Record) -> tuple[str, str | None]:
        fault = self.faults[fields["id"]]
        if fault.count is not None and fault.count > 1:
            self.faults[fault.id] = replace(fault, count=fault.count - 1)
        else:
            del self.faults[fault.id]
        return "fault.struck", None

    def _apply_faults_cleared(self, fields: Record, line: Record) -> tuple[str, str | None]:
        self.faults.clear()
        return "faults.cleared", None

    def _apply_error(self, fields: Record, line: Record) -> tuple[str, str | None]:
        """`code`, `sentence`, `sid` and `url`: what a carrier's error log would show; kept as an event only."""
        return "error.raised", fields["sid"]

    def _apply_answer(self, fields: Record, line: Record) -> tuple[str, str | None]:
        self.answers[(fields["account_sid"], fields["path"], fields["key"])] = fields
        return "answer.kept", None

    def _apply_callback(self, fields: Record, line: Record) -> tuple[str, str | None]:
        callback = Callback(**fields)
        self.pending_callbacks[callback.id] = callback
        return "callback.queued", callback.message_sid

    def _apply_callback_ended(self, fields: Record, line: Record) -> tuple[str, str | None]:
        callback = self.pending_callbacks.pop(fields["id"], None)
        return "callback.ended", callback.message_sid if callback else None

    _APPLIERS: ClassVar[dict[str, Callable[[Store, Record, Record], tuple[str, str | None]]]] = {
        "account": _apply_account,
        "number": _apply_number,
        "block": _apply_block,
        "message": _apply_message,
        "status": _apply_status,
        "redact": _apply_redact,
        "delete": _apply_delete,
        "seed": _apply_seed,
        "service": _apply_service,
        "service_deleted": _apply_service_deleted,
        "medium": _apply_medium,
        "medium_deleted": _apply_medium_deleted,
        "price": _apply_price,
        "fault": _apply_fault,
        "fault_struck": _apply_fault_struck,
        "faults_cleared": _apply_faults_cleared,
        "error": _apply_error,
        "answer": _apply_answer,
        "callback": _apply_callback,
        "callback_ended": _apply_callback_ended,
    }
