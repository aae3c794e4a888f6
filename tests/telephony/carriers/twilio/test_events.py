"""Twilio's webhooks in the forms in which they come."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from offhook.telephony.carrier import INBOUND_TEXT, MESSAGE_STATUS, InboundMedium, InboundTextEvent, MessageStatusEvent
from offhook.telephony.carriers.twilio.events import event_of

INBOUND = {"MessageSid": "SM1", "From": "+12025550140", "To": "+12025550100", "Body": "Hi"}


def inbound(**more: str) -> InboundTextEvent | None:
    event = event_of(INBOUND_TEXT, {}, urlencode({**INBOUND, **more}).encode())
    assert event is None or isinstance(event, InboundTextEvent)
    return event


@pytest.mark.parametrize("told", [{}, {"NumMedia": "0"}, {"NumMedia": "9"}, {"NumMedia": "many"}])
def test_media_are_counted_by_their_addresses(told: dict[str, str]) -> None:
    event = inbound(
        **told, MediaUrl0="https://a.example/0", MediaContentType0="image/png", MediaUrl1="https://a.example/1"
    )
    assert event is not None
    assert event.media == (
        InboundMedium("https://a.example/0", "image/png"),
        InboundMedium("https://a.example/1", "application/octet-stream"),
    )


def test_more_media_than_anybody_sends_are_cut_off() -> None:
    event = inbound(**{f"MediaUrl{n}": f"https://a.example/{n}" for n in range(500)})
    assert event is not None
    assert len(event.media) == 30


@pytest.mark.parametrize("name", ["MessageSid", "SmsSid", "SmsMessageSid"])
def test_a_text_is_known_by_any_of_its_ids(name: str) -> None:
    form = {**INBOUND, name: "SM7"}
    if name != "MessageSid":
        del form["MessageSid"]
    event = event_of(INBOUND_TEXT, {}, urlencode(form).encode())
    assert event is not None
    assert event.carrier_message_id == "SM7"


@pytest.mark.parametrize("number", ["whatsapp:+12025550140", "messenger:123", "rcs:brand"])
def test_another_channel_means_nothing(number: str) -> None:
    assert inbound(From=number) is None


@pytest.mark.parametrize("number", ["262966", "BRAND", "+12025550140"])
def test_short_codes_and_names_are_senders_too(number: str) -> None:
    event = inbound(From=number)
    assert event is not None
    assert event.from_number == number


@pytest.mark.parametrize("missing", ["MessageSid", "From", "To"])
def test_a_text_without_what_makes_it_one_is_malformed(missing: str) -> None:
    form = {name: value for name, value in INBOUND.items() if name != missing}
    with pytest.raises(ValueError, match="without"):
        event_of(INBOUND_TEXT, {}, urlencode(form).encode())


def test_an_opt_out_type_that_is_new_is_none() -> None:
    event = inbound(OptOutType="LATER")
    assert event is not None
    assert event.consent is None


def test_a_status_names_the_sender_that_a_service_picked() -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "sent", "From": "+12025550100", "MessagingServiceSid": "MG1"}
    event = event_of(MESSAGE_STATUS, {"op": "not-a-uuid"}, urlencode(form).encode())
    assert isinstance(event, MessageStatusEvent)
    assert (event.from_number, event.operation_id) == ("+12025550100", None)
