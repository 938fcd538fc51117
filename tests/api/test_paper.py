"""Printing over the interface: who may, in which language, with what inside, noted by whom."""

from __future__ import annotations

import zxingcpp

from gateway.paper.checking import verify_summary
from gateway.services.paper_trust import trust_list
from gateway.store import JournalAction, journal
from tests.api.conftest import Border
from tests.api.counter import AUDITOR, AUTHORITY, CUSTOMS, Front
from tests.factories import NOW
from tests.paper.reading import attached, pages, text_of

ONE = "/certificates/ZM/ZM-20260309-000123/paper"


def views(front: Front) -> list[journal.JournalEntry]:
    with front.desk.store.read() as conn:
        return journal.page(conn, action=JournalAction.DOCUMENT_VIEWED, limit=50)


def test_customs_gets_a_certificate_on_paper_with_the_signed_document_inside(traded: Border):
    reply = traded.ke.get(ONE, CUSTOMS, headers={"X-Purpose": "line down at Namanga"})
    assert (reply.status_code, reply.content_type) == (200, "application/pdf")
    signed = traded.ke.get(ONE.replace("/paper", "/document"), CUSTOMS)
    assert attached(reply.data) == signed.data
    newest = views(traded.ke)[0] if views(traded.ke)[0].detail["purpose"] else views(traded.ke)[1]
    assert newest.detail["purpose"] == "line down at Namanga"


def test_the_form_comes_in_the_language_asked_for(traded: Border):
    french = traded.zm.get(f"{ONE}?language=fr", AUTHORITY)
    assert "Certificat d'origine" in text_of(french.data)
    accepted = traded.zm.get(ONE, AUTHORITY, headers={"Accept-Language": "fr"})
    assert "Certificat d'origine" in text_of(accepted.data)


def test_a_print_tells_what_was_used_by_the_books_of_its_side(traded: Border):
    for front in (traded.zm, traded.ke):
        assert "Valid, partly used" in text_of(front.get(ONE, AUDITOR).data)


def test_the_code_of_either_side_is_believed_by_the_other(traded: Border):
    for printer, checker, role in (
        (traded.zm, traded.ke, "ISSUING_AUTHORITY"),
        (traded.ke, traded.zm, "GATEWAY"),
    ):
        (page,) = pages(printer.get(ONE, AUDITOR).data, dpi=150)
        (code,) = zxingcpp.read_barcodes(page)
        found = verify_summary(code.text, trust_list(checker.desk), NOW)
        assert found.holds
        assert found.signer is not None
        assert found.signer.role.value == role
        assert [each.rule for each in found.findings] == []


def test_what_is_not_the_callers_to_see_is_not_printed(traded: Border):
    assert traded.ke.get(ONE, AUTHORITY).status_code == 404
    assert traded.zm.get(ONE, CUSTOMS).status_code == 404
    assert traded.zm.get("/certificates/ZM/ZM-20260309-999999/paper").status_code == 404


def test_a_print_wish_that_does_not_fit_is_refused(traded: Border):
    assert traded.zm.get(f"{ONE}?language=pt").status_code == 400
    assert traded.zm.get(f"{ONE}?copy_number=0").status_code == 400
