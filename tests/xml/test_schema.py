"""Validating messages: the verdict, and findings that its author can act on."""

from __future__ import annotations

import base64
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from lxml import etree

from gateway.documents import DocumentType, Severity
from gateway.errors import ConfigError, SchemaError, VersionNotSupportedError
from gateway.resources import data_path
from gateway.xml.explaining import MAX_FINDINGS
from gateway.xml.mapping import load_tables
from gateway.xml.namespaces import DS_NS, ENVELOPE_NS
from gateway.xml.parsing import parse
from gateway.xml.schema import MessageSchema, SchemaSet
from tests.factories import certificate, customs_response, goods_item
from tests.xml.full import FULL_DOCUMENTS

SCHEMAS = SchemaSet.load()
COO = load_tables()[DocumentType.CERTIFICATE_OF_ORIGIN]


def bent(old: str, new: str, count: int = 1) -> etree._Element:
    raw = COO.render(certificate()).decode()
    assert old in raw, old
    return parse(raw.replace(old, new, count).encode())


@pytest.mark.parametrize("kind", DocumentType)
def test_a_full_document_is_valid(kind):
    root = parse(load_tables()[kind].render(FULL_DOCUMENTS[kind]))
    assert SCHEMAS.findings(root) == ()
    SCHEMAS.require_valid(root)


def test_a_wrong_value_is_named_with_its_path_and_in_three_languages():
    root = bent('unitCode="P1">41.50<', 'unitCode="P1">4.15E1<')
    (finding,) = SCHEMAS.findings(root)
    assert finding.rule == "SCHEMA"
    assert finding.severity is Severity.ERROR
    assert finding.path.endswith("ram:ApplicableProductCharacteristic/ram:ValueMeasure")
    assert finding.path.startswith("rsm:IncludedSupplyChainConsignmentItem")
    assert "ValueMeasure" in finding.message.en
    assert "ne suit pas" in finding.message.fr
    assert "مخطط" in finding.message.ar


def test_a_missing_element_is_named_with_what_lacks():
    (finding,) = SCHEMAS.findings(bent("<ram:CountryID>KE</ram:CountryID>", ""))
    assert "ram:CountryID" in finding.message.en
    assert "lacks" in finding.message.en


def test_an_unexpected_element_is_named_with_what_fits():
    (finding,) = SCHEMAS.findings(
        bent("<ram:PurposeCode>", "<ram:Purpose>x</ram:Purpose><ram:PurposeCode>")
    )
    assert finding.path == "rsm:ExchangedDocument/Purpose"
    assert "ram:PurposeCode" in finding.message.en


def test_every_fault_is_found_not_only_the_first():
    root = bent("<ram:CountryID>KE<", "<ram:CountryID>Kenya<", 9)
    assert len(SCHEMAS.findings(root)) == 2


def test_the_error_carries_the_findings():
    with pytest.raises(SchemaError) as caught:
        SCHEMAS.require_valid(bent("41.50", "x"))
    assert caught.value.findings
    assert caught.value.code == "SCHEMA_INVALID"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("CertificateOfOrigin:1", "CertificateOfOrigin:2"),
        ("urn:comesa:eco:data:draft:CertificateOfOrigin:1", "urn:x"),
        ("rsm:CertificateOfOrigin", "rsm:OriginCertificate"),
    ],
)
def test_an_unknown_root_or_major_version_is_not_supported(old, new):
    root = bent(old, new, 9)
    for check in (SCHEMAS.findings, SCHEMAS.require_valid):
        with pytest.raises(VersionNotSupportedError):
            check(root)


def test_findings_are_capped():
    extra = "<ram:TransitLogisticsLocation><ram:Odd/></ram:TransitLogisticsLocation>" * 200
    root = bent("<ram:TransitLogisticsLocation>", f"{extra}<ram:TransitLogisticsLocation>")
    assert len(SCHEMAS.findings(root)) == MAX_FINDINGS


def test_a_large_message_is_explained_in_the_terse_words_of_libxml2():
    document = certificate(items=tuple(goods_item(number) for number in range(1, 601)))
    raw = COO.render(document).decode()
    root = parse(raw.replace(">41.50<", ">forty<").encode())
    begun = time.perf_counter()
    findings = SCHEMAS.findings(root)
    assert time.perf_counter() - begun < 5
    assert len(findings) == MAX_FINDINGS
    assert findings[1].path.startswith("rsm:IncludedSupplyChainConsignmentItem[2]/")
    assert "forty" in findings[0].message.en


@pytest.mark.parametrize("signatures", [1, 2])
def test_signatures_of_the_jdk_and_of_dotnet_fit(signatures):
    one = f"""<Signature xmlns="{DS_NS}"><SignedInfo>
      <CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>
      <SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
      <Reference URI=""><Transforms>
        <Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
        <Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">
          <InclusiveNamespaces xmlns="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs"/>
        </Transform></Transforms>
        <DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
        <DigestValue>{base64.b64encode(bytes(32)).decode()}</DigestValue>
      </Reference></SignedInfo><SignatureValue>{"QUJD" * 80}</SignatureValue>
      <KeyInfo><X509Data><X509SubjectName>CN=x</X509SubjectName>
          <X509IssuerSerial><X509IssuerName>CN=ca</X509IssuerName>
            <X509SerialNumber>1234567890123456789012345678901234567890</X509SerialNumber>
          </X509IssuerSerial><X509SKI>QUJD</X509SKI>
          <X509Certificate>{"QUJD" * 400}</X509Certificate><X509Certificate>QUJD</X509Certificate>
        </X509Data></KeyInfo></Signature>"""
    root = bent("</rsm:CertificateOfOrigin>", one * signatures + "</rsm:CertificateOfOrigin>")
    assert SCHEMAS.findings(root) == ()


@pytest.mark.parametrize(
    "odd",
    [
        "<Object/>",
        "<SignedInfo/>",
        "<KeyInfo><KeyName>CN=x</KeyName></KeyInfo>",
        '<KeyInfo><RetrievalMethod URI="http://x"/></KeyInfo>',
    ],
)
def test_a_signature_of_another_shape_does_not_fit(odd):
    raw = f'<Signature xmlns="{DS_NS}">{odd}</Signature></rsm:CertificateOfOrigin>'
    assert SCHEMAS.findings(bent("</rsm:CertificateOfOrigin>", raw))


def test_a_third_signature_does_not_fit():
    three = f'<Signature xmlns="{DS_NS}"/>' * 3
    root = bent("</rsm:CertificateOfOrigin>", f"{three}</rsm:CertificateOfOrigin>")
    assert SCHEMAS.findings(root)


def test_a_root_may_have_an_id_for_the_signature_to_refer_to():
    assert (
        SCHEMAS.findings(bent("<rsm:CertificateOfOrigin ", '<rsm:CertificateOfOrigin Id="a1" '))
        == ()
    )


def test_a_schema_named_in_the_instance_is_not_fetched(tmp_path):
    # A hint that admitted anything would make this message valid.
    loose = tmp_path / "loose.xsd"
    loose.write_text('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>')
    hint = (
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="urn:x {loose.as_uri()}" '
    )
    root = bent("<rsm:CertificateOfOrigin ", f"<rsm:CertificateOfOrigin {hint}")
    assert SCHEMAS.findings(root) == ()
    root[0].append(etree.Element("{urn:x}Odd"))
    assert SCHEMAS.findings(root)


def test_many_threads_get_each_their_own_findings():
    bad = [bent("<ram:Name>Kafue Textiles Ltd", "<ram:Odd/><ram:Name>K"), bent("41.50", "x")]
    expected = [SCHEMAS.findings(root) for root in bad]
    good = parse(COO.render(certificate()))
    fresh = SchemaSet.load()
    gate = threading.Barrier(4)

    def work(turn: int) -> None:
        gate.wait()
        for count in range(30):
            which = (turn + count) % 3
            root = good if which == 2 else bad[which]
            assert fresh.findings(root) == (() if which == 2 else expected[which])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


def test_a_schema_file_that_is_missing_or_broken_is_our_own_mistake(tmp_path):
    with pytest.raises(ConfigError):
        MessageSchema(tmp_path / "none.xsd")
    (tmp_path / "bad.xsd").write_text("<x/>")
    with pytest.raises(ConfigError):
        MessageSchema(tmp_path / "bad.xsd")


# --- the envelope ---------------------------------------------------------------------------------


def envelope_example() -> str:
    text = data_path("schemas", "uncefact", "Envelope_1p0.xsd").read_text(encoding="utf-8")
    found = re.search(r"<!\[CDATA\[(.*?)\]\]>", text, re.DOTALL)
    assert found
    return (
        found[1]
        .replace("(optional)", "")
        .replace("<ds:Signature>…</ds:Signature>", "")
        .replace("base64 of the 32 bytes", base64.b64encode(bytes(32)).decode())
        .replace("base64 of the payload bytes", base64.b64encode(b"<a/>").decode())
        .strip()
    )


def test_the_example_in_the_envelope_schema_is_valid():
    root = parse(envelope_example().encode())
    assert root.tag == f"{{{ENVELOPE_NS}}}Envelope"
    assert SCHEMAS.findings(root) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("TEST", "CONVERSATION_ID"),
        ("<sbdh:Type>TEST<", "<sbdh:Type>ODD<"),
        ("2026-03-09T10:31:07Z", "2026-03-09T10:31:07"),
        ("1.0</sbdh:HeaderVersion>", "2.0</sbdh:HeaderVersion>"),
        ("xmlenc#sha256", "xmldsig#sha1"),
        ("application/xml", "text/html"),
        (' Authority="COMESA-ECO"', ""),
    ],
)
def test_an_envelope_that_says_something_else_is_refused(old, new):
    text = envelope_example()
    assert old in text
    assert SCHEMAS.findings(parse(text.replace(old, new, 1).encode()))


def test_another_document_type_has_another_schema():
    raw = load_tables()[DocumentType.CUSTOMS_RESPONSE].render(customs_response())
    assert SCHEMAS.findings(parse(raw)) == ()
