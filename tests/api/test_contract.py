"""Every address under schemathesis: no failure of ours, nothing but what the description says."""

from __future__ import annotations

import json
import secrets
import warnings

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.store import NewWebhook, clients, webhooks
from gateway.web.api import ROUTES
from tests.api.batches import archive, hand_in, line, ndjson, worker
from tests.api.counter import WINDOW
from tests.factories import certificate

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 30


@schemathesis.serializer("application/x-ndjson")
def as_lines(_context, value) -> bytes:
    return b"\n".join(json.dumps(each).encode() for each in (value, [value]))


@schemathesis.serializer("application/zip")
def as_archive(_context, value) -> bytes:
    raw = json.dumps(value).encode()
    return archive({"a.json": raw}) if len(raw) % 2 else raw


@pytest.fixture(scope="module")
def described(traded):
    traded.ke.submit(certificate())
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app=traded.ke.app)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_no_generated_request_is_answered_otherwise_than_described(traded, described, route):
    operation = described.find_operation_by_id(route.name)
    asked = []

    @seed(20261122)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the library about its own inputs
            case.call_and_validate(
                headers={"Authorization": f"Bearer {traded.ke.tokens[WINDOW]}"}, checks=CHECKS
            )
        asked.append(case)

    modes = schemathesis.GenerationMode
    strategy = operation.as_strategy(generation_mode=modes.POSITIVE) | operation.as_strategy(
        generation_mode=modes.NEGATIVE
    )
    given(strategy)(run)()
    assert asked


EXISTING = {
    "name": "customs-xml",
    "country": "ZM",
    "serial": "ZM-20260309-000123",
    "id": {"getCodeList": "packages", "getAgreement": "COMESA"},
}


def an_existing_webhook(traded) -> str:
    """Return a webhook of the single window, entered below the entrance's rules."""
    store, at = traded.ke.desk.store, traded.ke.desk.clock()
    with store.begin() as conn:
        owner = clients.by_code(conn, "KE-SINGLE_WINDOW")
        new = NewWebhook(
            hook_id="wh_" + secrets.token_hex(8).translate(str.maketrans("0189", "abcd")),
            organisation_id=owner.id,
            label="tests",
            url="https://receiver.example/",
            kinds=(),
            cursor=0,
            secret_check="0" * 64,
        )
        return webhooks.add(conn, new, owner.code, at=at, actor="user:test").hook_id


def an_existing_batch(traded) -> str:
    """Return the first batch of the single window, worked off."""
    listed = traded.ke.get("/batches?limit=200").json["batches"]
    if not listed:
        hand_in(traded.ke, ndjson([line(1), b"{"]))
        worker(traded.ke).run()
        return an_existing_batch(traded)
    return listed[-1]["batch_id"]


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.method == "GET"], ids=lambda route: route.name
)
def test_what_exists_is_answered_as_described(traded, described, route):
    operation = described.find_operation_by_id(route.name)
    summary = traded.ke.get("/certificates/ZM/ZM-20260309-000123").json
    known = {**EXISTING, "message_id": summary["message_id"]}
    known["id"] = EXISTING["id"].get(route.name)
    known["webhook"] = an_existing_webhook(traded)
    known["batch"] = an_existing_batch(traded)
    names = route.path_params.model_fields
    case = operation.Case(path_parameters={name: known[name] for name in names})
    answer = case.call_and_validate(
        headers={"Authorization": f"Bearer {traded.ke.tokens[WINDOW]}"}, checks=CHECKS
    )
    assert answer.status_code == 200


def test_an_answer_that_the_description_does_not_know_is_noticed(traded, described, monkeypatch):
    case = described.find_operation_by_id("listPeers").Case()
    shown = {"Authorization": f"Bearer {traded.ke.tokens[WINDOW]}"}
    case.call_and_validate(headers=shown, checks=CHECKS)

    def broken(_counter):
        raise RuntimeError("a fault")

    monkeypatch.setattr("gateway.services.reference.known_peers", broken)
    with pytest.raises(FailureGroup):
        case.call_and_validate(headers=shown, checks=CHECKS)
