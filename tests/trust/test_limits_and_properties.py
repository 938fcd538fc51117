"""Nothing that is sent can exhaust the verifier, and no changed byte gets past it."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import (
    GatewayError,
    MalformedXmlError,
    SignatureInvalidError,
    SignerKeyError,
    SignerUntrustedError,
    TooLargeError,
    TrustError,
    UnsafeXmlError,
)
from gateway.trust import COMPATIBLE, PeerTrust, RegisteredSigner, SignerRole, sign, verify
from gateway.trust.demo_pki import CountryPki
from tests.factories import NOW
from tests.trust.crafting import ENVELOPED, INC, Recipe, craft, document

AUTHORITY = SignerRole.ISSUING_AUTHORITY
REFUSALS = (TrustError, MalformedXmlError, UnsafeXmlError, TooLargeError)


def _declarations(count: int) -> bytes:
    return b"".join(b' xmlns:p%d="urn:x:%d"' % (n, n) for n in range(count))


INFLATIONS = {
    "5000 declarations": _declarations(5000),
    "25 000 declarations": _declarations(25_000),
    "50 000 attributes": b"".join(b' a%d="1"' % n for n in range(50_000)),
}


@pytest.mark.parametrize("inflation", INFLATIONS)
def test_a_genuine_message_blown_up_on_the_way_is_refused_at_once(
    kenya: CountryPki, inflation: str
) -> None:
    recipe = Recipe(c14n=INC, transforms=(ENVELOPED, INC))
    raw = craft(document(), kenya.authority.credential, recipe)
    raw = raw.replace(b"<eco:Certificate", b"<eco:Certificate" + INFLATIONS[inflation], 1)
    started = time.perf_counter()
    with pytest.raises(UnsafeXmlError):
        verify(raw, kenya.trust(policy=COMPATIBLE), role=AUTHORITY, at=NOW)
    assert time.perf_counter() - started < 2


def test_many_references_under_many_declarations_are_refused_at_once(kenya: CountryPki) -> None:
    recipe = Recipe(c14n=INC, transforms=(ENVELOPED, INC))
    raw = craft(document(), kenya.authority.credential, recipe)
    start, end = raw.index(b"<ds:Reference"), raw.index(b"</ds:SignedInfo>")
    raw = raw[:end] + raw[start:end] * 500 + raw[end:]
    raw = raw.replace(b"<eco:Certificate", b"<eco:Certificate" + _declarations(55), 1)
    started = time.perf_counter()
    with pytest.raises(TrustError):
        verify(raw, kenya.trust(policy=COMPATIBLE), role=AUTHORITY, at=NOW)
    assert time.perf_counter() - started < 2


def test_a_signer_with_a_giant_key_is_refused_at_once(kenya: CountryPki, trust: PeerTrust) -> None:
    numbers = rsa.RSAPublicNumbers(65537, random.Random(7).getrandbits(16_384) | (1 << 16_383) | 1)
    name = x509.Name([])
    giant = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(kenya.ca.cert.subject)
        .public_key(numbers.public_key())
        .serial_number(9)
        .not_valid_before(NOW)
        .not_valid_after(kenya.ca.cert.not_valid_after_utc)
        .sign(kenya.ca.key, hashes.SHA256())
    )
    started = time.perf_counter()
    raw = craft(document(), kenya.authority.credential, Recipe(certificates=[giant]))
    with pytest.raises(SignerKeyError, match="16384"):
        verify(raw, trust, role=AUTHORITY, at=NOW)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("shape", ["profile", "default of the JDK"])
def test_no_changed_byte_outside_key_info_is_believed(kenya: CountryPki, shape: str) -> None:
    """Every byte is changed once; what differs in writing only (quotes, spaces) may pass.

    What passes must have the same canonical content, so the read amount may not differ.
    """
    recipe = Recipe()
    trust = kenya.trust()
    if shape != "profile":
        recipe = Recipe(c14n=INC, transforms=(ENVELOPED, INC), default_namespace=True)
        trust = kenya.trust(policy=COMPATIBLE)
    raw = craft(document(items=1), kenya.authority.credential, recipe)
    genuine = verify(raw, trust, role=AUTHORITY, at=NOW).root
    key_info = range(raw.index(b"KeyInfo>"), raw.rindex(b"KeyInfo>"))
    believed, invalid = [], 0
    for position in (p for p in range(len(raw)) if p not in key_info):
        for bit in {1, 1 << position % 7}:
            changed = bytearray(raw)
            changed[position] ^= bit
            try:
                root = verify(bytes(changed), trust, role=AUTHORITY, at=NOW).root
            except REFUSALS as exc:
                invalid += isinstance(exc, SignatureInvalidError)
                continue
            assert [e.text for e in root.iter()] == [e.text for e in genuine.iter()]
            believed.append(raw[position : position + 1])
    assert len(believed) < 25, believed
    assert invalid > 300


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_pieces_cut_pasted_and_doubled_are_never_believed_as_something_else(
    kenya: CountryPki, trust: PeerTrust, data: st.DataObject
) -> None:
    raw = sign(document(items=1), kenya.authority.credential)
    places = st.integers(0, len(raw))
    begin, end = sorted((data.draw(places), data.draw(places)))
    into = data.draw(places)
    mangled = raw[:into] + raw[begin:end] + raw[into:]
    if data.draw(st.booleans()):
        mangled = mangled.replace(raw[begin:end], b"", 1)
    try:
        root = verify(mangled, trust, role=AUTHORITY, at=NOW).root
    except REFUSALS:
        return
    assert root[0].text == "1200.50"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_meet_an_error_of_ours(trust: PeerTrust, raw: bytes) -> None:
    with pytest.raises(REFUSALS):
        verify(raw, trust, role=AUTHORITY, at=NOW)


def test_threads_never_lend_each_other_their_trust(
    kenya: CountryPki, zambia: CountryPki, trust: PeerTrust
) -> None:
    """Two threads verify the same document, one of them trusting the wrong signer only."""
    raw = sign(document(items=1), kenya.authority.credential)
    wrong = replace(
        trust,
        anchors=zambia.trust().anchors,
        signers=(
            RegisteredSigner(
                fingerprint=zambia.authority.fingerprint, country="KE", role=AUTHORITY
            ),
        ),
    )
    accepted = {True: 0, False: 0}
    surprises: list[Exception] = []

    def judge(good: bool) -> None:
        for _ in range(200):
            try:
                verify(raw, trust if good else wrong, role=AUTHORITY, at=NOW)
                accepted[good] += 1
            except SignerUntrustedError:
                continue
            except Exception as exc:  # noqa: BLE001 - whatever else leaks is reported below
                surprises.append(exc)

    threads = [threading.Thread(target=judge, args=(good,)) for good in (True, False, True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not surprises
    assert accepted == {True: 400, False: 0}


def test_forged_documents_in_parallel_are_never_believed(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    genuine = sign(document(items=1), kenya.authority.credential)
    forged = genuine.replace(b"1200.50", b"9200.50")
    outcomes: list[bool] = []

    def judge(raw: bytes) -> None:
        for _ in range(150):
            try:
                verify(raw, trust, role=AUTHORITY, at=NOW)
                outcomes.append(raw is genuine)
            except SignatureInvalidError:
                outcomes.append(raw is forged)

    threads = [threading.Thread(target=judge, args=(raw,)) for raw in (genuine, forged)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(True) == 300


def test_every_trust_error_has_a_code_of_its_own() -> None:
    leaves = TrustError.__subclasses__()
    assert len({leaf.code for leaf in leaves}) == len(leaves)
    assert all(issubclass(leaf, GatewayError) for leaf in leaves)
