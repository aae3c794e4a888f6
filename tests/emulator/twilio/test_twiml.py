"""TwiML as Twilio's own builder writes it, and as it should not be written."""

from __future__ import annotations

import pytest
from twilio.twiml.messaging_response import Message, MessagingResponse

from offhook.emulator.twilio.twiml import MAX_BYTES, Problem, Redirect, Reply, TwimlError, read_answer


def read(document: str) -> tuple[Reply | Redirect, ...]:
    instructions = read_answer("text/xml", document.encode())
    assert instructions.problems == ()
    return instructions.verbs


def test_what_twilios_builder_writes_is_understood() -> None:
    response = MessagingResponse()
    response.message("Is it <ready> & when? 🚲")
    message = Message(to="+12025550124", from_="+12025550101", action="/status")
    message.body("With a picture")
    message.media("https://example.com/a.png?b=1&c=2")
    message.media("/b.png")
    response.append(message)
    response.redirect("/more")
    assert read(str(response)) == (
        Reply("Is it <ready> & when? 🚲"),
        Reply(
            "With a picture",
            ("https://example.com/a.png?b=1&c=2", "/b.png"),
            to="+12025550124",
            sender="+12025550101",
            status_callback="/status",
        ),
        Redirect("/more"),
    )


@pytest.mark.parametrize("body", ["", "  \n", "<Response/>", "<?xml version='1.0'?><Response></Response>"])
def test_an_empty_answer_says_nothing(body: str) -> None:
    assert read(body) == ()


def test_plain_text_is_sent_as_it_is() -> None:
    assert read_answer("text/plain", "OK ✔".encode()).verbs == (Reply("OK ✔"),)


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("text/xml", "<Response><Message>unclosed", 12100),
        ("text/xml", "not xml", 12100),
        ("text/xml", "<Reply/>", 12100),
        ("text/xml", '<!DOCTYPE r [<!ENTITY a "aaaa">]><Response><Message>&a;</Message></Response>', 12100),
        ("text/xml", "<Response>\x00</Response>", 12100),
        ("application/json", '{"ok": true}', 12300),
        ("", "<Response/>", 12300),
        ("text/xml", "<Response>" + " " * MAX_BYTES + "</Response>", 11750),
    ],
)
def test_a_document_that_cannot_be_carried_out_has_twilios_code(content_type: str, body: str, code: int) -> None:
    with pytest.raises(TwimlError) as refused:
        read_answer(content_type, body.encode())
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("verb", "code"),
    [("<Say>hi</Say>", 12200), ("<Message/>", 14103), ("<Redirect/>", 12200), ("<message>x</message>", 12200)],
)
def test_a_wrong_verb_is_told_and_the_others_count(verb: str, code: int) -> None:
    instructions = read_answer("application/xml", f"<Response>{verb}<Message>kept</Message></Response>".encode())
    assert [problem.code for problem in instructions.problems] == [code]
    assert isinstance(instructions.problems[0], Problem)
    assert instructions.verbs == (Reply("kept"),)
