"""What is not taken: each reason has its own code, and nothing of it is booked.

Faults (``GatewayError`` from ``accept``) leave no arrival; refusals of documents are signed
receipts and are stored as arrivals.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from gateway.documents import DocumentType, Verdict
from gateway.envelope import Header, wrap
from gateway.errors import (
    ClientCertificateError,
    DigestMismatchError,
    DocumentTypeNotAgreedError,
    FutureMessageError,
    GatewayError,
    MalformedXmlError,
    MessageIdReusedError,
    PeerSuspendedError,
    RevocationUnknownError,
    SchemaError,
    SenderMismatchError,
    SignatureInvalidError,
    SignatureMissingError,
    SignerUntrustedError,
    StaleMessageError,
    TestFlagError,
    UnknownPeerError,
    UnsafeXmlError,
    VersionNotSupportedError,
    WrongReceiverError,
)
from gateway.exchange.receipts import check_receipt, new_message_id, sha256_of
from gateway.store import RevocationLevel, Side, certificates, events, journal, peers
from gateway.trust import Credential, sign
from tests.exchange.corridor import Corridor
from tests.factories import NOW, certificate, customs_response, goods_item
from tests.trust.refused_signers import make_refused_credentials

COO = DocumentType.CERTIFICATE_OF_ORIGIN


def header(**changes: object) -> Header:
    """Return a fitting header for a certificate from Zambia to Kenya."""
    fitting = Header(
        message_id=new_message_id(),
        sender="ZM-SW",
        sender_country="ZM",
        receiver="KE-SW",
        receiver_country="KE",
        document_type=COO,
        document_version="1.0",
        created_at=NOW,
        conversation_id="urn:test:conversation",
        test=False,
    )
    return dataclasses.replace(fitting, **changes)


def payload(corridor: Corridor, document=None, signer: Credential | None = None) -> bytes:
    """Return a document signed by Zambia's authority, or by ``signer``."""
    document = document or certificate()
    kind = DocumentType(type(document).__name__)
    desk = corridor.zm.desk
    return sign(desk.tables[kind].render(document), signer or desk.signers[kind])


def envelope(corridor: Corridor, content: bytes, signer: Credential | None = None, **changes):
    """Return a signed envelope around ``content``."""
    return sign(wrap(header(**changes), content), signer or corridor.zm.desk.gateway_credential)


def deliver(corridor: Corridor, raw: bytes) -> bytes:
    """Hand ``raw`` to Kenya over Zambia's TLS connection."""
    return corridor.ke.accept(raw, fingerprint=corridor.zm.tls_fingerprint)


def turned_away(corridor: Corridor, raw: bytes, error: type[GatewayError]) -> None:
    """Assert that ``raw`` raises ``error`` and leaves nothing but a journal entry."""
    with pytest.raises(error):
        deliver(corridor, raw)
    assert corridor.ke.arrivals() == ()
    with corridor.ke.desk.store.read() as conn:
        entry = journal.page(conn, action=journal.Action.ARRIVAL_TURNED_AWAY)[0]
    assert (entry.subject, entry.detail["code"]) == (sha256_of(raw), error.code)


def refused(corridor: Corridor, raw: bytes, message_id: str | None = None):
    """Return the signed refusal that ``raw`` gets, after proving that nothing was booked."""
    receipt = deliver(corridor, raw)
    arrival = corridor.ke.arrivals()[0]
    assert (arrival.verdict, arrival.receipt) == (Verdict.REFUSED, receipt)
    with corridor.ke.desk.store.read() as conn:
        assert certificates.by_serial(conn, certificate().serial_number) == ()
    with corridor.zm.desk.store.read() as conn:
        trust = corridor.zm.desk.trust_cache.of(conn, corridor.zm.peer())
    return check_receipt(
        corridor.zm.desk,
        receipt,
        trust,
        sender="KE-SW",
        message_id=arrival.message_id,
        sha256=sha256_of(raw),
        now=corridor.clock(),
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"sender": "ZW-SW"}, UnknownPeerError),
        ({"receiver": "ZW-SW"}, WrongReceiverError),
        ({"receiver_country": "ZW"}, WrongReceiverError),
        ({"sender_country": "KE"}, SenderMismatchError),
        ({"created_at": NOW + timedelta(minutes=6)}, FutureMessageError),
        ({"created_at": NOW - timedelta(days=31)}, StaleMessageError),
        ({"document_type": DocumentType.ACKNOWLEDGEMENT}, DocumentTypeNotAgreedError),
        ({"document_version": "2.0"}, VersionNotSupportedError),
        ({"test": True}, TestFlagError),
    ],
    ids=lambda value: value.code if isinstance(value, type) else next(iter(value)),
)
def test_a_header_that_does_not_fit_is_turned_away_with_its_own_code(
    corridor: Corridor, changes: dict[str, object], error: type[GatewayError]
):
    turned_away(corridor, envelope(corridor, payload(corridor), **changes), error)


@pytest.mark.parametrize("minutes", [-5, 5])
def test_clock_skew_of_five_minutes_is_taken(corridor: Corridor, minutes: int):
    raw = envelope(corridor, payload(corridor), created_at=NOW + timedelta(minutes=minutes))
    deliver(corridor, raw)
    assert corridor.ke.arrivals()[0].verdict is Verdict.ACCEPTED


def test_PEER_SUSPENDED_a_suspended_peer_is_turned_away_until_it_is_resumed(corridor: Corridor):
    peer = corridor.ke.peer()
    with corridor.ke.desk.store.begin() as conn:
        peers.suspend(conn, peer.id, at=NOW, actor="user:test", reason="papers missing")
    raw = envelope(corridor, payload(corridor))
    turned_away(corridor, raw, PeerSuspendedError)
    with corridor.ke.desk.store.begin() as conn:
        peers.resume(conn, peer.id, at=NOW, actor="user:test", reason="papers came")
    deliver(corridor, raw)
    assert len(corridor.ke.arrivals()) == 1


def test_CLIENT_CERTIFICATE_of_nobody_or_of_another_is_turned_away(corridor: Corridor):
    raw = envelope(corridor, payload(corridor))
    for fingerprint in ("0" * 64, corridor.ke.tls_fingerprint):
        with pytest.raises(ClientCertificateError):
            corridor.ke.accept(raw, fingerprint=fingerprint)
    assert corridor.ke.arrivals() == ()


def test_SIGNATURE_MISSING_an_unsigned_envelope_is_turned_away(corridor: Corridor):
    turned_away(corridor, wrap(header(), payload(corridor)), SignatureMissingError)


def test_SIGNER_UNTRUSTED_an_envelope_signed_by_a_stranger_is_turned_away(corridor: Corridor):
    stranger = make_refused_credentials(corridor.zm.pki, now=NOW).foreign
    turned_away(
        corridor, envelope(corridor, payload(corridor), signer=stranger), SignerUntrustedError
    )


def test_SENDER_MISMATCH_one_gateway_cannot_speak_for_another(corridor: Corridor):
    raw = envelope(corridor, payload(corridor), signer=corridor.ke.desk.gateway_credential)
    with pytest.raises(GatewayError) as caught:
        deliver(corridor, raw)
    assert caught.value.code in ("SIGNER_UNTRUSTED", "SIGNER_NOT_REGISTERED", "SENDER_MISMATCH")
    assert corridor.ke.arrivals() == ()


def test_SIGNATURE_INVALID_an_envelope_changed_after_signing_is_turned_away(corridor: Corridor):
    raw = envelope(corridor, payload(corridor)).replace(b"urn:test:conv", b"urn:evil:conv")
    turned_away(corridor, raw, SignatureInvalidError)


def test_DIGEST_MISMATCH_a_payload_with_another_digest_is_turned_away(corridor: Corridor):
    unsigned = wrap(header(), payload(corridor))
    start = unsigned.index(b"Digest ")
    begin = unsigned.index(b">", start) + 1
    flipped = b"A" if unsigned[begin : begin + 1] != b"A" else b"B"
    raw = sign(
        unsigned[:begin] + flipped + unsigned[begin + 1 :], corridor.zm.desk.gateway_credential
    )
    turned_away(corridor, raw, DigestMismatchError)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"not xml", MalformedXmlError),
        (b"<a/>", SchemaError),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', UnsafeXmlError),
        (b"<a><!-- hidden --></a>", UnsafeXmlError),
        (b"", MalformedXmlError),
    ],
    ids=["text", "foreign", "doctype", "comment", "empty"],
)
def test_bytes_that_are_no_envelope_are_turned_away(
    corridor: Corridor, raw: bytes, error: type[GatewayError]
):
    turned_away(corridor, raw, error)


def test_REVOCATION_UNKNOWN_is_a_passing_fault_not_a_refusal(corridor: Corridor):
    peer = corridor.ke.peer()
    with corridor.ke.desk.store.begin() as conn:
        profile = dataclasses.replace(peer, revocation=RevocationLevel.REQUIRE)
        peers.change(conn, peer.id, profile, at=NOW + timedelta(seconds=1), actor="user:test")
    corridor.clock.pass_time(days=500)
    raw = envelope(corridor, payload(corridor), created_at=corridor.clock())
    with pytest.raises(RevocationUnknownError) as caught:
        deliver(corridor, raw)
    assert caught.value.retryable
    assert corridor.ke.arrivals() == ()


def test_a_replayed_message_gets_the_same_receipt_bytes_and_changes_nothing(corridor: Corridor):
    raw = envelope(corridor, payload(corridor))
    first = deliver(corridor, raw)
    corridor.clock.pass_time(days=40)
    assert deliver(corridor, raw) == first
    assert [arrival.repeats for arrival in corridor.ke.arrivals()] == [1]


def test_MESSAGE_ID_REUSED_other_content_under_a_used_id_alarms_the_operator(corridor: Corridor):
    message_id = new_message_id()
    deliver(corridor, envelope(corridor, payload(corridor), message_id=message_id))
    other = payload(corridor, certificate(serial_number="ZM-20260309-000124"))
    with pytest.raises(MessageIdReusedError):
        deliver(corridor, envelope(corridor, other, message_id=message_id))
    with corridor.ke.desk.store.read() as conn:
        kinds = [event.kind for event in events.after(conn, 0)]
    assert events.Kind.MESSAGE_ID_REUSED in kinds
    assert len(corridor.ke.arrivals()) == 1


def test_V14_a_document_changed_after_its_authority_signed_is_refused(corridor: Corridor):
    changed = payload(corridor).replace(b"Nairobi Garments", b"Mombasa Garments")
    verdict = refused(corridor, envelope(corridor, changed))
    assert (verdict.code, verdict.findings[0].rule) == ("SIGNATURE_INVALID", "V14")


def test_V13_a_document_signed_by_an_unknown_authority_is_refused(corridor: Corridor):
    stranger = make_refused_credentials(corridor.zm.pki, now=NOW).foreign
    verdict = refused(corridor, envelope(corridor, payload(corridor, signer=stranger)))
    assert (verdict.code, verdict.findings[0].rule) == ("SIGNER_UNTRUSTED", "V13")


def test_V13_another_countrys_genuine_authority_cannot_sign_as_this_one(corridor: Corridor):
    kenya = corridor.ke.desk.signers[COO]
    verdict = refused(corridor, envelope(corridor, payload(corridor, signer=kenya)))
    assert verdict.code in ("SIGNER_UNTRUSTED", "SIGNER_NOT_REGISTERED")
    assert verdict.findings[0].rule == "V13"


def test_V13_a_genuine_gateway_cannot_sign_in_place_of_the_authority(corridor: Corridor):
    gateway = corridor.zm.desk.gateway_credential
    verdict = refused(corridor, envelope(corridor, payload(corridor, signer=gateway)))
    assert verdict.code == "SIGNER_NOT_REGISTERED"


def test_a_document_without_signature_is_refused(corridor: Corridor):
    unsigned = corridor.zm.desk.tables[COO].render(certificate())
    assert refused(corridor, envelope(corridor, unsigned)).code == "SIGNATURE_MISSING"


def test_SCHEMA_INVALID_a_payload_of_another_type_than_announced_is_refused(corridor: Corridor):
    other = payload(corridor, customs_response(), signer=corridor.zm.desk.signers[COO])
    assert refused(corridor, envelope(corridor, other)).code == "SCHEMA_INVALID"


def test_hostile_xml_as_payload_is_refused_with_its_code(corridor: Corridor):
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    assert refused(corridor, envelope(corridor, bomb)).code == "UNSAFE_XML"


def test_RULES_BROKEN_a_certificate_that_breaks_rules_is_refused_with_every_finding(
    corridor: Corridor,
):
    bad = certificate(items=(goods_item(hs_code="770100", country_of_origin="MW"),))
    verdict = refused(corridor, envelope(corridor, payload(corridor, bad)))
    assert verdict.code == "RULES_BROKEN"
    assert {"V6", "V34"} <= {finding.rule for finding in verdict.findings}
    assert all(finding.message.ar for finding in verdict.findings)


def test_V84_the_same_serial_with_other_content_is_refused_and_alarms_the_operator(
    corridor: Corridor,
):
    deliver(corridor, envelope(corridor, payload(corridor)))
    other = certificate(items=(goods_item(hs_code="520513"),))
    deliver(corridor, envelope(corridor, payload(corridor, other)))
    newest = corridor.ke.arrivals()[0]
    assert newest.verdict is Verdict.REFUSED
    with corridor.ke.desk.store.read() as conn:
        row = certificates.find(conn, Side.RECEIVED, "ZM", certificate().serial_number)
        items = certificates.items(conn, row.id)
    assert items[0].hs_code == "520512"


def test_an_agreement_that_is_not_in_force_here_is_refused(corridor: Corridor):
    other = certificate(agreement="AFCFTA")
    assert refused(corridor, envelope(corridor, payload(corridor, other))).code == "NOT_FOUND"


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_a_refusal_explains_itself_in_each_language(corridor: Corridor, language: str):
    changed = payload(corridor).replace(b"Nairobi Garments", b"Mombasa Garments")
    finding = refused(corridor, envelope(corridor, changed)).findings[0]
    assert finding.message.in_language(language)
    assert finding.remedy.in_language(language)


def test_V11_an_authority_cannot_sign_for_another_one_of_its_own_state(corridor: Corridor):
    authority = certificate().issuing_authority.model_copy(update={"code": "ZM-ZNCC"})
    verdict = refused(
        corridor, envelope(corridor, payload(corridor, certificate(issuing_authority=authority)))
    )
    assert "V11" in {finding.rule for finding in verdict.findings}
