"""Checking without a line: only what a trusted signer stated is believed, and only as he stated it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import Severity
from gateway.errors import TrustError
from gateway.paper.checking import CheckCode, TrustList, check_texts, verify_summary
from gateway.paper.order import Standing
from gateway.paper.summary import MARK, Attester
from gateway.trust import RegisteredSigner, RevocationPolicy, SignerRole
from gateway.trust.believing import believed_signer, spans_believed
from gateway.trust.demo_pki import DemoPki
from gateway.trust.issuing import Revoked
from tests.factories import NOW
from tests.paper.samples import XML, signed_text, trust_of
from tests.paper.splicing import with_payload_of

DAY = timedelta(days=1)


def rules(checked) -> list[str]:
    return [each.rule for each in checked.findings]


def test_an_authority_that_is_registered_is_believed(pki: DemoPki):
    zambia = pki.countries["ZM"]
    found = verify_summary(signed_text(zambia.authority.credential), trust_of(pki), NOW)
    assert found.holds
    assert found.findings == ()
    assert found.signer is not None
    assert found.signer.fingerprint == zambia.authority.fingerprint


def test_a_gateway_may_vouch_for_what_another_country_issued(pki: DemoPki):
    text = signed_text(
        pki.countries["KE"].gateway.credential, attester=Attester.GATEWAY, attester_country="KE"
    )
    found = verify_summary(text, trust_of(pki), NOW)
    assert found.holds
    assert found.signer is not None
    assert (found.signer.country, found.signer.role) == ("KE", SignerRole.GATEWAY)


def test_an_authority_cannot_speak_for_another_country(pki: DemoPki):
    text = signed_text(pki.countries["KE"].authority.credential, attester_country="KE")
    found = verify_summary(text, trust_of(pki), NOW)
    assert rules(found) == ["FOREIGN_AUTHORITY"]
    assert found.signer is None


def test_an_authority_cannot_claim_to_be_of_another_country(pki: DemoPki):
    text = signed_text(pki.countries["KE"].authority.credential)
    found = verify_summary(text, trust_of(pki), NOW)
    assert rules(found) == ["SIGNER_NOT_TRUSTED"]


@pytest.mark.parametrize("holder", ["customs", "gateway"])
def test_a_key_registered_for_something_else_is_not_believed(pki: DemoPki, holder: str):
    credential = getattr(pki.countries["ZM"], holder).credential
    assert rules(verify_summary(signed_text(credential), trust_of(pki), NOW)) == [
        "SIGNER_NOT_TRUSTED"
    ]


def test_an_authority_key_cannot_sign_as_gateway(pki: DemoPki):
    text = signed_text(pki.countries["ZM"].authority.credential, attester=Attester.GATEWAY)
    assert rules(verify_summary(text, trust_of(pki), NOW)) == ["SIGNER_NOT_TRUSTED"]


def test_a_key_that_nobody_registered_is_unknown(pki: DemoPki):
    text = signed_text(pki.countries["ZM"].authority.credential)
    assert rules(verify_summary(text, trust_of(pki, "KE"), NOW)) == ["SIGNER_UNKNOWN"]
    empty = TrustList(trusts=(), certificates=(), made_at=NOW)
    assert rules(verify_summary(text, empty, NOW)) == ["SIGNER_UNKNOWN"]


def test_every_letter_that_is_changed_costs_belief(pki: DemoPki):
    text, trust = signed_text(pki.countries["ZM"].authority.credential), trust_of(pki)
    for at in range(len(MARK), len(text), 3):
        bent = text[:at] + ("Q" if text[at] != "Q" else "R") + text[at + 1 :]
        found = verify_summary(bent, trust, NOW)
        assert not found.holds, at
        assert found.signer is None


def test_a_signature_moved_to_another_statement_is_no_signature(pki: DemoPki):
    credential = pki.countries["ZM"].authority.credential
    forged = with_payload_of(signed_text(credential), signed_text(credential, item_count=99))
    assert rules(verify_summary(forged, trust_of(pki), NOW)) == ["SIGNATURE_INVALID"]


def test_a_signer_is_judged_as_of_the_moment_that_the_summary_states(pki: DemoPki):
    zambia = pki.countries["ZM"]
    ended = tuple(
        replace(each, valid_until=NOW - DAY)
        if each.fingerprint == zambia.authority.fingerprint
        else each
        for each in zambia.trust().signers
    )
    trust = replace(trust_of(pki), trusts=(replace(zambia.trust(), signers=ended),))
    credential = zambia.authority.credential
    before = signed_text(credential, stated_at=NOW - 2 * DAY, issued_on=(NOW - 2 * DAY).date())
    assert verify_summary(before, trust, NOW).holds
    assert rules(verify_summary(signed_text(credential), trust, NOW)) == ["SIGNER_NOT_TRUSTED"]


def test_a_revoked_signer_is_not_believed_from_then_on(pki: DemoPki):
    zambia = pki.countries["ZM"]
    serial = zambia.authority.credential.signing_cert.serial_number
    crl = zambia.ca.revocation_list(
        [Revoked(serial_number=serial, since=NOW - DAY)],
        this_update=NOW - DAY,
        next_update=NOW + 30 * DAY,
    )
    trust = replace(trust_of(pki), trusts=(replace(zambia.trust(), crls=(crl,)),))
    credential = zambia.authority.credential
    assert rules(verify_summary(signed_text(credential), trust, NOW)) == ["SIGNER_NOT_TRUSTED"]
    before = signed_text(credential, stated_at=NOW - 2 * DAY, issued_on=(NOW - 2 * DAY).date())
    assert verify_summary(before, trust, NOW).holds


def test_without_a_fresh_list_nobody_is_believed_where_the_peer_requires_one(pki: DemoPki):
    zambia = pki.countries["ZM"]
    text = signed_text(zambia.authority.credential)
    for policy, expected in (
        (RevocationPolicy.REQUIRE, ["SIGNER_NOT_TRUSTED"]),
        (RevocationPolicy.WHEN_KNOWN, []),
    ):
        bare = replace(zambia.trust(revocation=policy), crls=())
        trust = replace(trust_of(pki), trusts=(bare,))
        assert rules(verify_summary(text, trust, NOW)) == expected


REMARKS = [
    ({"standing": Standing.CANCELLED}, NOW, "NOT_VALID_AT_PRINT"),
    ({"standing": Standing.USED}, NOW, "NOT_VALID_AT_PRINT"),
    ({"test": True}, NOW, "TEST"),
    ({}, NOW + 400 * DAY, "EXPIRED"),
    ({"valid_from": (NOW + DAY).date()}, NOW, "NOT_YET_VALID"),
]


@pytest.mark.parametrize(("changes", "at", "code"), REMARKS, ids=[each[2] for each in REMARKS])
def test_what_is_true_of_the_certificate_is_said_and_the_paper_believed(
    pki: DemoPki, changes: dict, at: datetime, code: str
):
    found = verify_summary(
        signed_text(pki.countries["ZM"].authority.credential, **changes), trust_of(pki), at
    )
    assert found.holds
    assert rules(found) == [code]
    assert found.findings[0].severity is Severity.WARNING


def test_a_summary_from_the_future_or_from_before_the_issue_is_not_believed(pki: DemoPki):
    credential = pki.countries["ZM"].authority.credential
    ahead = signed_text(credential, stated_at=NOW + timedelta(minutes=6))
    assert rules(verify_summary(ahead, trust_of(pki), NOW)) == ["STATED_IN_FUTURE"]
    early = signed_text(credential, stated_at=NOW - 10 * DAY)
    assert rules(verify_summary(early, trust_of(pki), NOW)) == ["STATED_BEFORE_ISSUE"]


def test_the_document_at_hand_is_compared_with_the_one_described(pki: DemoPki):
    text, trust = signed_text(pki.countries["ZM"].authority.credential), trust_of(pki)
    assert verify_summary(text, trust, NOW, document=XML).holds
    other = verify_summary(text, trust, NOW, document=XML + b" ")
    assert rules(other) == ["OTHER_DOCUMENT"]
    assert not other.holds


@given(st.one_of(st.text(max_size=400), st.binary(max_size=400).map(repr)))
def test_no_text_raises_anything(text: str):
    empty = TrustList(trusts=(), certificates=(), made_at=NOW)
    for given_text in (text, MARK + text, f"https://x/{MARK}{text}"):
        assert rules(verify_summary(given_text, empty, NOW)) == ["UNREADABLE"]


def test_every_finding_speaks_three_languages():
    for code, said in check_texts().items():
        for text in (said.message, said.remedy):
            assert len({text.en, text.fr, text.ar}) == 3, code
    assert set(check_texts()) == set(CheckCode)


# --- spans for a reader that cannot build chains ---------------------------------------------------


def test_the_spans_say_what_the_checks_would_say_at_every_moment(pki: DemoPki):
    zambia = pki.countries["ZM"]
    credential = zambia.authority.credential
    entry = RegisteredSigner(
        fingerprint=zambia.authority.fingerprint,
        country="ZM",
        role=SignerRole.ISSUING_AUTHORITY,
        valid_from=NOW - 30 * DAY,
        valid_until=NOW + 30 * DAY,
    )
    later = replace(entry, valid_from=NOW + 60 * DAY, valid_until=None)
    trust = replace(zambia.trust(), signers=(entry, later))
    shown = [_der(credential.signing_cert), _der(zambia.ca.cert)]
    spans = spans_believed(shown, trust, role=SignerRole.ISSUING_AUTHORITY)
    assert [since for since, _ in spans] == [NOW - 30 * DAY, NOW + 60 * DAY]
    moments = [NOW + timedelta(days=n, hours=1) for n in range(-120, 1200, 15)]
    for at in moments:
        try:
            believed_signer(shown, trust, role=SignerRole.ISSUING_AUTHORITY, at=at)
            believed = True
        except TrustError:
            believed = False
        assert believed is any(since <= at < until for since, until in spans), at
    assert not spans_believed(shown, trust, role=SignerRole.CUSTOMS)
    assert not spans_believed([b"no certificate"], trust, role=SignerRole.GATEWAY)


def _der(cert: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return cert.public_bytes(Encoding.DER)
