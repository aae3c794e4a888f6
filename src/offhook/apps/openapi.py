"""The OpenAPI document (3.1): FastAPI's routes, the hot ones, and one kind of error.

docs/reference/openapi.json is a copy that a test keeps equal to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from offhook.core.http import HotRoute, Problem

DESCRIPTION: Final = """\
The tool layer for voice agents. Send `Authorization: Bearer <API key>`; scopes are admin, worker and read.

Every error is `application/problem+json` with a stable `code` and the `request_id` of the log. Lists give
`next_cursor`, to be sent as `cursor` for the next page; null at the end. Another organization's row is not found.
A 503 or 429 says in `Retry-After` when to try again. Bodies have at most 64 KB.
"""

_PROBLEM: Final = {"$ref": "#/components/responses/Problem"}
_METHODS: Final = ("get", "put", "post", "patch", "delete")


def build_document(app: FastAPI, hot: Sequence[HotRoute]) -> dict[str, Any]:
    """Raises ValueError when two operations have the same id."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    components: dict[str, Any] = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema(
        ref_template="#/components/schemas/{model}"
    )
    components["schemas"].update(components["schemas"]["Problem"].pop("$defs", {}))
    components["responses"] = {
        "Problem": {
            "description": "What went wrong, and who must act next",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    }
    for route in hot:
        document["paths"].setdefault(route.path, {})[route.method.lower()] = _operation(route)
    for operation in operations(document):
        _add_problems(operation)
    _check_ids(document)
    return document


def as_text(document: Mapping[str, Any]) -> str:
    """The document as it is committed."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every operation of a document, in its order."""
    for item in document["paths"].values():
        for method in _METHODS:
            if method in item:
                yield item[method]


def _operation(route: HotRoute) -> dict[str, Any]:
    # Through JSON: a copy, and proof that it is plain data.
    operation: dict[str, Any] = json.loads(json.dumps(dict(route.operation)))
    operation.setdefault("responses", {"200": {"description": "OK"}})
    operation["operationId"] = route.operation_id
    if route.authenticated:
        operation.setdefault("security", [{"ApiKey": []}])
    return operation


def _add_problems(operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    own = responses.pop("default", {})
    if "content" in own:  # a route with errors of another shape says so itself
        responses["default"] = own
        return
    if operation.get("security"):
        responses["401"] = responses["403"] = _PROBLEM
    if operation.get("parameters") or operation.get("requestBody"):
        responses.setdefault("422", _PROBLEM)
    responses["default"] = _PROBLEM


def _check_ids(document: Mapping[str, Any]) -> None:
    ids = [operation["operationId"] for operation in operations(document)]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"two operations have the same id: {', '.join(twice)}")
