"""The operations: which address of the route table each one is, and what differs in XML."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import BaseModel

from gateway.errors import InputError, NotFoundError
from gateway.exchange.intake import national_format
from gateway.services.counter import Counter
from gateway.web.api import looking_up
from gateway.web.api.routes import JSON, XML, Call, Reply, Route
from gateway.web.api.soap.contract import TEXT
from gateway.web.api.table import ROUTES

Values = dict[str, Any]
_CONTENTS: Final = ("canonical_json", "national_content", "signed_xml")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Is what an operation asks for, in the terms of its route."""

    path: Values = field(default_factory=dict)
    query: Values = field(default_factory=dict)
    body: bytes = b""
    media_type: str = ""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Is one operation of the contract.

    Attributes:
        asks: turns the values of the request into what the route takes.
        says: turns the answer of the route into the values of the response.
    """

    route: Route
    asks: Callable[[Counter, Values], Asked]
    says: Callable[[Call, Values, Values], Values] = lambda _call, _asked, answer: answer


def perform(operation: Operation, call: Call, asked: Values) -> Values:
    """Return the values of the response to a call."""
    return operation.says(call, asked, _values(operation.route.handler(call)))


def _values(reply: Reply) -> Values:
    content = reply.content
    raw = content.model_dump_json() if isinstance(content, BaseModel) else content
    values: Values = json.loads(raw)
    return values


def _document(counter: Counter, values: Values) -> Asked:
    """Return a document with its form, of which exactly one is given."""
    given = [name for name in _CONTENTS if name in values]
    if len(given) != 1 or ("national_format" in values) is not ("national_content" in values):
        raise InputError(
            "give exactly one of CanonicalJson, SignedXml, and NationalContent with NationalFormat"
        )
    content = values[given[0]]
    if given == ["canonical_json"]:
        return Asked(body=content.encode(), media_type=JSON)
    raw = _decoded(content)
    if given == ["signed_xml"]:
        return Asked(body=raw, media_type=XML)
    name = values["national_format"]
    media_type = national_format(name, counter.national).media_type
    return Asked(query={"format": name}, body=raw, media_type=media_type)


def _decoded(text: str) -> bytes:
    """Return what base64 stands for; the schema lets stray characters through."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError as exc:  # binascii.Error is one, and so are letters beyond ASCII
        raise InputError("the content is not base64") from exc


def _trial(counter: Counter, values: Values) -> Asked:
    asked = _document(counter, values)
    return replace(asked, query={**asked.query, "dry_run": True})


def _decision(_counter: Counter, values: Values) -> Asked:
    form = dict(values)
    query = {"dry_run": form.pop("dry_run", False)}
    if "document_language" in form:
        form["language"] = form.pop("document_language")
    return Asked(query=query, body=json.dumps(form).encode(), media_type=JSON)


def _certificate(_counter: Counter, values: Values) -> Asked:
    path = {"country": values["issuing_country"], "serial": values["serial_number"]}
    query = {key: values[key] for key in ("issued_on",) if key in values}
    return Asked(path=path, query=query)


def _search(_counter: Counter, values: Values) -> Asked:
    return Asked(query=values)


def _code_list(_counter: Counter, values: Values) -> Asked:
    return Asked(path={"id": values["id"]}, query={k: values[k] for k in ("on",) if k in values})


def _confirmation(_counter: Counter, values: Values) -> Asked:
    return Asked(body=json.dumps(values).encode(), media_type=JSON)


def _with_document(call: Call, asked: Values, answer: Values) -> Values:
    if answer["document"] is not None:
        answer["document"] = json.dumps(answer["document"], ensure_ascii=False)
    if asked.get("with_signed_xml"):
        try:
            content = looking_up.get_signed_document(call).content
        except NotFoundError:  # erased when its retention ended
            return answer
        if isinstance(content, bytes):
            answer["signed_xml"] = base64.b64encode(content).decode("ascii")
    return answer


def _with_names(_call: Call, _asked: Values, answer: Values) -> Values:
    for code in answer["codes"]:
        code["names"] = _pairs(code["names"], "language")
        code["attributes"] = _pairs(code["attributes"], "name")
    return answer


def _with_data(_call: Call, _asked: Values, answer: Values) -> Values:
    for event in answer["events"]:
        data = event["data"]
        event["kind"] = data.pop("kind")
        event["datums"] = [datum for name, value in data.items() for datum in _data(name, value)]
    return answer


def _pairs(named: Mapping[str, Any], attribute: str) -> list[Values]:
    return [{attribute: name, TEXT: text} for name, text in named.items() if text is not None]


def _data(name: str, value: object) -> list[Values]:
    if isinstance(value, dict):
        return [{"name": name, "key": key, TEXT: each} for key, each in value.items()]
    each_of = value if isinstance(value, list) else [value]
    return [{"name": name, TEXT: each} for each in each_of]


_ROUTES: Final = {route.name: route for route in ROUTES}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "SubmitDocument": Operation(route=_ROUTES["submitCertificate"], asks=_document),
    "DryRun": Operation(route=_ROUTES["submitCertificate"], asks=_trial),
    "SubmitCustomsResponse": Operation(route=_ROUTES["submitResponse"], asks=_decision),
    "GetCertificate": Operation(
        route=_ROUTES["getCertificate"], asks=_certificate, says=_with_document
    ),
    "SearchCertificates": Operation(route=_ROUTES["searchCertificates"], asks=_search),
    "GetTimeline": Operation(route=_ROUTES["getTimeline"], asks=_certificate),
    "GetLedger": Operation(route=_ROUTES["getLedger"], asks=_certificate),
    "ReadEvents": Operation(route=_ROUTES["readEvents"], asks=_search, says=_with_data),
    "ConfirmEvents": Operation(route=_ROUTES["confirmEvents"], asks=_confirmation),
    "ListPeers": Operation(route=_ROUTES["listPeers"], asks=lambda _counter, _values: Asked()),
    "GetCodeList": Operation(route=_ROUTES["getCodeList"], asks=_code_list, says=_with_names),
}
"""Every operation of the contract."""
