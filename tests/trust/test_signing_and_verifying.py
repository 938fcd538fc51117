"""What an honest signer writes is believed, for what it is and no more."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from lxml import etree

from gateway.errors import (
    ConfigError,
    MalformedXmlError,
    SignatureInvalidError,
    SignatureMissingError,
    SignatureShapeError,
    SignerNotRegisteredError,
    TooLargeError,
    UnsafeXmlError,
)
from gateway.trust import (
    COMPATIBLE,
    STRICT,
    PeerTrust,
    SignaturePolicy,
    SignerRole,
    policy_named,
    sign,
    verify,
)
from gateway.trust.demo_pki import CountryPki
from gateway.xml.parsing import XmlLimits, parse
from tests.factories import NOW
from tests.trust.crafting import (
    DS,
    ENVELOPED,
    EXC,
    INC,
    INC11,
    MORE,
    SHA256,
    Recipe,
    craft,
    document,
)

AUTHORITY = SignerRole.ISSUING_AUTHORITY


def c14n(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n")


def exclusive(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


@pytest.mark.parametrize("holder", ["gateway", "authority", "customs"])
def test_what_a_registered_signer_signed_is_verified(
    kenya: CountryPki, trust: PeerTrust, holder: str
) -> None:
    credential = getattr(kenya, holder).credential
    role = {"gateway": SignerRole.GATEWAY, "authority": AUTHORITY, "customs": SignerRole.CUSTOMS}[
        holder
    ]
    verified = verify(sign(document(), credential), trust, role=role, at=NOW)
    assert verified.signer.country == "KE"
    assert verified.signer.role is role
    assert verified.signer.fingerprint == credential.fingerprint
    assert verified.signer.subject == credential.signing_cert.subject.rfc4514_string()
    assert verified.signer.not_after == credential.signing_cert.not_valid_after_utc
    assert verified.inner is None
    assert exclusive(verified.root) == exclusive(parse(document()))


def test_p384_signs_and_verifies(kenya: CountryPki, trust: PeerTrust) -> None:
    signed = sign(document(), kenya.officers[0].credential)
    assert (
        verify(signed, trust, role=AUTHORITY, at=NOW).signer.fingerprint
        == kenya.officers[0].fingerprint
    )


def test_a_signature_has_the_shape_that_every_stack_reads(kenya: CountryPki) -> None:
    signed = sign(document(), kenya.gateway.credential)
    root = etree.fromstring(signed)
    signature = root[-1]
    assert signature.tag == f"{{{DS}}}Signature"
    assert signature.prefix == "ds"
    assert [child.tag.rpartition("}")[2] for child in signature] == [
        "SignedInfo",
        "SignatureValue",
        "KeyInfo",
    ]
    assert root.xpath("//ds:Reference/@URI", namespaces={"ds": DS}) == [""]
    assert root.xpath("//@Algorithm") == [EXC, f"{MORE}rsa-sha256", ENVELOPED, EXC, SHA256]
    assert len(root.xpath("//ds:X509Data", namespaces={"ds": DS})) == 1
    assert len(root.xpath("//ds:X509Certificate", namespaces={"ds": DS})) == 2
    assert signed.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n")


def test_signing_leaves_the_document_as_it_was_written(kenya: CountryPki) -> None:
    signed = sign(document(), kenya.gateway.credential)
    opening, closing = document().split(b"</eco:Certificate>")[0], b"</eco:Certificate>"
    assert signed.split(b"\n", 1)[1].startswith(opening.split(b"\n", 1)[1])
    assert signed.endswith(closing)


def test_a_root_with_an_identifier_is_signed_as_whole_document(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    signed = sign(b'<a Id="x"><b/></a>', kenya.gateway.credential)
    assert b'URI=""' in signed
    assert verify(signed, trust, role=SignerRole.GATEWAY, at=NOW).root.get("Id") == "x"


def test_a_placeholder_signature_is_not_taken_for_ours(kenya: CountryPki) -> None:
    xml = f'<a><b><ds:Signature xmlns:ds="{DS}" Id="placeholder"/></b></a>'.encode()
    with pytest.raises(SignatureShapeError):
        sign(xml, kenya.gateway.credential)


def test_two_signatures_exporter_first_are_both_verified(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    once = sign(document(), kenya.exporter.credential)
    twice = sign(once, kenya.authority.credential)
    verified = verify(twice, trust, role=AUTHORITY, at=NOW)
    assert verified.signer.fingerprint == kenya.authority.fingerprint
    assert verified.inner is not None
    assert verified.inner.role is SignerRole.EXPORTER
    assert verified.inner.fingerprint == kenya.exporter.fingerprint
    assert not list(verified.root.iter(f"{{{DS}}}Signature"))
    assert once[: -len(b"</eco:Certificate>")] in twice


def test_an_exporter_who_is_not_registered_spoils_the_document(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    twice = sign(sign(document(), kenya.customs.credential), kenya.authority.credential)
    with pytest.raises(SignerNotRegisteredError):
        verify(twice, trust, role=AUTHORITY, at=NOW)


def test_the_inner_signature_is_verified_and_not_only_covered(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    once = sign(document(), kenya.exporter.credential).replace(b"1200.50", b"9200.50")
    with pytest.raises(SignatureInvalidError):
        verify(sign(once, kenya.authority.credential), trust, role=AUTHORITY, at=NOW)


def test_two_signatures_are_read_of_an_issuing_authority_only(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    twice = sign(sign(document(), kenya.exporter.credential), kenya.gateway.credential)
    with pytest.raises(SignatureShapeError):
        verify(twice, trust, role=SignerRole.GATEWAY, at=NOW)


def test_a_third_signature_is_neither_made_nor_read(kenya: CountryPki, trust: PeerTrust) -> None:
    twice = sign(sign(document(), kenya.exporter.credential), kenya.authority.credential)
    with pytest.raises(SignatureShapeError):
        sign(twice, kenya.authority.credential)
    with pytest.raises(SignatureShapeError):
        verify(craft(twice, kenya.authority.credential), trust, role=AUTHORITY, at=NOW)


def test_an_unsigned_document_is_refused_as_unsigned(trust: PeerTrust) -> None:
    with pytest.raises(SignatureMissingError):
        verify(document(), trust, role=AUTHORITY, at=NOW)


def test_a_changed_document_is_refused_as_invalid(kenya: CountryPki, trust: PeerTrust) -> None:
    signed = sign(document(), kenya.authority.credential)
    with pytest.raises(SignatureInvalidError, match="digest differs"):
        verify(signed.replace(b"1200.50", b"9200.50"), trust, role=AUTHORITY, at=NOW)


def test_comments_instructions_and_dtd_in_signed_documents_are_refused(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    signed = sign(document(), kenya.authority.credential)
    hostile = (
        signed.replace(b"1200.50", b"1<!-- -->200.50"),
        signed.replace(b"1200.50", b"1<?p not-an-?>200.50"),
        signed.replace(b"<eco:Certificate ", b"<!DOCTYPE x []><eco:Certificate "),
    )
    for raw in hostile:
        with pytest.raises(UnsafeXmlError):
            verify(raw, trust, role=AUTHORITY, at=NOW)


def test_cdata_is_signed_as_its_text(kenya: CountryPki, trust: PeerTrust) -> None:
    signed = sign(document(), kenya.authority.credential)
    same = signed.replace(b"1200.50", b"1<![CDATA[200]]>.50")
    assert verify(same, trust, role=AUTHORITY, at=NOW).root[0].text == "1200.50"


def test_documents_in_utf16_are_verified(kenya: CountryPki, trust: PeerTrust) -> None:
    text = sign(document(), kenya.authority.credential).decode().replace("UTF-8", "UTF-16")
    assert verify(text.encode("utf-16"), trust, role=AUTHORITY, at=NOW).root[0].text == "1200.50"


def test_the_parser_refuses_before_trust_is_asked(trust: PeerTrust) -> None:
    with pytest.raises(MalformedXmlError):
        verify(b"<a>", trust, role=AUTHORITY, at=NOW)
    with pytest.raises(TooLargeError):
        verify(document(), trust, role=AUTHORITY, at=NOW, limits=XmlLimits(max_bytes=100))


def test_a_moment_without_time_zone_is_our_own_mistake(kenya: CountryPki, trust: PeerTrust) -> None:
    with pytest.raises(RuntimeError):
        verify(document(), trust, role=AUTHORITY, at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_key_that_fails_is_a_configuration_error(kenya: CountryPki) -> None:
    class Broken:
        key_size = 256

        def sign(self, *_: object, **__: object) -> bytes:
            raise OSError("token removed")

    with pytest.raises(ConfigError, match="did not sign"):
        sign(document(), replace(kenya.authority.credential, key=Broken()))  # type: ignore[arg-type]


def test_no_payload_reaches_the_log(
    kenya: CountryPki, trust: PeerTrust, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        verify(sign(document(), kenya.authority.credential), trust, role=AUTHORITY, at=NOW)
    assert "1200.50" not in caplog.text


def test_policies_are_found_by_name() -> None:
    assert policy_named("STRICT") is STRICT is SignaturePolicy.STRICT
    assert policy_named("COMPATIBLE") is COMPATIBLE is SignaturePolicy.COMPATIBLE
    with pytest.raises(ConfigError):
        policy_named("LAX")


# --- what others write ------------------------------------------------------------------------

FOREIGN = {
    "JDK and .NET default": Recipe(c14n=INC, transforms=(ENVELOPED,), default_namespace=True, canonicalize=c14n),
    "inclusive for both": Recipe(c14n=INC, transforms=(ENVELOPED, INC), default_namespace=True),
    "inclusive 1.1": Recipe(c14n=INC11, transforms=(ENVELOPED, INC11)),
    "exclusive SignedInfo, open reference": Recipe(transforms=(ENVELOPED,), canonicalize=c14n),
    "inclusive SignedInfo, exclusive reference": Recipe(c14n=INC, default_namespace=True),
}  # fmt: skip


@pytest.mark.parametrize("shape", FOREIGN)
def test_default_shapes_of_other_stacks_are_read_where_agreed(
    kenya: CountryPki, shape: str
) -> None:
    for holder, role in ((kenya.gateway, SignerRole.GATEWAY), (kenya.authority, AUTHORITY)):
        raw = craft(document(), holder.credential, FOREIGN[shape])
        verified = verify(raw, kenya.trust(policy=COMPATIBLE), role=role, at=NOW)
        assert verified.root[0].text == "1200.50"


def test_rsa_pss_is_read_where_agreed(kenya: CountryPki) -> None:
    method = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
    raw = craft(document(), kenya.gateway.credential, Recipe(method=method, pss=True))
    verify(raw, kenya.trust(policy=COMPATIBLE), role=SignerRole.GATEWAY, at=NOW)


def test_prefix_lists_are_read_where_agreed(kenya: CountryPki) -> None:
    def listed(place: etree._Element) -> None:
        etree.SubElement(place, f"{{{EXC}}}InclusiveNamespaces", PrefixList="ram", nsmap={"x": EXC})

    def whole(root: etree._Element) -> bytes:
        return etree.tostring(root, method="c14n", exclusive=True, inclusive_ns_prefixes=["ram"])

    credential = kenya.authority.credential
    on_reference = Recipe(canonicalize=whole, before_signing=lambda s: listed(s[0][2][0][1]))
    raw = craft(document(), credential, on_reference)
    verify(raw, kenya.trust(policy=COMPATIBLE), role=AUTHORITY, at=NOW)
    with pytest.raises(SignatureShapeError):
        verify(raw, kenya.trust(policy=STRICT), role=AUTHORITY, at=NOW)
    # This SignedInfo was canonicalised without the list that it states: the list counts.
    on_signed_info = Recipe(before_signing=lambda s: listed(s[0][0]))
    raw = craft(document(), credential, on_signed_info)
    with pytest.raises(SignatureInvalidError):
        verify(raw, kenya.trust(policy=COMPATIBLE), role=AUTHORITY, at=NOW)


def test_certificates_in_x509_data_of_their_own_are_read(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    raw = craft(document(), kenya.authority.credential, Recipe(own_x509_data=True))
    verify(raw, trust, role=AUTHORITY, at=NOW)


def test_certificates_stand_in_any_order(kenya: CountryPki, trust: PeerTrust) -> None:
    credential = kenya.authority.credential
    certificates = [*reversed(credential.chain), credential.signing_cert]
    verify(
        craft(document(), credential, Recipe(certificates=certificates)),
        trust,
        role=AUTHORITY,
        at=NOW,
    )


def test_names_beside_certificates_are_passed_over(kenya: CountryPki, trust: PeerTrust) -> None:
    def named(signature: etree._Element) -> None:
        etree.SubElement(signature[2][0], f"{{{DS}}}X509SubjectName").text = "CN=Somebody else"

    verify(
        craft(document(), kenya.authority.credential, Recipe(adorn=named)),
        trust,
        role=AUTHORITY,
        at=NOW,
    )


def test_the_identifier_of_the_root_is_a_reference_to_the_whole(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    raw = craft(b'<a ID="x"><b>1</b></a>', kenya.authority.credential, Recipe(uri="#x"))
    assert verify(raw, trust, role=AUTHORITY, at=NOW).root[0].text == "1"


def test_longer_digests_are_read(kenya: CountryPki, trust: PeerTrust) -> None:
    recipe = Recipe(digest=f"{MORE}sha384", method=f"{MORE}ecdsa-sha384")
    verify(craft(document(), kenya.authority.credential, recipe), trust, role=AUTHORITY, at=NOW)


def test_a_signature_outlives_its_certificate_when_judged_at_issue(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    signed = sign(document(), kenya.authority.credential)
    assert verify(signed, trust, role=AUTHORITY, at=NOW - timedelta(days=30)).signer.country == "KE"
