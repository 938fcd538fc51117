"""Remembering whom we believed never changes an answer: not at any moment, not for any trust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import (
    GatewayError,
    RevocationUnknownError,
    SignerExpiredError,
    SignerNotRegisteredError,
    SignerRevokedError,
    SignerUntrustedError,
)
from gateway.trust import PeerTrust, RegisteredSigner, RevocationPolicy, SignerRole, sign, verify
from gateway.trust.demo_pki import HEAD_START, LIFE, CountryPki
from gateway.trust.issuing import Revoked
from gateway.trust.memory import Memory
from gateway.trust.registry import MOST_BELIEVED
from tests.factories import NOW
from tests.trust.crafting import Recipe, craft, document

AUTHORITY = SignerRole.ISSUING_AUTHORITY
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def signed(kenya: CountryPki) -> bytes:
    return sign(document(items=1), kenya.authority.credential)


def afresh(trust: PeerTrust) -> PeerTrust:
    """Return the same trust without any memory."""
    return replace(trust)


def answer(raw: bytes, trust: PeerTrust, at: datetime) -> object:
    try:
        return verify(raw, trust, role=AUTHORITY, at=at).signer
    except GatewayError as exc:
        return type(exc), exc.detail


def warmed(raw: bytes, trust: PeerTrust, at: datetime = NOW) -> PeerTrust:
    """Return the same trust, remembering the signer of this document."""
    trust = afresh(trust)
    verify(raw, trust, role=AUTHORITY, at=at)
    assert len(trust.believed) == 1
    return trust


def test_the_checks_are_made_once_for_many_documents_of_one_signer(
    kenya: CountryPki, trust: PeerTrust, signed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = warmed(signed, trust)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("checked again")

    monkeypatch.setattr("gateway.trust.believing.trusted_chain", never)
    for items in (1, 2, 3):
        another = sign(document(items=items), kenya.authority.credential)
        found = verify(another, known, role=AUTHORITY, at=NOW + timedelta(hours=1))
        assert found.signer.fingerprint == kenya.authority.fingerprint


def test_a_signer_revoked_by_a_newer_list_is_refused_at_once(
    kenya: CountryPki, trust: PeerTrust, signed: bytes
) -> None:
    serial = kenya.authority.credential.signing_cert.serial_number
    revoked = [Revoked(serial_number=serial, since=NOW - DAY)]
    newer = kenya.ca.revocation_list(revoked, this_update=NOW, next_update=NOW + DAY)
    known = warmed(signed, trust)
    with pytest.raises(SignerRevokedError):
        verify(signed, replace(known, crls=(*known.crls, newer)), role=AUTHORITY, at=NOW)


CHANGES: dict[str, tuple[Callable[[PeerTrust], PeerTrust], type[GatewayError]]] = {
    "anchor removed": (lambda trust: replace(trust, anchors=()), RevocationUnknownError),
    "all removed": (lambda trust: replace(trust, anchors=(), signers=()), SignerUntrustedError),
    "signer removed": (lambda trust: replace(trust, signers=()), SignerNotRegisteredError),
    "lists removed": (lambda trust: replace(trust, crls=()), RevocationUnknownError),
    "another country": (lambda trust: replace(trust, country="ZM"), SignerNotRegisteredError),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_the_trust_is_felt_at_once(
    trust: PeerTrust, signed: bytes, change: str
) -> None:
    make, error = CHANGES[change]
    with pytest.raises(error):
        verify(signed, make(warmed(signed, trust)), role=AUTHORITY, at=NOW)


def test_a_signer_who_expires_is_refused_from_that_moment_on(
    kenya: CountryPki, trust: PeerTrust, signed: bytes
) -> None:
    lenient = replace(trust, revocation=RevocationPolicy.WHEN_KNOWN)
    known = warmed(signed, lenient)
    end = kenya.authority.credential.signing_cert.not_valid_after_utc
    verify(signed, known, role=AUTHORITY, at=end)
    with pytest.raises(SignerExpiredError):
        verify(signed, known, role=AUTHORITY, at=end + timedelta(seconds=1))


def test_a_signer_is_remembered_in_the_role_in_which_he_was_believed_only(
    trust: PeerTrust, signed: bytes
) -> None:
    known = warmed(signed, trust)
    for role in (SignerRole.CUSTOMS, SignerRole.GATEWAY, SignerRole.EXPORTER):
        with pytest.raises(SignerNotRegisteredError):
            verify(signed, known, role=role, at=NOW)


def test_a_remembered_signer_is_no_excuse_for_another_signature(
    kenya: CountryPki, trust: PeerTrust, signed: bytes
) -> None:
    known = warmed(signed, trust)
    genuine = kenya.authority.credential
    shown = Recipe(certificates=[genuine.signing_cert, *genuine.issuers])
    forged = craft(document(items=1), kenya.exporter.credential, shown)
    assert answer(forged, known, NOW) == answer(forged, afresh(trust), NOW)
    assert isinstance(answer(forged, known, NOW), tuple)


def test_a_refusal_is_not_remembered(kenya: CountryPki, trust: PeerTrust) -> None:
    stranger = sign(document(items=1), kenya.customs.credential)
    known = afresh(trust)
    assert isinstance(answer(stranger, known, NOW), tuple)
    assert len(known.believed) == 0


MOMENTS = st.builds(
    lambda base, seconds: base + timedelta(seconds=seconds),
    st.sampled_from(
        [
            NOW,
            NOW - HEAD_START,
            NOW + LIFE,
            *(NOW + days * DAY for days in (-40, -20, -10, -5, 5, 7, 10, 20, 30)),
        ]
    ),
    st.sampled_from(
        [-2.0, -1.5, -1.0, -0.999999, -0.000001, 0, 0.000001, 0.5, 0.999999, 1, 1.5, 2]
    ),
)


@settings(max_examples=60, deadline=None)
@given(moments=st.lists(MOMENTS, min_size=2, max_size=8), strict=st.booleans(), data=st.data())
def test_with_memory_the_answer_at_any_moment_is_what_it_is_without(
    kenya: CountryPki,
    trust: PeerTrust,
    signed: bytes,
    moments: list[datetime],
    strict: bool,
    data: st.DataObject,
) -> None:
    """Lists, registrations and a revocation begin and end on the very moments asked about."""
    edges = st.sampled_from([NOW + days * DAY for days in (-40, -20, -10, -5, 5, 7, 10, 20, 30)])
    authority = kenya.authority
    serial = authority.credential.signing_cert.serial_number
    revoked = (
        [Revoked(serial_number=serial, since=data.draw(edges))] if data.draw(st.booleans()) else []
    )
    begins, ends = NOW - 41 * DAY, data.draw(edges)
    crl = kenya.ca.revocation_list(revoked, this_update=begins, next_update=ends)
    entries = tuple(
        RegisteredSigner(
            fingerprint=authority.fingerprint,
            country="KE",
            role=AUTHORITY,
            authority_code=code,
            valid_from=data.draw(st.none() | edges),
            valid_until=data.draw(st.none() | edges),
        )
        for code in ("first", "second")
    )
    known = replace(
        trust,
        crls=(crl,),
        signers=entries,
        revocation=RevocationPolicy.REQUIRE if strict else RevocationPolicy.WHEN_KNOWN,
    )
    for at in moments:
        assert answer(signed, known, at) == answer(signed, afresh(known), at)


def test_the_memory_is_bounded_and_forgets_the_oldest() -> None:
    memory: Memory[int, int] = Memory(3)
    for number in (1, 2, 3, 1, 4):
        memory.keep(number, number)
    assert [memory.get(number) for number in (1, 2, 3, 4)] == [1, None, 3, 4]
    assert len(memory) == 3


def test_a_signer_who_shows_ever_other_certificates_fills_no_memory(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    known = afresh(trust)
    raw = sign(document(items=1), kenya.authority.credential)
    end = raw.index(b"MII") + 4
    for lines in range(MOST_BELIEVED + 8):
        shown = raw[:end] + b"\n" * lines + raw[end:]
        assert verify(shown, known, role=AUTHORITY, at=NOW).signer.country == "KE"
    assert len(known.believed) == MOST_BELIEVED
