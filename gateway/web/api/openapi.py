"""The interface description, OpenAPI 3.1, made from the route table and the models."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway.errors import GatewayError
from gateway.transport.answers import PROBLEM_MEDIA_TYPE
from gateway.web.api.answers import ProblemView
from gateway.web.api.routes import BASE, COMMON_PROBLEMS, JSON, Media, Params, Route

VERSION: Final = "1.0.0"
_REF: Final = "#/components/schemas/{model}"
_INTRODUCTION: Final = """\
What a national system does here: hand over certificates of origin and decisions of customs, see
what became of each, be told of it, look up and search. Every request shows a key
(`Authorization: Bearer`); every error is a problem document (RFC 9457) with all findings in the
language of `Accept-Language` (en, fr, ar). Members are added over time; readers ignore what they
do not know.
"""
_NOT_CHANGED: Final = {"304": {"description": "Not changed since the ETag sent."}}
_Schemas = Mapping[Any, dict[str, Any]]


def describe(routes: Iterable[Route], *, issuer: str | None = None) -> dict[str, Any]:
    """Return the description of ``routes`` as OpenAPI 3.1.

    Args:
        issuer: of the identity provider whose tokens are taken; None where that is not known.
    """
    listed = tuple(routes)
    schemas, shared = models_json_schema(_models(listed), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in listed:
        paths[BASE + route.path][route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "eCO gateway, interface of the national side",
            "version": VERSION,
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in listed)],
        "paths": dict(paths),
        "components": {
            "schemas": _plain(shared.get("$defs", {})),
            "securitySchemes": _schemes(issuer),
        },
        "security": [{"key": []}, {"token": []}],
    }


def _schemes(issuer: str | None) -> dict[str, Any]:
    token: dict[str, Any] = {
        "description": "An access token of the identity provider (OAuth 2.0 client credentials, "
        "RFC 9068), where the operator set one up.",
    }
    if issuer is None:
        token |= {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    else:
        address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        token |= {"type": "openIdConnect", "openIdConnectUrl": address}
    key = {"type": "http", "scheme": "bearer", "description": "An API key of the operator."}
    return {"key": key, "token": token}


def _models(routes: Iterable[Route]) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    found: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {
        (ProblemView, "serialization"): None
    }
    for route in routes:
        for media in route.takes:
            if media.model is not None:
                found[media.model, "validation"] = None
        for media in route.answers.values():
            if media.model is not None:
                found[media.model, "serialization"] = None
    return list(found)


def _operation(route: Route, schemas: _Schemas) -> dict[str, Any]:
    scope = "any key" if route.scope is None else f"`{route.scope}`"
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": f"{(route.handler.__doc__ or '').strip()}\n\nScope: {scope}.",
        "parameters": [
            *_parameters(route.path_params, "path"),
            *_parameters(route.query, "query"),
            *_headers(route),
        ],
        "responses": {
            **{
                str(status): _answer(route, media, schemas)
                for status, media in route.answers.items()
            },
            **(
                {"304": {"description": "Not changed since the ETag sent."}}
                if route.conditional
                else {}
            ),
            **_problems(route, schemas),
        },
    }
    if route.takes:
        content = {
            media.media_type: _content(media, "validation", schemas) for media in route.takes
        }
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(model: type[Params], place: Literal["path", "query"]) -> list[dict[str, Any]]:
    schema = model.model_json_schema()
    shared = schema.get("$defs", {})
    found = []
    for name, said in schema.get("properties", {}).items():
        inlined = _plain(_inlined(said, shared))
        described = inlined.pop("description", None)
        parameter = {
            "name": name,
            "in": place,
            "required": name in schema.get("required", ()),
            "schema": inlined,
        }
        if described is not None:
            parameter["description"] = described
        found.append(parameter)
    return found


def _headers(route: Route) -> list[dict[str, Any]]:
    wanted = {"X-Correlation-ID": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}
    if route.keyed:
        wanted["Idempotency-Key"] = r"^[!-~]{1,200}$"
    if route.tag in ("certificates", "messages") and not route.takes:
        wanted["X-Purpose"] = r"^[!-~]([ -~]{0,198}[!-~])?$"
    meanings = {
        "X-Correlation-ID": "Names the request in the gateway's log; comes back in the answer.",
        "Idempotency-Key": "The same request under it gets the same answer for seven days.",
        "X-Purpose": "Why a foreign certificate is looked at; stands in the journal.",
    }
    return [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": meanings[name],
            "schema": {"type": "string", "pattern": pattern},
        }
        for name, pattern in wanted.items()
    ]


def _answer(route: Route, media: Media, schemas: _Schemas) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": media.note or (media.model.__doc__ or "").split("\n", 1)[0]
        if media.model
        else media.note,
        "content": {media.media_type: _content(media, "serialization", schemas)},
    }
    if route.conditional:
        answer["headers"] = {"ETag": {"schema": {"type": "string"}, "required": True}}
    return answer


def _content(media: Media, mode: JsonSchemaMode, schemas: _Schemas) -> dict[str, Any]:
    if media.model is None:
        return {} if media.media_type != JSON else {"schema": {"type": "object"}}
    return {"schema": schemas[media.model, mode]}


def _problems(route: Route, schemas: _Schemas) -> dict[str, Any]:
    by_status: dict[int, list[type[GatewayError]]] = defaultdict(list)
    for error in (*COMMON_PROBLEMS, *route.problems):
        by_status[error.http_status].append(error)
    content = {PROBLEM_MEDIA_TYPE: {"schema": schemas[ProblemView, "serialization"]}}
    return {
        str(status): {
            "description": "; ".join(f"`{error.code}`: {_meaning(error)}" for error in errors),
            "content": content,
        }
        for status, errors in sorted(by_status.items())
    }


def _meaning(error: type[GatewayError]) -> str:
    return (error.__doc__ or "").split("\n", 1)[0].rstrip(".")


def _inlined(schema: Any, shared: Mapping[str, Any]) -> Any:
    if isinstance(schema, dict):
        if "$ref" in schema:
            named = shared[schema["$ref"].rsplit("/", 1)[1]]
            return _inlined({**named, **{k: v for k, v in schema.items() if k != "$ref"}}, shared)
        return {key: _inlined(value, shared) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_inlined(each, shared) for each in schema]
    return schema


def _plain(schema: Any) -> Any:
    """Return a schema without titles that only repeat names, and with docstrings in one line."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {}
    for key, value in schema.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "description" and isinstance(value, str):
            found[key] = re.sub(r"\n\n(?:Attributes|Raises):\n.*", "", value, flags=re.S)
        else:
            found[key] = _plain(value)
    return found
