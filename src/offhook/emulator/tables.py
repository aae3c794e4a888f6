"""The emulator's memory: what the journal's lines tell, held in tables for reading."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from offhook.emulator.records import Callback, Fault, Medium, Message, Service
from offhook.emulator.settings import Account

Record = dict[str, Any]
EVENTS_KEPT = 10_000
ANSWER_SECONDS = 24 * 3600.0
"""How long an answer is given again: Telnyx's documentation, "Idempotency"."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `type` is one of the names that the store's appliers return."""

    seq: int
    at: float
    type: str
    sid: str | None
    detail: Record


class Tables:
    """The state after the lines that were applied. It is only read; what changes it is a line."""

    def __init__(self) -> None:
        self._seq = 0
        self._by_account: dict[str, list[str]] = {}
        self._by_recipient: dict[tuple[str, str], list[str]] = {}
        self._by_phone: dict[str, list[str]] = {}
        self._media_of: dict[str, list[str]] = {}
        self._seeds: dict[str, bytes] = {}
        self._free_from: dict[tuple[str, str], float] = {}
        self._last_fault_id = 0
        self.accounts: dict[str, Account] = {}
        self.messages: dict[str, Message] = {}
        self.blocks: set[tuple[str, str, str]] = set()
        """(account, sender, recipient): the recipient opted out of this sender."""
        self.number_settings: dict[tuple[str, str], Record] = {}
        self.services: dict[str, Service] = {}
        self.media: dict[str, Medium] = {}
        self.faults: dict[int, Fault] = {}
        """In force, oldest first."""
        self.strikes: Counter[tuple[str, str, int | None]] = Counter()
        """By route, kind and, of the kinds that answer one, status: how often a fault has struck, for ever."""
        self.pending_callbacks: dict[str, Callback] = {}
        self.answers: dict[tuple[str, str, str], Record] = {}
        """(account, path, key): what a request with this idempotency key was answered: `request` (its hash), `body`,
        `at`."""
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._last_at = 0.0

    @property
    def seq(self) -> int:
        """The number of the last transaction."""
        return self._seq

    @property
    def last_at(self) -> float:
        """When it was, in epoch seconds."""
        return self._last_at

    def newest_first(
        self, account_sid: str | None = None, *, to: str | None = None, before: str | None = None
    ) -> Iterator[Message]:
        """The messages of an account (or of all), the last made first; only those made before the one named, which
        may have been deleted. Raises `ValueError` for one that never was in this list."""
        sids = self._sids(account_sid, to)
        if before is not None:
            sids = sids[: sids.index(before)]
        return (self.messages[sid] for sid in reversed(sids) if sid in self.messages)

    def oldest_first(self, account_sid: str, *, to: str | None = None, after: str) -> Iterator[Message]:
        """The messages of an account made after the one named, the first made first. Raises as `newest_first`."""
        sids = self._sids(account_sid, to)
        return (self.messages[sid] for sid in sids[sids.index(after) + 1 :] if sid in self.messages)

    def _sids(self, account_sid: str | None, to: str | None) -> list[str]:
        """In the order they were made, the deleted ones among them."""
        if account_sid is None:
            return list(self.messages)
        if to is None:
            return self._by_account.get(account_sid, [])
        return self._by_recipient.get((account_sid, to), [])

    def of_phone(self, number: str) -> list[Message]:
        """What a handset got and sent, oldest first."""
        return [self.messages[sid] for sid in self._by_phone.get(number, ()) if sid in self.messages]

    def phones(self) -> Iterator[tuple[str, int, Message]]:
        """Every handset with a text: its number, how many, and the last of them."""
        for number, sids in self._by_phone.items():
            there = [sid for sid in sids if sid in self.messages]
            if there:
                yield number, len(there), self.messages[there[-1]]

    def media_of(self, message_sid: str) -> list[Medium]:
        """The media kept for a message, in its order."""
        return [self.media[sid] for sid in self._media_of.get(message_sid, ()) if sid in self.media]

    def face_of(self, account_sid: str, number: str) -> str:
        """The face whose customer gets the texts that come to a number."""
        return "telnyx" if number in self.accounts[account_sid].telnyx_numbers else "twilio"

    def free_from(self, account_sid: str, sender: str) -> float:
        """When the queue of a sender with a rate is empty."""
        return self._free_from.get((account_sid, sender), 0.0)

    def next_fault_id(self) -> int:
        return self._last_fault_id + 1

    def snapshot(self) -> Iterator[Record]:
        """Lines that say the same as all that were applied. Messages keep the number of their transaction."""
        before = [
            *({"type": "account", **asdict(account)} for account in self.accounts.values()),
            *({"type": "seed", "account_sid": sid, "seed": seed.hex()} for sid, seed in self._seeds.items()),
            *(service.to_record() for service in self.services.values()),
            *(
                {"type": "number", "account_sid": sid, "number": number, "set": settings}
                for (sid, number), settings in self.number_settings.items()
            ),
            *(
                {"type": "block", "account_sid": sid, "from_number": scope, "to": to, "blocked": True}
                for sid, scope, to in sorted(self.blocks)
            ),
        ]
        after = [
            *(callback.to_record() for callback in self.pending_callbacks.values()),
            *({"type": "fault", **asdict(fault)} for fault in self.faults.values()),
            *({"type": "strikes", **strikes} for strikes in self.strike_counts()),
            *({"type": "answer", **answer} for answer in self.answers.values() if self._is_in_force(answer)),
        ]
        yield {"seq": 0, "at": 0.0, "do": before}
        for message in self.messages.values():
            media = (medium.to_record() for medium in self.media_of(message.sid))
            records = [{"type": "message", **message.to_record()}, *media]
            yield {"seq": message.seq, "at": message.updated_at, "do": records}
        yield {"seq": self._seq, "at": self._last_at, "do": after}

    def _is_in_force(self, answer: Record) -> bool:
        return self._last_at - answer["at"] < ANSWER_SECONDS

    def strike_counts(self) -> list[Record]:
        """`route`, `kind`, `status` and `count` of what has struck."""
        return [{"route": r, "kind": k, "status": s, "count": count} for (r, k, s), count in self.strikes.items()]

    def size(self) -> int:
        """As many lines as a snapshot has."""
        return len(self.messages) + 2

    def apply(self, line: Record) -> None:
        """Take in one line: `{"seq", "at", "do": [record, …]}`."""
        self._seq, self._last_at = line["seq"], line["at"]
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

    def _apply_messages_cleared(self, fields: Record, line: Record) -> tuple[str, str | None]:
        for table in (
            *(self.messages, self._by_account, self._by_recipient, self._by_phone, self.media, self._media_of),
            *(self._free_from, self.blocks, self.pending_callbacks, self.answers, self.events),
        ):
            table.clear()
        return "messages.cleared", None

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
        status = fault.status if fault.kind.startswith("status") else None
        self.strikes[(fields.get("route", fault.route), fault.kind, status)] += 1
        if fault.count is not None:
            self.faults[fault.id] = replace(fault, count=fault.count - 1)
        if fault.count == 1:
            del self.faults[fault.id]
        return "fault.struck", None

    def _apply_fault_spared(self, fields: Record, line: Record) -> tuple[str, str | None]:
        fault = self.faults[fields["id"]]
        self.faults[fault.id] = replace(fault, after=fault.after - 1)
        return "fault.spared", None

    def _apply_fault_removed(self, fields: Record, line: Record) -> tuple[str, str | None]:
        del self.faults[fields["id"]]
        return "fault.removed", None

    def _apply_strikes(self, fields: Record, line: Record) -> tuple[str, str | None]:
        self.strikes[(fields["route"], fields["kind"], fields["status"])] = fields["count"]
        return "strikes.counted", None

    def _apply_faults_cleared(self, fields: Record, line: Record) -> tuple[str, str | None]:
        self.faults.clear()
        return "faults.cleared", None

    def _apply_clock(self, fields: Record, line: Record) -> tuple[str, str | None]:
        return "clock.moved", None

    def _apply_error(self, fields: Record, line: Record) -> tuple[str, str | None]:
        """`code`, `sentence`, `sid` and `url`: what a carrier's error log would show; kept as an event only."""
        return "error.raised", fields["sid"]

    def _apply_ignored(self, fields: Record, line: Record) -> tuple[str, str | None]:
        """`parameters`: names of what was asked for with a message and is not carried out; kept as an event only."""
        return "parameter.ignored", fields["sid"]

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

    _APPLIERS: ClassVar[dict[str, Callable[[Tables, Record, Record], tuple[str, str | None]]]] = {
        "account": _apply_account,
        "number": _apply_number,
        "block": _apply_block,
        "message": _apply_message,
        "status": _apply_status,
        "redact": _apply_redact,
        "delete": _apply_delete,
        "messages_cleared": _apply_messages_cleared,
        "seed": _apply_seed,
        "service": _apply_service,
        "service_deleted": _apply_service_deleted,
        "medium": _apply_medium,
        "medium_deleted": _apply_medium_deleted,
        "price": _apply_price,
        "fault": _apply_fault,
        "fault_struck": _apply_fault_struck,
        "fault_spared": _apply_fault_spared,
        "fault_removed": _apply_fault_removed,
        "strikes": _apply_strikes,
        "faults_cleared": _apply_faults_cleared,
        "clock": _apply_clock,
        "error": _apply_error,
        "ignored": _apply_ignored,
        "answer": _apply_answer,
        "callback": _apply_callback,
        "callback_ended": _apply_callback_ended,
    }
