"""The building blocks of HTTP: the front of the application, problems, bodies, pages, routes."""

from offhook.core.http.body import MAX_BODY_BYTES, parse_json, read_json, read_json_object
from offhook.core.http.fields import Form, JsonObject, Text
from offhook.core.http.front import Front
from offhook.core.http.paging import Page, Paged, decode_cursor, encode_cursor
from offhook.core.http.problems import (
    Problem,
    install_problems,
    invalid_input,
    problem_response,
    request_id,
)
from offhook.core.http.provided import provide, provided
from offhook.core.http.routes import ApiRoute, HotRoute, JsonRequest, Part, inline_schema

__all__ = [
    "MAX_BODY_BYTES",
    "ApiRoute",
    "Form",
    "Front",
    "HotRoute",
    "JsonObject",
    "JsonRequest",
    "Page",
    "Paged",
    "Part",
    "Problem",
    "Text",
    "decode_cursor",
    "encode_cursor",
    "inline_schema",
    "install_problems",
    "invalid_input",
    "parse_json",
    "problem_response",
    "provide",
    "provided",
    "read_json",
    "read_json_object",
    "request_id",
]
