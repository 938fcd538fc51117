"""The client against the real interface over real sockets: what it asks, and what it gets."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from hashlib import sha256

import pytest

from gateway.client import Gateway, Problem
from gateway.client.api.batches import LineOutcome
from gateway.client.api.certificates import CertificateAnswer, ImportState, IssueState, Side
from gateway.client.api.responses import CustomsAction, CustomsDecisionForm
from gateway.client.api.shared import EventKind
from gateway.documents import DocumentType, Language, UtilisationStatus
from gateway.errors import InputError
from gateway.store import JournalAction, journal
from tests.api.batches import line, ndjson, worker
from tests.api.counter import AUTHORITY, CUSTOMS, WINDOW
from tests.exchange.corridor import action
from tests.factories import certificate, goods_item
from tests.wire.odd_server import http, says

SERIAL = "ZM-20260309-000123"


def decision(**changes: object) -> CustomsAction:
    """The same form as the server's, in the client's own model."""
    values = action(UtilisationStatus.PARTIAL, "6000", **changes)
    return CustomsAction.model_validate_json(values.model_dump_json())


def test_a_certificate_goes_from_one_client_to_the_other_and_back(border, zambia, kenya):
    authority, customs = zambia(AUTHORITY), kenya(CUSTOMS)
    taken = authority.submit(certificate())
    assert (taken.serial_number, taken.dry_run, taken.receiver.identifier) == (
        SERIAL,
        False,
        "KE-SW",
    )
    border.deliver()

    got = customs.get_certificate("ZM", SERIAL, issued_on=date(2026, 3, 9))
    assert (got.side, got.state) == (Side.RECEIVED, ImportState.AVAILABLE)
    assert got.document == certificate()
    assert got.items[0].remaining == Decimal(12000)
    signed = customs.get_signed_document("ZM", SERIAL)
    assert sha256(signed).hexdigest() == got.sha256

    tried = customs.submit_response(decision(), dry_run=True)
    assert (tried.dry_run, tried.peer.would_refuse) == (True, False)
    said = customs.submit_response(decision())
    assert said.document_type is DocumentType.CUSTOMS_RESPONSE
    border.deliver()

    ledger = authority.get_ledger("ZM", SERIAL)
    assert [(line.quantity, line.total_after) for line in ledger.entries] == [
        (Decimal(6000), Decimal(6000))
    ]
    steps = authority.get_timeline("ZM", SERIAL).steps
    assert {"MESSAGE_QUEUED", "VERDICT", "USE"} <= {step.kind for step in steps}
    message = authority.get_message(taken.message_id)
    assert (message.sent, message.peer, message.verdict) == (True, "KE-SW", "ACCEPTED")


def test_a_decision_names_its_certificate_in_the_address_too(border, zambia, kenya):
    zambia().submit(certificate())
    border.deliver()
    form = decision().model_dump(exclude={"issuing_country", "serial_number", "issued_on"})
    taken = kenya().respond_to_certificate("ZM", SERIAL, CustomsDecisionForm(**form))
    assert taken.serial_number == SERIAL


def test_what_is_refused_is_raised_with_every_finding_in_the_language_asked_for(border, zambia):
    bad = certificate(items=(goods_item(hs_code="770000"), goods_item(3)))
    with pytest.raises(Problem) as caught:
        zambia(language=Language.FRENCH).submit(bad)
    problem = caught.value
    assert (problem.code, problem.http_status, problem.retryable) == (
        "INVALID_DOCUMENT",
        422,
        False,
    )
    assert {"V32", "V34"} <= {each.rule for each in problem.answer.findings}
    (numbered,) = [each for each in problem.answer.findings if each.rule == "V32"]
    assert numbered.path == "items[1].number"
    assert numbered.box
    french = zambia().asking(language=Language.FRENCH)
    with pytest.raises(Problem) as again:
        french.submit(bad)
    assert again.value.answer.findings == problem.answer.findings
    with pytest.raises(Problem) as english:
        zambia().submit(bad)
    assert english.value.answer.findings != problem.answer.findings


def test_what_does_not_exist_is_a_problem_with_the_correlation_id_of_the_log(border, zambia):
    with pytest.raises(Problem) as caught:
        zambia().asking(correlation_id="asycuda-77.1").get_certificate("ZM", "none")
    assert (caught.value.code, caught.value.answer.correlation_id) == ("NOT_FOUND", "asycuda-77.1")


def test_why_a_foreign_certificate_is_looked_at_stands_in_the_journal(border, zambia, kenya):
    zambia().submit(certificate())
    border.deliver()
    kenya().asking(purpose="declaration 77").get_certificate("ZM", SERIAL)
    with border.ke.desk.store.read() as conn:
        (entry,) = journal.page(conn, action=JournalAction.DOCUMENT_VIEWED, limit=5)
    assert entry.detail["purpose"] == "declaration 77"


def test_each_form_of_a_document_is_recognised(border, zambia):
    gateway: Gateway = zambia()
    as_json = gateway.submit(certificate().model_dump_json().encode(), dry_run=True)
    xml = border.zm.desk.tables[DocumentType.CERTIFICATE_OF_ORIGIN].render(certificate())
    assert gateway.submit(xml, dry_run=True).serial_number == as_json.serial_number
    with pytest.raises(InputError):
        gateway.submit(b"SERIAL;EXPORTER", dry_run=True)
    with pytest.raises(Problem) as caught:  # the content type of the format was looked up
        gateway.submit(b"#CERT;x", format="csv-lines", dry_run=True)
    assert caught.value.code == "INVALID_DOCUMENT"
    with pytest.raises(Problem) as unknown:
        gateway.submit(b"{}", format="no-such-format")
    assert unknown.value.code == "NOT_FOUND"


def test_the_same_key_gets_the_same_answer_and_each_call_has_a_key_of_its_own(border, zambia):
    gateway = zambia()
    first = gateway.submit(certificate(), idempotency_key="k-1")
    assert gateway.submit(certificate(), idempotency_key="k-1") == first
    assert gateway.submit(certificate()).repeated


def test_pages_are_gone_through_to_the_last_certificate(border, zambia):
    gateway = zambia()
    serials = [f"ZM-20260309-00012{n}" for n in range(5)]
    for serial in serials:
        gateway.submit(certificate(serial_number=serial))
    found = list(gateway.certificates(exporter="kafue", state=IssueState.ISSUED, limit=2))
    assert sorted(each.serial_number for each in found) == serials
    assert not list(gateway.certificates(exporter="nobody"))


def test_a_serial_number_with_a_slash_is_one_step_of_the_address(border, zambia):
    with pytest.raises(Problem) as caught:
        zambia().get_timeline("ZM", "A/../B?x=1")
    assert caught.value.code == "NOT_FOUND"


def test_reference_data_is_typed(border, zambia):
    gateway = zambia()
    countries = gateway.get_code_list("countries", on=date(2026, 3, 9))
    assert {code.code: code.names[Language.FRENCH] for code in countries.codes}["ZM"] == "Zambie"
    assert {each.id for each in gateway.list_code_lists().code_lists} >= {"countries", "units"}
    assert gateway.get_agreement("COMESA") in gateway.list_agreements().agreements
    assert [each.identifier for each in gateway.list_peers().peers] == ["KE-SW"]
    assert "single-window-json" in {each.name for each in gateway.list_formats().formats}
    me = gateway.get_me()
    assert (me.kind, me.gateway) == (WINDOW, "ZM-SW")


def test_what_a_newer_gateway_says_more_is_passed_over_and_new_words_are_kept_as_text(zambia):
    gateway = zambia()
    gateway.submit(certificate())
    answer = gateway.get_certificate("ZM", SERIAL)
    newer = answer.model_dump(mode="json") | {"state": "ARCHIVED", "colour": "green"}
    read = CertificateAnswer.model_validate_json(json.dumps(newer))
    assert read.state == "ARCHIVED"
    assert not hasattr(read, "colour")


# --- being told -----------------------------------------------------------------------------------


def test_events_are_confirmed_once_their_page_was_dealt_with(border, zambia):
    gateway = zambia()
    for number in range(3):
        gateway.submit(certificate(serial_number=f"ZM-20260309-00012{number}"))
    border.deliver()
    first = next(gateway.events())
    assert (first.data.kind, first.data.verdict) == (EventKind.MESSAGE_DELIVERED, "ACCEPTED")
    told = list(gateway.events())  # what was broken off is told again
    assert [event.data.serial_number for event in told] == [
        f"ZM-20260309-00012{number}" for number in range(3)
    ]
    assert not list(gateway.events())
    assert [event.id for event in gateway.events(after=int(first.id))] == [e.id for e in told[1:]]


def test_events_are_followed_as_they_come(border, zambia):
    gateway = zambia()
    followed = gateway.events(follow=True, wait=5)
    for number in range(2):
        gateway.submit(certificate(serial_number=f"ZM-20260309-00012{number}"))
        border.deliver()
        assert next(followed).data.serial_number == f"ZM-20260309-00012{number}"


def test_a_gateway_that_does_not_wait_is_not_asked_without_pause(odd, asks):
    page = {"events": [], "next": 7, "last": 7, "confirmed": 7}
    server = odd(says(http("200 OK", json.dumps(page).encode(), "application/json")))
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(asks(server.base, sleep=sleep).events(follow=True))
    assert len(server.requests) == 4
    assert min(slept) >= 0.5


def test_a_webhook_is_kept_from_afar(border, zambia):
    gateway = zambia()
    assert {each.kind for each in gateway.list_event_kinds().kinds} >= set(EventKind)
    assert gateway.list_webhooks().webhooks == ()


# --- batches --------------------------------------------------------------------------------------


def test_results_of_a_batch_are_followed_while_it_is_worked_on(border, zambia):
    half = worker(border.zm, turn_seconds=0.0)
    gateway = zambia(sleep=lambda _seconds: half.turn())
    lines = ndjson(line(number) for number in range(1, 21))
    handed = gateway.submit_batch(lines, media_type="application/x-ndjson")
    half.turn()
    known = list(gateway.batch_results(handed.batch_id))
    assert 0 < len(known) < 20
    followed = list(gateway.batch_results(handed.batch_id, follow=True))
    assert [each.line for each in followed] == list(range(1, 21))
    assert {each.outcome for each in followed} == {LineOutcome.ACCEPTED}
    assert gateway.finished_batch(handed.batch_id).accepted == 20
