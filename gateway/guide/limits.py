"""What a datum may be, in words, from the document models."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from gateway.documents.base import Record
from gateway.documents.fields import leaves

_FORMATS: Final[Mapping[str, str]] = {
    "date": "day, as 2026-03-09",
    "date-time": "moment to the minute with its offset, as 2026-03-09T10:30:00Z",
}


def limits(model: type[Record], path: str) -> str:
    """Return in words what the datum at ``path`` may be in canonical JSON."""
    if leaves(model)[path].type is Decimal:
        return "decimal in quotes, at most 15 digits before and 6 after the point"
    return _words(_at(model, path))


def values(model: type[Record], path: str) -> tuple[str, ...]:
    """Return the closed list of values of a datum; empty where it has none."""
    return tuple(str(each) for each in _at(model, path).get("enum", ()))


def _at(model: type[Record], path: str) -> dict[str, Any]:
    schema, shared = _schema(model), _schema(model).get("$defs", {})
    for name in path.replace("[]", ".[]").split("."):
        inner = schema["items"] if name == "[]" else schema["properties"][name]
        schema = _plain(inner, shared)
    return schema


@cache
def _schema(model: type[Record]) -> dict[str, Any]:
    return model.model_json_schema(mode="validation")


def _plain(schema: dict[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema without null and without reference."""
    for each in schema.get("anyOf", ()):
        if each.get("type") != "null":
            return _plain(each, shared)
    if "$ref" in schema:
        return _plain(shared[schema["$ref"].rpartition("/")[2]], shared)
    return schema


def _words(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    for found, words in (
        ("enum" in schema, "one of the values listed"),
        (schema.get("contentEncoding") == "base64", "base64"),
        (kind == "boolean", "true or false"),
        (kind == "integer", f"whole number{_range(schema, 'minimum', 'maximum')}"),
        ("pattern" in schema, f"text of the form {schema.get('pattern', '').strip('^$')}"),
    ):
        if found:
            return words
    length = _range(schema, "minLength", "maxLength", " characters")
    return _FORMATS.get(schema.get("format", ""), f"text{length}")


def _range(schema: Mapping[str, Any], least: str, most: str, unit: str = "") -> str:
    if most not in schema:
        return f" from {schema[least]}" if least in schema else ""
    return f", {schema.get(least, 0)} to {schema[most]}{unit}"
