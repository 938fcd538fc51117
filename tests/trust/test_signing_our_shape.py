"""What we sign is, byte for byte, what signxml made of the same document and key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.trust import Credential, PeerTrust, SignerRole, sign, sign_canonical, verify
from gateway.trust.algorithms import SignatureMethod
from gateway.trust.demo_pki import CountryPki
from gateway.trust.values import EllipticSigner, RsaSigner
from gateway.xml.parsing import parse, serialize
from tests.factories import NOW
from tests.trust.by_signxml import signed_by_signxml
from tests.trust.crafting import document

NAMES = st.sampled_from(["a", "b", "p:a", "p:é", "q:b"])
TEXTS = st.text(alphabet="aé&<>\"' \t\n\r\u2028x]", max_size=8)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> etree._Element:
    """Return an element of mixed content with prefixes, attributes and odd text."""
    spaces = {"p": "urn:test:p", "q": draw(st.sampled_from(["urn:test:p", "urn:test:q"]))}
    default = draw(st.sampled_from([None, "urn:test:default"]))

    def tag(name: str) -> str:
        prefix, _, local = name.rpartition(":")
        return f"{{{spaces[prefix]}}}{local}" if prefix else local

    def grown(level: int) -> etree._Element:
        nsmap = spaces if default is None else {**spaces, None: default}
        name = draw(NAMES)
        made = etree.Element(
            tag(name) if ":" in name or default is None else f"{{{default}}}{name}", nsmap=nsmap
        )
        for attribute in draw(st.lists(NAMES, max_size=2, unique_by=tag)):
            made.set(tag(attribute), draw(TEXTS))
        made.text = draw(TEXTS) or None
        made.tail = (draw(TEXTS) or None) if level < depth else None
        for _ in range(draw(st.integers(0, 2)) if level else 0):
            made.append(grown(level - 1))
        return made

    return grown(depth)


@settings(max_examples=60, deadline=None)
@given(root=elements())
def test_any_document_is_signed_as_signxml_signs_it(
    kenya: CountryPki, root: etree._Element
) -> None:
    xml, credential = serialize(root), kenya.gateway.credential
    assert sign(xml, credential) == signed_by_signxml(xml, credential)
    assert sign(xml, credential, root=parse(xml)) == sign(xml, credential)


def test_the_tree_handed_in_is_left_as_it_is(kenya: CountryPki) -> None:
    root = parse(document())
    before = etree.tostring(root)
    sign(document(), kenya.gateway.credential, root=root)
    assert etree.tostring(root) == before


@pytest.mark.parametrize(
    "xml",
    [
        b"<a/>",
        b"<a></a>\n",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<p:a xmlns:p="urn:x" b="1"/>\n',
        b"\xef\xbb\xbf<a><b/>\r\n</a>",
        '<?xml version="1.0" encoding="UTF-16"?><a>é</a>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="UTF-8"?>\n<a>1<![CDATA[</a>]]>2</a>',
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<a>x</a>',
        b"<?xml version='1.0' encoding='utf-8'?><a>x</a>",
    ],
)
def test_documents_written_in_an_unusual_way_are_signed_too(
    kenya: CountryPki, trust: PeerTrust, xml: bytes
) -> None:
    credential = kenya.gateway.credential
    signed = sign(xml, credential)
    assert signed == signed_by_signxml(xml, credential)
    assert verify(signed, trust, role=SignerRole.GATEWAY, at=NOW).root.tag == parse(xml).tag


def test_a_plain_document_keeps_its_spelling(kenya: CountryPki, trust: PeerTrust) -> None:
    opening = b"<?xml version='1.0' encoding='UTF-8'?>\n<p:a xmlns:p='urn:x' ><b c='&#49;'/>"
    signed = sign(opening + b"</p:a >\n", kenya.gateway.credential)
    assert signed.startswith(opening + b"<ds:Signature ")
    assert signed.endswith(b"</ds:Signature></p:a >")
    verify(signed, trust, role=SignerRole.GATEWAY, at=NOW)


def test_both_signatures_of_a_document_are_those_that_signxml_makes(kenya: CountryPki) -> None:
    first, second = kenya.gateway.credential, kenya.gateway.credential
    ours = sign(sign(document(), first), second)
    assert ours == signed_by_signxml(signed_by_signxml(document(), first), second)


def test_elliptic_signatures_differ_from_signxml_in_the_value_only(kenya: CountryPki) -> None:
    for credential in (kenya.authority.credential, kenya.officers[0].credential):
        ours, theirs = sign(document(), credential), signed_by_signxml(document(), credential)
        assert len(ours) == len(theirs)
        assert ours.split(b"SignatureValue>")[::2] == theirs.split(b"SignatureValue>")[::2]


def test_a_key_in_a_token_signs_by_saying_its_method_and_making_a_value(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    genuine = kenya.gateway.credential

    class Token:
        """Stands for a PKCS#11 session: no private key leaves it."""

        method = SignatureMethod.RSA_SHA256

        def sign(self, data: bytes) -> bytes:
            return genuine.value_signer.sign(data)

    class InToken(Credential):
        value_signer = Token()  # type: ignore[assignment]

    held = InToken(
        key=None,  # type: ignore[arg-type]
        signing_cert=genuine.signing_cert,
        chain=genuine.chain,
    )
    assert sign(document(), held) == sign(document(), genuine)


def test_no_signer_shows_its_key(kenya: CountryPki) -> None:
    for credential in (kenya.gateway.credential, kenya.authority.credential):
        assert isinstance(credential.value_signer, RsaSigner | EllipticSigner)
        assert "Key" not in repr(credential.value_signer)


def test_another_chain_is_written_by_another_credential_only(kenya: CountryPki) -> None:
    with_issuer = kenya.gateway.credential
    alone = replace(with_issuer, chain=())
    assert sign(document(), with_issuer).count(b"<ds:X509Certificate>") == 2
    signed = sign(document(), alone)
    assert signed.count(b"<ds:X509Certificate>") == 1
    text = etree.fromstring(signed)[-1][2][0][0].text or ""
    pem = f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n".encode()
    assert x509.load_pem_x509_certificate(pem) == alone.signing_cert


@settings(max_examples=40, deadline=None)
@given(root=elements())
def test_canonical_text_is_signed_alike_whether_or_not_it_is_read_again(
    kenya: CountryPki, root: etree._Element
) -> None:
    text = etree.tostring(root, method="c14n", exclusive=True, with_comments=False)
    xml = b"<?xml version='1.0' encoding='UTF-8'?>\n" + text
    credential = kenya.gateway.credential
    assert sign_canonical(xml, credential) == sign(xml, credential)


def test_text_without_our_declaration_is_not_signed_unread(kenya: CountryPki) -> None:
    with pytest.raises(RuntimeError):
        sign_canonical(b"<a></a>", kenya.gateway.credential)
