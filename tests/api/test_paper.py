"""Printing over the interface: who may, in which language, with what inside, noted by whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.documents import DocumentType, Language, UtilisationStatus
from gateway.paper import printing as press
from gateway.paper.checking import verify_summary
from gateway.paper.order import Standing
from gateway.services.paper_trust import trust_list
from gateway.services.printing import PrintWish, print_row, standing_of
from gateway.store import (
    CredentialUse,
    ImportState,
    IssueState,
    JournalAction,
    Side,
    certificates,
    journal,
    peers,
)
from gateway.trust import SignerRole
from gateway.trust.demo_pki import DemoPki
from tests.api.conftest import Border
from tests.api.counter import AUDITOR, AUTHORITY, CUSTOMS, Front
from tests.factories import ISSUED_AT, NOW, certificate
from tests.paper.reading import attached, pages, qr_codes, text_of

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
        (code,) = qr_codes(page)
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


# --- what the books say ----------------------------------------------------------------------------

WORTH = [
    (IssueState.ISSUED, None, Standing.VALID),
    (IssueState.ISSUED, UtilisationStatus.ACCEPTED, Standing.VALID),
    (IssueState.ISSUED, UtilisationStatus.PARTIAL, Standing.PARTLY_USED),
    (IssueState.ISSUED, UtilisationStatus.FULL, Standing.USED),
    (IssueState.ISSUED, UtilisationStatus.REJECTED, Standing.REFUSED),
    (IssueState.ISSUED, UtilisationStatus.UNDER_QUERY, Standing.UNDER_QUERY),
    (IssueState.CANCELLING, UtilisationStatus.FULL, Standing.ENDING),
    (IssueState.CANCELLED, UtilisationStatus.PARTIAL, Standing.CANCELLED),
    (IssueState.REPLACED, None, Standing.REPLACED),
    (IssueState.EXPIRED, None, Standing.EXPIRED),
    (ImportState.AVAILABLE, UtilisationStatus.FULL, Standing.VALID),
    (ImportState.ACCEPTED, None, Standing.VALID),
    (ImportState.UNDER_VERIFICATION, None, Standing.UNDER_QUERY),
    (ImportState.PARTIALLY_UTILISED, None, Standing.PARTLY_USED),
    (ImportState.UTILISED, None, Standing.USED),
    (ImportState.WITHDRAWN, None, Standing.REFUSED),
    (ImportState.CANCELLED, None, Standing.CANCELLED),
]


@pytest.mark.parametrize(("state", "reported", "worth"), WORTH)
def test_what_a_print_says_it_is_worth_follows_from_the_books(traded, state, reported, worth):
    with traded.zm.desk.store.read() as conn:
        row = certificates.find(conn, Side.ISSUED, "ZM", "ZM-20260309-000123")
    assert row is not None
    side = Side.ISSUED if isinstance(state, IssueState) else Side.RECEIVED
    found = replace(row, side=side, state=state, reported_status=reported)
    assert standing_of(found, certificate(), NOW) is worth
    late = standing_of(found, certificate(), NOW + timedelta(days=400))
    assert late is (Standing.EXPIRED if worth.proves else worth)


def test_a_certificate_whose_validity_has_not_begun_is_not_valid_yet(traded):
    with traded.zm.desk.store.read() as conn:
        row = certificates.find(conn, Side.ISSUED, "ZM", "ZM-20260309-000123")
    assert row is not None
    early = replace(row, reported_status=None)
    later = certificate(valid_from=(NOW + timedelta(days=3)).date())
    assert standing_of(early, later, NOW) is Standing.NOT_YET


def test_what_was_issued_with_a_key_renewed_since_is_still_verified(border: Border, pki: DemoPki):
    assert border.zm.submit(certificate()).status_code == 202
    desk, zambia = border.zm.desk, pki.countries["ZM"]
    officer = zambia.officers[0].credential
    renewed = replace(
        desk,
        signers={**desk.signers, DocumentType.CERTIFICATE_OF_ORIGIN: officer},
        own_trust=replace(
            desk.own_trust,
            signers=tuple(
                replace(each, fingerprint=officer.fingerprint)
                if each.role is SignerRole.ISSUING_AUTHORITY
                else each
                for each in desk.own_trust.signers
            ),
        ),
    )
    with desk.store.read() as conn:
        row = certificates.find(conn, Side.ISSUED, "ZM", "ZM-20260309-000123")
    assert row is not None
    text = text_of(print_row(renewed, row, PrintWish(language=Language.ENGLISH)))
    assert "The signature of the issuing authority holds." in text


def test_a_print_of_what_nobody_trusts_any_more_carries_no_code(border: Border):
    assert border.zm.submit(certificate()).status_code == 202
    border.deliver()
    with border.ke.desk.store.begin() as conn:
        (peer,) = peers.every(conn)
        for credential in peers.credentials(conn, peer.id):
            if credential.use in (CredentialUse.ANCHOR, CredentialUse.SIGNER):
                until = ISSUED_AT - timedelta(days=1)
                peers.end_credential(conn, credential.id, until=until, at=NOW, actor="user:test")
    made = border.ke.get(ONE, CUSTOMS).data
    assert "THE SIGNATURE DOES NOT HOLD" in text_of(made)
    assert "NOT VERIFIED" in text_of(made)
    assert qr_codes(pages(made, dpi=150)[0]) == []


def test_an_erased_document_cannot_be_printed(border: Border, monkeypatch: pytest.MonkeyPatch):
    assert border.zm.submit(certificate()).status_code == 202
    monkeypatch.setattr(certificates, "content", lambda conn, row: b"")
    reply = border.zm.get(ONE, AUDITOR)
    assert reply.status_code == 404
    assert "erased" in reply.get_json()["detail"]


def test_a_certificate_too_long_for_paper_is_answered_with_the_reason(
    border: Border, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(press, "MOST_ITEMS", 0)
    assert border.zm.submit(certificate()).status_code == 202
    reply = border.zm.get(ONE, AUDITOR)
    assert (reply.status_code, reply.get_json()["code"]) == (413, "TOO_LARGE")
    assert "hand that over" in reply.get_json()["detail"]
