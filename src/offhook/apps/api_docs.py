"""`/docs`: the OpenAPI document as one page without scripts or anything from elsewhere, so that it works offline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_DEEPEST: Final = 4

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: 0 .8rem; }
summary { cursor: pointer; padding: .5rem 0; }
summary b { display: inline-block; width: 4.2rem; font: 700 12px ui-monospace, monospace; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .7rem; overflow-x: auto; border-radius: 6px; }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 .8rem; }
td, th { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--soft); }
small { opacity: .75; }
nav a { margin-right: .8rem; }
"""


def render_docs(document: Mapping[str, Any]) -> str:
    """The page, complete."""
    groups: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                tag = next(iter(item[method].get("tags", ())), "other")
                groups.setdefault(tag, []).append(_operation(document, method, path, item[method]))
    info = document["info"]
    links = "".join(f'<a href="#{escape(tag)}">{escape(tag)}</a>' for tag in groups)
    sections = "".join(
        f'<h2 id="{escape(tag)}">{escape(tag)}</h2>{"".join(entries)}' for tag, entries in groups.items()
    )
    about = "".join(f"<p>{_inline(part)}</p>" for part in info.get("description", "").split("\n\n"))
    title = f"{escape(info['title'])} API {escape(info['version'])}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style><h1>{title}</h1>{about}"
        f'<p>For programs: <a href="/openapi.json">openapi.json</a></p><nav>{links}</nav>{sections}</html>'
    )


def _operation(document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]) -> str:
    head = f"<b>{method.upper()}</b> <code>{escape(path)}</code> <small>{escape(operation.get('summary', ''))}</small>"
    parts = [f"<p>{_inline(operation['description'])}</p>"] if operation.get("description") else []
    if parameters := operation.get("parameters"):
        rows = [_row(p["name"], p["in"], p.get("required", False), p.get("schema", {}), p) for p in parameters]
        parts.append(_table("Parameters", rows))
    if schema := _json_schema(operation.get("requestBody", {})):
        parts.append(_table("Body", list(_fields(document, schema, "", 0))))
    parts.append(f"<pre>{escape(_curl(method, path, bool(schema), bool(operation.get('security'))))}</pre>")
    for status, response in operation["responses"].items():
        if schema := _json_schema(response):
            parts.append(_table(f"Answer {status}", list(_fields(document, schema, "", 0))))
        elif status.isdecimal() and "$ref" not in response:
            parts.append(f"<p>Answer {escape(status)}: {escape(response.get('description', ''))}</p>")
    return f'<details id="{escape(operation["operationId"])}"><summary>{head}</summary>{"".join(parts)}</details>'


def _json_schema(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    return holder.get("content", {}).get("application/json", {}).get("schema", {})


def _curl(method: str, path: str, has_body: bool, with_key: bool) -> str:
    lines = [f'curl -X {method.upper()} "$OFFHOOK_URL{path}"']
    if with_key:
        lines.append('  -H "Authorization: Bearer $OFFHOOK_API_KEY"')
    if has_body:
        lines.append("  -H 'Content-Type: application/json' -d '{…}'")
    return " \\\n".join(lines)


def _table(title: str, rows: list[str]) -> str:
    if not rows:
        return ""
    head = "<tr><th>name<th>type<th></tr>"
    return f"<p><strong>{escape(title)}</strong></p><table>{head}{''.join(rows)}</table>"


def _row(name: str, place: str, required: bool, schema: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    note = about.get("description") or schema.get("description") or ""
    marks = " ".join(filter(None, (place, "required" if required else "")))
    limits = ", ".join(f"{key} {json.dumps(schema[key])}" for key in _LIMITS if key in schema)
    return (
        f"<tr><td><code>{escape(name)}</code> <small>{marks}</small>"
        f"<td><code>{escape(_type(schema))}</code><td>{_inline(note)} <small>{escape(limits)}</small></tr>"
    )


_LIMITS: Final = (
    "default", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "pattern",
)  # fmt: skip


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any], prefix: str, depth: int) -> Iterator[str]:
    """A row for each property, and for those of the objects in it."""
    schema = _resolved(document, schema)
    for variant in schema.get("anyOf", ()):
        if "properties" in variant:
            yield f'<tr><th colspan="3">{escape(variant.get("title", "or"))}</tr>'
            yield from _fields(document, variant, prefix, depth)
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        inner = _resolved(document, part)
        yield _row(f"{prefix}{name}", "", name in required, {**inner, **part}, part)
        if depth < _DEEPEST and "items" in inner:
            yield from _fields(document, inner["items"], f"{prefix}{name}[].", depth + 1)
        elif depth < _DEEPEST:
            yield from _fields(document, inner, f"{prefix}{name}.", depth + 1)


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema itself, where it is a reference or one schema or null."""
    if "$ref" in schema:
        return _resolved(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    choices = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
    return _resolved(document, choices[0]) if len(choices) == 1 else schema


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(part) for part in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _inline(text: str) -> str:
    """Escaped text, with what stands between backticks as code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))
