"""What may be saved as a function's parameters: JSON Schema 2020-12, in the part of it that LLM strict modes take.

The limits are the strictest of the providers' published ones, so that one schema serves them all; a schema
from outside is input like any other, and a hostile one gives problems, never a crash.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

import jsonschema_rs

from offhook.core.jsonvalue import JSON, UncleanJson, clean_json
from offhook.core.text import clean_text, shorten

MAX_BYTES: Final = 64 * 1024
MAX_LEVELS: Final = 10
"""Levels of schemas inside schemas, references followed: OpenAI's structured outputs take 10."""

MAX_JSON_DEPTH: Final = 4 * MAX_LEVELS
MAX_PATTERN_LENGTH: Final = 500
MAX_PROBLEMS: Final = 8
"""Who has eight problems to solve does not read the ninth."""

MAX_SHOWN: Final = 80
"""Characters of a value that a sentence may show."""

MAX_SENTENCE: Final = 300

PROPERTY_NAME: Final = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
"""The names of properties that Anthropic's API takes; OpenAI's and Google's take more."""

DIALECTS: Final = frozenset(
    {
        "https://json-schema.org/draft/2020-12/schema",
        "https://json-schema.org/draft/2019-09/schema",
        "http://json-schema.org/draft-07/schema#",
        "http://json-schema.org/draft-07/schema",
    }
)

_ONE, _LIST, _MAP, _PLAIN = "one", "list", "map", "plain"
KEYWORDS: Final[Mapping[str, str]] = {
    "properties": _MAP,
    "$defs": _MAP,
    "anyOf": _LIST,
    "items": _ONE,
    "additionalProperties": _ONE,
    **dict.fromkeys(
        (
            *("$schema", "$ref", "type", "enum", "const", "title", "description", "default", "examples", "required"),
            *("pattern", "format", "minLength", "maxLength", "minItems", "maxItems"),
            *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        ),
        _PLAIN,
    ),
}
"""The keywords taken, and whether their value holds schemas."""

INSTEAD: Final[Mapping[str, str]] = {
    "oneOf": "use anyOf",
    "allOf": "write the properties into one object",
    "nullable": 'use "type": ["string", "null"]',
    "definitions": "use $defs",
    "patternProperties": "name the properties, or use additionalProperties",
    "prefixItems": "use an object with named properties",
    "if": "say the condition in the description",
    "not": "say it in the description",
}

NOT_LINEAR: Final = "The pattern is not one that is matched in linear time: no look-around, no back-references."

_TYPED: Final = frozenset({"type", "enum", "const", "anyOf", "$ref"})
_REFERENCE: Final = re.compile(r"#/\$defs/([A-Za-z0-9_.\-]{1,64})")
_MASK: Final = "\x01value\x01"


class Validator(Protocol):
    """What we use of a jsonschema-rs validator."""

    def is_valid(self, instance: Any) -> bool: ...

    def iter_errors(self, instance: Any) -> Iterator[jsonschema_rs.ValidationError]: ...


@dataclass(frozen=True, slots=True)
class SchemaProblem:
    """`path` in dots from the schema's root ("properties.party.pattern"), `message` a sentence."""

    path: str
    message: str


class InvalidSchema(ValueError):
    """The schema cannot be compiled."""

    code: Final = "invalid_schema"


def _no_retrieval(uri: str) -> Any:
    raise ValueError("remote references are refused")


def build_validator(schema: Mapping[str, Any]) -> Validator:
    """Compile without network and with linear-time patterns. Raises InvalidSchema."""
    try:
        return jsonschema_rs.validator_for(
            dict(schema),
            retriever=_no_retrieval,
            pattern_options=jsonschema_rs.RegexOptions(),
            validate_formats=True,
            mask=_MASK,
        )
    except jsonschema_rs.ValidationError as error:
        raise InvalidSchema(shorten(error.message, MAX_SENTENCE)) from None
    except (ValueError, TypeError, RecursionError, jsonschema_rs.ReferencingError) as error:
        raise InvalidSchema(shorten(str(error), MAX_SENTENCE)) from None


_META: Final = build_validator({"$ref": "https://json-schema.org/draft/2020-12/schema"})


def show_problem(error: jsonschema_rs.ValidationError) -> str:
    """A sentence with the path and at most MAX_SHOWN characters of the value: `party: "4" is not of type "integer"`."""
    path = _dotted(error.instance_path)
    message = error.message.replace(_MASK, _shown(error.instance), 1)
    return clean_text(shorten(f"{path}: {message}" if path else message, MAX_SENTENCE))


def _shown(value: Any) -> str:
    cut = value[: MAX_SHOWN + 1] if isinstance(value, str) else value
    return shorten(json.dumps(cut, ensure_ascii=False, default=str), MAX_SHOWN)


def _dotted(path: list[str | int]) -> str:
    return shorten(".".join(str(step) for step in path), 120)


def local_definition(root: Mapping[str, Any], reference: object) -> Mapping[str, Any] | None:
    """The schema that `#/$defs/name` names, or None for any other reference."""
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    definitions = root.get("$defs")
    if match is None or not isinstance(definitions, Mapping):
        return None
    found = cast("Mapping[str, object]", definitions).get(match[1])
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else None


def check_schema(schema: object) -> list[SchemaProblem]:
    """Everything wrong with a function's parameters, at most MAX_PROBLEMS; empty when it may be saved."""
    try:
        cleaned = clean_json(schema, max_depth=MAX_JSON_DEPTH, max_bytes=2 * MAX_BYTES)
    except UncleanJson as error:
        return [SchemaProblem("", error.message)]
    if not isinstance(cleaned, dict):
        return [SchemaProblem("", "A function's parameters are a JSON object.")]
    if cleaned != schema:
        return [SchemaProblem("", "It contains a NUL character, a lone surrogate or a number that JSON has not.")]
    if len(json.dumps(cleaned, ensure_ascii=False).encode()) > MAX_BYTES:
        return [SchemaProblem("", f"It is larger than {MAX_BYTES // 1024} KB.")]
    problems = _meta_problems(cleaned)
    if not problems:
        walk = _Walk(cleaned)
        walk.root()
        problems = walk.problems
    if not problems:
        problems = _compile_problems(cleaned)
    return problems[:MAX_PROBLEMS]


def _meta_problems(schema: dict[str, JSON]) -> list[SchemaProblem]:
    found: list[SchemaProblem] = []
    for error in _META.iter_errors(schema):
        path = _dotted(error.instance_path)
        message = error.message.replace(_MASK, _shown(error.instance), 1)
        is_pattern = error.kind.name == "format" and path.endswith("pattern")
        found.append(SchemaProblem(path, NOT_LINEAR if is_pattern else shorten(message, MAX_SENTENCE)))
        if len(found) == MAX_PROBLEMS:
            break
    return found


def _compile_problems(schema: dict[str, JSON]) -> list[SchemaProblem]:
    try:
        build_validator(schema)
    except InvalidSchema as error:
        return [SchemaProblem("", str(error))]
    definitions = schema.get("$defs", {})
    return [
        SchemaProblem(path, f"The default {_shown(node['default'])} does not fit its own schema.")
        for path, node in _nodes_with_default(schema, "")
        if not build_validator({**node, "$defs": definitions}).is_valid(node["default"])
    ]


def _nodes_with_default(node: dict[str, JSON], path: str) -> Iterator[tuple[str, dict[str, JSON]]]:
    if "default" in node:
        yield path, node
    for child_path, child in _children(node, path):
        if isinstance(child, dict):
            yield from _nodes_with_default(child, child_path)


def _children(node: dict[str, JSON], path: str) -> Iterator[tuple[str, JSON]]:
    """The schemas directly inside a schema, with their paths."""
    prefix = f"{path}." if path else ""
    for keyword, value in node.items():
        match KEYWORDS.get(keyword), value:
            case "map", dict():
                yield from ((f"{prefix}{keyword}.{name}", child) for name, child in value.items())
            case "list", list():
                yield from ((f"{prefix}{keyword}.{index}", child) for index, child in enumerate(value))
            case "one", _:
                yield f"{prefix}{keyword}", value
            case _:
                pass


@dataclass
class _Walk:
    """One pass over a schema that fits the meta-schema; `problems` grows as it goes."""

    schema: dict[str, JSON]
    problems: list[SchemaProblem] = field(default_factory=list[SchemaProblem])
    deepest: dict[str, int] = field(default_factory=dict[str, int])
    """Levels inside each definition ("" is the root), references not followed."""
    references: dict[str, list[tuple[str, int]]] = field(default_factory=dict[str, list[tuple[str, int]]])
    """For each definition, which definitions it refers to and at which level."""

    def root(self) -> None:
        if self.schema.get("type") != "object":
            self.problem("type", 'A function\'s parameters have "type": "object" at the root.')
        if self.schema.get("$schema", next(iter(DIALECTS))) not in DIALECTS:
            self.problem("$schema", "The dialect is JSON Schema 2020-12.")
        if "anyOf" in self.schema or "$ref" in self.schema:
            self.problem("", "The root cannot be a choice or a reference.")
        self.visit(self.schema, "", "", 0)
        if self.levels("", ()) > MAX_LEVELS:
            self.problem("", f"It is nested more than {MAX_LEVELS} levels deep.")

    def problem(self, path: str, message: str) -> None:
        self.problems.append(SchemaProblem(path, message))

    def visit(self, node: JSON, path: str, owner: str, level: int) -> None:
        if not isinstance(node, dict):
            if not path.endswith("additionalProperties"):
                self.problem(path, "true and false are no schemas here; write an object.")
            return
        self.deepest[owner] = max(self.deepest.get(owner, 0), level)
        prefix = f"{path}." if path else ""
        for keyword in node.keys() - KEYWORDS.keys():
            hint = INSTEAD.get(keyword)
            message = f'The keyword "{shorten(keyword, 40)}" is not supported' + (f"; {hint}." if hint else ".")
            self.problem(f"{prefix}{shorten(keyword, 40)}", message)
        if not node.keys() & _TYPED:
            self.problem(path, "It has no type.")
        self.check_names(node, prefix)
        self.check_array_and_pattern(node, prefix)
        if "$ref" in node:
            self.check_reference(node["$ref"], prefix, owner, level)
        if path and "$defs" in node:
            self.problem(f"{prefix}$defs", "$defs stands at the root only.")
        for child_path, child in _children(node, path):
            is_definition = child_path.startswith("$defs.") and not path
            inside = child_path.removeprefix("$defs.") if is_definition else owner
            self.visit(child, child_path, inside, 0 if is_definition else level + 1)

    def check_names(self, node: dict[str, JSON], prefix: str) -> None:
        for keyword in ("properties", "$defs"):
            names = node.get(keyword)
            for name in names if isinstance(names, dict) else ():
                if PROPERTY_NAME.fullmatch(name) is None:
                    sentence = "A name has 1 to 64 letters, digits, dots, dashes or underscores."
                    self.problem(f"{prefix}{keyword}.{shorten(name, 40)}", sentence)
        properties, required = node.get("properties", {}), node.get("required", [])
        if isinstance(properties, dict) and isinstance(required, list):
            for name in required:
                if name not in properties:
                    sentence = f'"{shorten(str(name), 40)}" is required and not among the properties.'
                    self.problem(f"{prefix}required", sentence)

    def check_array_and_pattern(self, node: dict[str, JSON], prefix: str) -> None:
        kind = node.get("type")
        if (kind == "array" or (isinstance(kind, list) and "array" in kind)) and "items" not in node:
            self.problem(prefix.rstrip("."), 'An array says what is in it: "items".')
        pattern = node.get("pattern")
        if not isinstance(pattern, str):
            return
        if len(pattern) > MAX_PATTERN_LENGTH:
            self.problem(f"{prefix}pattern", f"A pattern has at most {MAX_PATTERN_LENGTH} characters.")
            return
        try:
            build_validator({"pattern": pattern})
        except InvalidSchema:
            self.problem(f"{prefix}pattern", NOT_LINEAR)

    def check_reference(self, reference: JSON, prefix: str, owner: str, level: int) -> None:
        if local_definition(self.schema, reference) is None:
            sentence = 'A reference has the form "#/$defs/name" and its definition stands in this schema.'
            self.problem(f"{prefix}$ref", sentence)
            return
        self.references.setdefault(owner, []).append((str(reference).removeprefix("#/$defs/"), level))

    def levels(self, owner: str, above: tuple[str, ...]) -> int:
        """Levels of `owner` with references followed; a circle is a problem."""
        if owner in above:
            self.problem(f"$defs.{owner}", "The definition contains itself; recursion is not supported.")
            return 0
        deepest = self.deepest.get(owner, 0)
        for target, level in self.references.pop(owner, []):
            deepest = max(deepest, level + self.levels(target, (*above, owner)))
        self.deepest[owner] = deepest
        return deepest
