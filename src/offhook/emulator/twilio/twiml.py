"""TwiML that a messaging webhook answers with: `<Message>` and `<Redirect>`. Pure.

Verbs and attributes: twilio.com/docs/messaging/twiml. Codes: the error dictionary; 14101 and 14103 are unconfirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

MAX_BYTES = 64 * 1024  # facts/telephony.md 2.1
XML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})


@dataclass(frozen=True, slots=True)
class Reply:
    """A `<Message>`; None where the attribute is missing."""

    body: str = field(repr=False)
    media_urls: tuple[str, ...] = field(default=(), repr=False)
    to: str | None = field(default=None, repr=False)
    sender: str | None = field(default=None, repr=False)
    status_callback: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Redirect:
    """Ask another address what to do; nothing after it counts."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error of the document, by its code. Only 12100 and 12300 are fatal; other verbs are carried out."""

    code: int
    detail: str


@dataclass(frozen=True, slots=True)
class Instructions:
    verbs: tuple[Reply | Redirect, ...] = ()
    problems: tuple[Problem, ...] = ()


class TwimlError(Exception):
    """The document cannot be carried out at all."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def read_answer(content_type: str, body: bytes) -> Instructions:
    """What a webhook's answer says to do. Raises `TwimlError`. Plain text is sent as it is; an empty answer is none."""
    if not body.strip():
        return Instructions()
    if len(body) > MAX_BYTES:
        raise TwimlError(11750, f"the answer is larger than {MAX_BYTES // 1024} kB")
    if content_type == "text/plain":
        return Instructions((Reply(body.decode("utf-8", "replace")),))
    if content_type not in XML_TYPES:
        raise TwimlError(12300, content_type or "none")
    root = _document(body)
    if root.name != "Response":
        raise TwimlError(12100, f"the root is <{root.name}>, not <Response>")
    verbs: list[Reply | Redirect] = []
    problems: list[Problem] = []
    for element in root.children:
        match _verb(element):
            case Problem() as problem:
                problems.append(problem)
            case verb:
                verbs.append(verb)
    return Instructions(tuple(verbs), tuple(problems))


@dataclass(slots=True)
class _Element:
    name: str
    attributes: Mapping[str, str]
    children: list[_Element] = field(default_factory=list["_Element"])
    text: str = ""


def _verb(element: _Element) -> Reply | Redirect | Problem:
    text = element.text.strip()
    if element.name == "Redirect":
        return Redirect(text) if text else Problem(12200, "<Redirect> without an address")
    if element.name != "Message":
        return Problem(12200, f"<{element.name}> is not a messaging verb")
    bodies = [child.text.strip() for child in element.children if child.name == "Body"]
    media = tuple(child.text.strip() for child in element.children if child.name == "Media")
    reply = Reply(
        body="".join(bodies) if bodies else text,
        media_urls=media,
        to=element.attributes.get("to"),
        sender=element.attributes.get("from"),
        status_callback=element.attributes.get("action") or element.attributes.get("statusCallback"),
    )
    return reply if reply.body or media else Problem(14103, "it has neither a body nor media")


def _document(body: bytes) -> _Element:
    parser = expat.ParserCreate()
    top = _Element("", {})
    open_elements = [top]

    def start(name: str, attributes: dict[str, str]) -> None:
        element = _Element(name, attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_: str) -> None:
        open_elements.pop()

    def characters(data: str) -> None:
        open_elements[-1].text += data

    def doctype(*_: object) -> None:
        raise TwimlError(12100, "a DOCTYPE is not taken")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = characters, doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise TwimlError(12100, expat.errors.messages[error.code]) from error
    return top.children[0]
