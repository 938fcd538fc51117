"""Forged, mangled and merely odd signatures meet the refusal that names what is wrong."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from lxml import etree

from gateway.errors import (
    AlgorithmNotAllowedError,
    SignatureInvalidError,
    SignatureShapeError,
    SignerUntrustedError,
    TrustError,
)
from gateway.trust import COMPATIBLE, PeerTrust, SignerRole, sign, verify
from gateway.trust.demo_pki import CountryPki
from tests.factories import NOW
from tests.hostile.signatures import FORGERIES, ODD, Forgery, Odd
from tests.trust.crafting import DS, ENVELOPED, EXC, INC, MORE, Recipe, craft, document, resigned
from tests.trust.refused_signers import RefusedCredentials

AUTHORITY = SignerRole.ISSUING_AUTHORITY


@pytest.mark.parametrize("policy", ["STRICT", "COMPATIBLE"])
@pytest.mark.parametrize("forgery", FORGERIES, ids=str)
def test_a_forged_document_is_refused(kenya: CountryPki, forgery: Forgery, policy: str) -> None:
    root = etree.fromstring(sign(document(), kenya.authority.credential))
    raw = etree.tostring(forgery.forge(root))
    trust = kenya.trust() if policy == "STRICT" else kenya.trust(policy=COMPATIBLE)
    started = time.perf_counter()
    with pytest.raises(forgery.error):
        verify(raw, trust, role=AUTHORITY, at=NOW)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_genuine_signer_who_leaves_the_profile_is_refused(
    kenya: CountryPki, trust: PeerTrust, odd: Odd
) -> None:
    raw = craft(document(), kenya.authority.credential, odd.recipe)
    started = time.perf_counter()
    with pytest.raises(odd.error):
        verify(raw, trust, role=AUTHORITY, at=NOW)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd.error is SignatureShapeError], ids=str)
def test_odd_shapes_are_refused_under_the_compatible_policy_too(
    kenya: CountryPki, odd: Odd
) -> None:
    raw = craft(document(), kenya.authority.credential, odd.recipe)
    with pytest.raises(TrustError):
        verify(raw, kenya.trust(policy=COMPATIBLE), role=AUTHORITY, at=NOW)


@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_an_hmac_keyed_with_the_public_key_is_refused(
    kenya: CountryPki, trust: PeerTrust, encoding: serialization.Encoding
) -> None:
    public = kenya.authority.credential.signing_cert.public_key()
    key = public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    recipe = Recipe(method=f"{MORE}hmac-sha256", hmac_key=key)
    with pytest.raises(AlgorithmNotAllowedError):
        verify(craft(document(), kenya.authority.credential, recipe), trust, role=AUTHORITY, at=NOW)


def test_a_duplicate_identifier_is_refused(kenya: CountryPki, trust: PeerTrust) -> None:
    for twin in (b'<b Id="x"/>', b'<b ID="x"/>', b'<b id="x"/>', b'<b xml:id="x"/>'):
        xml = b'<a Id="x">' + twin + b"</a>"
        with pytest.raises(SignatureShapeError, match="twice"):
            verify(
                craft(xml, kenya.authority.credential, Recipe(uri="#x")),
                trust,
                role=AUTHORITY,
                at=NOW,
            )


def test_an_identifier_of_an_inner_element_is_no_reference_to_the_document(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    raw = craft(b'<a><b Id="x"/></a>', kenya.authority.credential, Recipe(uri="#x"))
    with pytest.raises(SignatureShapeError):
        verify(raw, trust, role=AUTHORITY, at=NOW)


def test_inherited_xml_attributes_are_refused_under_inclusive_canonicalisation(
    kenya: CountryPki,
) -> None:
    recipe = Recipe(c14n=INC, transforms=(ENVELOPED, INC))
    raw = craft(b'<a xml:lang="en"/>', kenya.authority.credential, recipe)
    with pytest.raises(SignatureShapeError):
        verify(raw, kenya.trust(policy=COMPATIBLE), role=AUTHORITY, at=NOW)


def test_a_strangers_certificate_in_key_info_is_refused(
    kenya: CountryPki, trust: PeerTrust, refused: RefusedCredentials
) -> None:
    with pytest.raises(SignerUntrustedError):
        verify(sign(document(), refused.foreign), trust, role=AUTHORITY, at=NOW)


def test_a_genuine_certificate_over_a_strangers_signature_is_refused(
    kenya: CountryPki, trust: PeerTrust, refused: RefusedCredentials
) -> None:
    genuine = kenya.authority.credential
    stolen = Recipe(certificates=[genuine.signing_cert, *genuine.issuers])
    with pytest.raises(SignatureInvalidError, match="signature value"):
        verify(craft(document(), refused.foreign, stolen), trust, role=AUTHORITY, at=NOW)


def test_a_strangers_certificate_beside_a_genuine_one_is_refused(
    kenya: CountryPki, trust: PeerTrust, refused: RefusedCredentials
) -> None:
    genuine = kenya.authority.credential.signing_cert
    for order in ([genuine, refused.foreign.signing_cert], [refused.foreign.signing_cert, genuine]):
        raw = craft(document(), refused.foreign, Recipe(certificates=order))
        with pytest.raises(SignatureShapeError):
            verify(raw, trust, role=AUTHORITY, at=NOW)


def test_a_second_signature_by_a_stranger_after_a_genuine_one_is_refused(
    kenya: CountryPki, trust: PeerTrust, refused: RefusedCredentials
) -> None:
    raw = sign(sign(document(), kenya.authority.credential), refused.foreign)
    with pytest.raises(SignerUntrustedError):
        verify(raw, trust, role=AUTHORITY, at=NOW)


def test_garbage_in_place_of_a_certificate_is_refused(kenya: CountryPki, trust: PeerTrust) -> None:
    root = etree.fromstring(sign(document(), kenya.authority.credential))
    holder = root[-1][2][0][0]
    for text in ("AAAA", "MIIB" + "A" * 400):
        holder.text = text
        with pytest.raises(SignerUntrustedError):
            verify(etree.tostring(root), trust, role=AUTHORITY, at=NOW)


def test_the_same_signer_may_not_move_his_signature_to_another_document(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    one = etree.fromstring(sign(document(), kenya.authority.credential))
    other = etree.fromstring(document(items=3))
    other.append(one[-1])
    with pytest.raises(SignatureInvalidError):
        verify(etree.tostring(other), trust, role=AUTHORITY, at=NOW)


def test_a_digest_fitted_to_another_document_breaks_the_value(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    genuine = etree.fromstring(sign(document(), kenya.authority.credential))
    other = etree.fromstring(sign(document(items=3), kenya.authority.credential))
    genuine[-1][0][2][2].text = other[-1][0][2][2].text
    other.remove(other[-1])
    other.append(genuine[-1])
    with pytest.raises(SignatureInvalidError):
        verify(etree.tostring(other), trust, role=AUTHORITY, at=NOW)


def test_the_hand_made_signer_of_these_tests_agrees_with_ours(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    ours = sign(document(), kenya.authority.credential)
    verify(resigned(ours, kenya.authority.credential), trust, role=AUTHORITY, at=NOW)
    verify(craft(document(), kenya.authority.credential), trust, role=AUTHORITY, at=NOW)


@pytest.mark.parametrize(
    ("place", "recipe"),
    [
        ("gateway.trust.foreign._Verifier.verify", Recipe(c14n=INC, transforms=(ENVELOPED, INC))),
        ("gateway.trust.values.encode_dss_signature", Recipe()),
    ],
    ids=["signxml", "cryptography"],
)
@pytest.mark.parametrize("error", [TypeError, NotImplementedError, RecursionError, KeyError])
def test_whatever_a_library_raises_is_a_trust_error(
    kenya: CountryPki,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    recipe: Recipe,
    error: type[Exception],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error("secret payload")

    raw = craft(document(), kenya.authority.credential, recipe)
    trust = kenya.trust(policy=COMPATIBLE)
    verify(raw, trust, role=AUTHORITY, at=NOW)
    monkeypatch.setattr(place, fail)
    with pytest.raises(SignatureInvalidError) as caught:
        verify(raw, trust, role=AUTHORITY, at=NOW)
    assert "secret" not in caught.value.detail


def test_an_empty_register_lets_nobody_sign(kenya: CountryPki, trust: PeerTrust) -> None:
    nobody = replace(trust, anchors=(), signers=())
    with pytest.raises(SignerUntrustedError):
        verify(sign(document(), kenya.authority.credential), nobody, role=AUTHORITY, at=NOW)


def test_exclusive_prefix_lists_must_name_prefixes(kenya: CountryPki) -> None:
    for prefixes in ("a b:c", " ".join(f"p{n}" for n in range(65)), "1a"):

        def listed(signature: etree._Element, prefixes: str = prefixes) -> None:
            etree.SubElement(signature[0][0], f"{{{EXC}}}InclusiveNamespaces", PrefixList=prefixes)

        raw = craft(document(), kenya.authority.credential, Recipe(before_signing=listed))
        with pytest.raises(SignatureShapeError):
            verify(raw, kenya.trust(policy=COMPATIBLE), role=AUTHORITY, at=NOW)


def test_odd_attributes_in_the_signature_are_refused(kenya: CountryPki, trust: PeerTrust) -> None:
    def typed(signature: etree._Element) -> None:
        signature[0][2].set("Type", f"{DS}Object")

    raw = craft(document(), kenya.authority.credential, Recipe(before_signing=typed))
    with pytest.raises(SignatureShapeError):
        verify(raw, trust, role=AUTHORITY, at=NOW)
