"""A text from a handset: the words Twilio answers itself, the webhook, and what the webhook's answer says to do."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from offhook.emulator.addresses import joined, web_host
from offhook.emulator.emulation import Emulation
from offhook.emulator.face import Answer, Attempt
from offhook.emulator.records import Callback, Medium, Message, Service
from offhook.emulator.segments import segmentation
from offhook.emulator.store import Record, Store
from offhook.emulator.twilio.errors import TwilioError
from offhook.emulator.twilio.keywords import Keyword, keyword
from offhook.emulator.twilio.submission import Form, Submission, block_scopes, judge
from offhook.emulator.twilio.twiml import Redirect, Reply, TwimlError, read_answer
from offhook.emulator.twilio.webhooks import error_record, inbound_callback

LOOP_REPLIES, LOOP_SECONDS = 15, 30.0  # error 14107 (facts/telephony.md 1.5)
REDIRECTS_MAX = 10


def take(emulation: Emulation, message: Message, media: Sequence[Medium], origin: str) -> None:
    """Keep the text, block or free the phone, answer its word, and tell the webhook: one transaction."""
    store, account = emulation.store, emulation.store.accounts[message.account_sid]
    service = service_of(store, message.account_sid, message.to)
    word = keyword(message.body, blocked=is_blocked(store, message.account_sid, message.to, message.from_number))
    message = replace(message, messaging_service_sid=service.sid if service else None)
    records: list[Record] = [{"type": "message", **message.to_record()}, *(medium.to_record() for medium in media)]
    if word is not None:
        records += _consequences(emulation, message, word, service)
    settings = store.number_settings.get((message.account_sid, message.to), {})
    from_service = service is not None and service.inbound_url is not None
    url = service.inbound_url if service and from_service else settings.get("sms_url")
    fallback = service.fallback_url if service and from_service else settings.get("sms_fallback_url")
    if url:
        advanced = account.advanced_opt_out or (service is not None and service.advanced_opt_out)
        told = word.kind if word is not None and advanced else None
        records.append(inbound_callback(message, media, url, fallback or None, told, origin).to_record())
    emulation.write(*records)


def service_of(store: Store, account_sid: str, number: str) -> Service | None:
    """The messaging service that a number is in."""
    mine = (s for s in store.services.values() if s.account_sid == account_sid and s.face == "twilio")
    return next((service for service in mine if number in service.numbers), None)


def is_blocked(store: Store, account_sid: str, number: str, phone: str) -> bool:
    service = service_of(store, account_sid, number)
    scopes = block_scopes(number, service.sid if service else None)
    return any((account_sid, scope, phone) in store.blocks for scope in scopes)


def _consequences(emulation: Emulation, message: Message, word: Keyword, service: Service | None) -> list[Record]:
    """The block, set or lifted for the number or its whole service, and Twilio's own answer."""
    records: list[Record] = []
    if word.blocks is not None:
        # START frees the phone from both; STOP blocks it for the wider of them.
        scopes = block_scopes(message.to, service.sid if service else None)
        for scope in scopes[-1:] if word.blocks else scopes:
            pair = {"account_sid": message.account_sid, "from_number": scope, "to": message.from_number}
            records.append({"type": "block", **pair, "blocked": word.blocks})
    if word.reply is not None:
        records += emulation.lifecycle.records_of(_carriers_reply(emulation, message, word.reply))
    return records


def _carriers_reply(emulation: Emulation, message: Message, body: str) -> Message:
    now, counted = emulation.clock.time(), segmentation(body)
    return Message(
        sid="SM" + uuid.uuid4().hex,
        account_sid=message.account_sid,
        to=message.from_number,
        from_number=message.to,
        body=body,
        status="queued",
        direction="outbound-reply",
        created_at=now,
        updated_at=now,
        messaging_service_sid=message.messaging_service_sid,
        segments=counted.segments,
        encoding=counted.encoding,
    )


async def answered(emulation: Emulation, callback: Callback, attempt: Attempt, answer: Answer) -> int | None:
    """Carry out a webhook's answer; the code of what was wrong with it, which sends it on to the fallback address."""
    if answer.outcome != "2xx":
        await _tell(emulation, callback, attempt, 11200, answer.told)
        return 11200
    if callback.kind != "inbound":
        return None
    try:
        instructions = read_answer(answer.content_type, answer.body)
    except TwimlError as error:
        await _tell(emulation, callback, attempt, error.code, error.detail)
        return error.code
    for problem in instructions.problems:
        await _tell(emulation, callback, attempt, problem.code, problem.detail)
    for verb in instructions.verbs:
        if isinstance(verb, Redirect):
            await _redirect(emulation, callback, attempt, verb)
            break
        await _reply(emulation, callback, attempt, verb)
    return None


async def _tell(emulation: Emulation, callback: Callback, attempt: Attempt, code: int, detail: str) -> None:
    await emulation.keep(error_record(code, detail, callback.message_sid, attempt.url))


async def _redirect(emulation: Emulation, callback: Callback, attempt: Attempt, verb: Redirect) -> None:
    if callback.hops >= REDIRECTS_MAX:
        await _tell(emulation, callback, attempt, 12200, f"more than {REDIRECTS_MAX} redirects")
        return
    url = joined(attempt.url, verb.url)
    if web_host(url) is None:
        await _tell(emulation, callback, attempt, 11100, "the address of a <Redirect> is none")
        return
    await emulation.keep(replace(callback, id=str(uuid.uuid4()), url=url, hops=callback.hops + 1).to_record())


async def _reply(emulation: Emulation, callback: Callback, attempt: Attempt, verb: Reply) -> None:
    """A `<Message>` as a message; what Twilio would refuse is an error event."""
    account = emulation.store.accounts[callback.account_sid]
    sender, to = verb.sender or callback.fields["To"], verb.to or callback.fields["From"]
    if _replies_lately(emulation, account.sid, sender, to) >= LOOP_REPLIES:
        detail = f"more than {LOOP_REPLIES} between two numbers in {LOOP_SECONDS:.0f} s"
        await _tell(emulation, callback, attempt, 14107, detail)
        return
    form: dict[str, tuple[str, ...]] = {"To": (to,), "From": (sender,), "Body": (verb.body,)}
    if verb.media_urls:
        form["MediaUrl"] = tuple(joined(attempt.url, url) for url in verb.media_urls)
    if verb.status_callback:
        form["StatusCallback"] = (joined(attempt.url, verb.status_callback),)
    try:
        message = judge(Submission(_whole(form), account, emulation.store, emulation.clock.time()))
    except TwilioError as error:
        await _tell(emulation, callback, attempt, error.code, error.sentence)
        return
    reply = replace(message, direction="outbound-reply")
    await emulation.keep(*emulation.lifecycle.records_of(emulation.with_ending(reply)))


def _whole(form: dict[str, tuple[str, ...]]) -> Form:
    return {name: values for name, values in form.items() if values != ("",)}


def _replies_lately(emulation: Emulation, account_sid: str, sender: str, to: str) -> int:
    since = emulation.clock.time() - LOOP_SECONDS
    lately = takewhile(lambda m: m.created_at >= since, emulation.store.newest_first(account_sid, to=to))
    return sum(1 for m in lately if m.direction == "outbound-reply" and m.from_number == sender)
