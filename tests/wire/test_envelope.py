"""The envelope: what is written is read back, and whatever is odd is refused with a code."""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.documents import DocumentType
from gateway.envelope import (
    MAX_ENVELOPE_BYTES,
    MAX_PAYLOAD_BYTES,
    USUAL_ENVELOPE_BYTES,
    Header,
    peek,
    unwrap,
    wrap,
)
from gateway.errors import (
    DigestMismatchError,
    DocumentTypeNotAgreedError,
    SchemaError,
    TooLargeError,
    VersionNotSupportedError,
)
from gateway.resources import data_path
from gateway.xml.namespaces import ENVELOPE_NS, SBDH_NS
from gateway.xml.parsing import READ_BY_ALL, parse, serialize

HEADER = Header(
    message_id="urn:uuid:018f2c1e-6f5e-7b77-9f7a-2b1d3c4e5f60",
    sender="ZM-GATEWAY",
    sender_country="ZM",
    receiver="KE-GATEWAY",
    receiver_country="KE",
    document_type=DocumentType.CERTIFICATE_OF_ORIGIN,
    document_version="1.0",
    created_at=datetime(2026, 3, 9, 10, 31, 7, tzinfo=UTC),
    conversation_id="urn:uuid:018f2c1e-0000-7b77-9f7a-2b1d3c4e5f60",
    refers_to=None,
    test=False,
)
PAYLOAD = b"<doc>\xc3\xa9</doc>"

tokens = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=70)
countries = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)
headers = st.builds(
    Header,
    message_id=st.uuids().map(lambda value: value.urn),
    sender=tokens,
    sender_country=countries,
    receiver=tokens,
    receiver_country=countries,
    document_type=st.sampled_from(DocumentType),
    document_version=st.from_regex(r"[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True).filter(str.isascii),
    created_at=st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - zones are added
        max_value=datetime(9998, 12, 30),  # noqa: DTZ001
        timezones=st.sampled_from(
            [UTC, timezone(timedelta(hours=3)), timezone(-timedelta(hours=5, minutes=30))]
        ),
    ),
    conversation_id=st.one_of(
        tokens,
        st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=200),
    ),
    refers_to=st.one_of(st.none(), tokens),
    test=st.booleans(),
)


@pytest.fixture(scope="module")
def schema():
    return etree.XMLSchema(etree.parse(data_path("schemas", "uncefact", "Envelope_1p0.xsd")))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(header=headers, payload=st.binary(min_size=1, max_size=300))
def test_what_is_wrapped_is_read_back_unchanged_and_follows_the_schema(schema, header, payload):
    root = parse(wrap(header, payload))
    schema.assertValid(root)
    assert unwrap(root) == (header, payload)
    assert peek(root) == header


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(header=headers, payload=st.binary(min_size=1, max_size=300))
def test_an_envelope_is_written_in_exclusive_canonical_form(header, payload):
    written = wrap(header, payload)
    canonical = etree.tostring(parse(written), method="c14n", exclusive=True, with_comments=False)
    assert written.partition(b"?>\n")[2] == canonical


def test_times_are_written_in_utc_with_seconds_or_finer():
    def written(moment):
        root = parse(wrap(replace(HEADER, created_at=moment), PAYLOAD))
        return root.findtext(f".//{{{SBDH_NS}}}CreationDateAndTime")

    east = timezone(timedelta(hours=2))
    assert written(datetime(2026, 3, 9, 10, 31, 7, tzinfo=east)) == "2026-03-09T08:31:07Z"
    assert written(datetime(2026, 3, 9, 10, 31, 7, 120_000, tzinfo=UTC)).endswith("07.120Z")
    assert written(datetime(2026, 3, 9, 10, 31, 7, 1, tzinfo=UTC)).endswith("07.000001Z")


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": "has space"},
        {"message_id": "x" * 71},
        {"sender": ""},
        {"receiver_country": "Kenya"},
        {"document_version": "one"},
        {"conversation_id": " padded"},
        {"conversation_id": "bell\x07"},
        {"refers_to": ""},
        {"created_at": datetime(2026, 3, 9)},  # noqa: DTZ001 - the point of it
    ],
)
def test_a_header_that_no_peer_could_read_is_our_own_mistake(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        wrap(replace(HEADER, **changes), PAYLOAD)


def test_a_payload_that_would_not_fit_through_every_channel_is_too_large():
    with pytest.raises(TooLargeError):
        wrap(HEADER, b"x" * (MAX_PAYLOAD_BYTES + 1))


def test_the_largest_payload_still_passes_the_parser_and_soap():
    envelope = wrap(HEADER, b"x" * MAX_PAYLOAD_BYTES)
    assert len(envelope) + 20_000 < MAX_ENVELOPE_BYTES  # a signature has room
    assert len(unwrap(parse(envelope))[1]) == MAX_PAYLOAD_BYTES


def test_the_usual_envelope_has_no_text_that_libxml2_would_not_take_unasked():
    assert USUAL_ENVELOPE_BYTES * 4 / 3 + 4 < READ_BY_ALL


def test_the_schema_of_the_envelope_admits_the_largest_payload_and_no_larger():
    schema = data_path("schemas", "uncefact", "Envelope_1p0.xsd").read_text(encoding="utf-8")
    assert f'<xs:maxLength value="{MAX_PAYLOAD_BYTES}"/>' in schema


def bent(bend) -> etree._Element:
    root = parse(wrap(replace(HEADER, refers_to="urn:uuid:1"), PAYLOAD))
    bend(root)
    return parse(serialize(root))


def find(root, name):
    found = root.find(f".//{{{SBDH_NS}}}{name}")
    return found if found is not None else root.find(f".//{{{ENVELOPE_NS}}}{name}")


def set_text(name, text):
    def bend(root):
        find(root, name).text = text

    return bend


def remove(name):
    def bend(root):
        element = find(root, name)
        element.getparent().remove(element)

    return bend


def double(name):
    def bend(root):
        element = find(root, name)
        element.addnext(parse(serialize(element)))

    return bend


def set_attribute(name, attribute, value):
    def bend(root):
        find(root, name).set(attribute, value)

    return bend


HEADER_PARTS = [
    "StandardBusinessDocumentHeader",
    "Sender",
    "Receiver",
    "Identifier",
    "DocumentIdentification",
    "Standard",
    "TypeVersion",
    "InstanceIdentifier",
    "Type",
    "CreationDateAndTime",
    "BusinessScope",
]


@pytest.mark.parametrize("name", [*HEADER_PARTS, "Scope"])
def test_a_header_that_lacks_a_part_is_refused(name):
    with pytest.raises(SchemaError):
        peek(bent(remove(name)))


@pytest.mark.parametrize("name", [*HEADER_PARTS, "Scope"])
def test_a_header_with_a_part_twice_is_refused(name):
    with pytest.raises(SchemaError):
        peek(bent(double(name)))


@pytest.mark.parametrize(
    "bend",
    [
        set_text("InstanceIdentifier", ""),
        set_text("InstanceIdentifier", "x" * 71),
        set_text("InstanceIdentifier", "a\nb"),
        set_text("Identifier", "ZM GATEWAY"),
        set_text("CreationDateAndTime", "2026-03-09T10:31:07"),
        set_text("CreationDateAndTime", "2026-02-30T10:31:07Z"),
        set_text("CreationDateAndTime", "0001-01-01T00:00:00+14:00"),
        set_text("CreationDateAndTime", "yesterday"),
        set_text("TypeVersion", "1"),
        set_attribute("Identifier", "Authority", "GS1"),
        lambda root: etree.SubElement(find(root, "TypeVersion"), "x"),
        lambda root: setattr(
            root.findall(f".//{{{SBDH_NS}}}InstanceIdentifier")[3], "text", "maybe"
        ),
    ],
)
def test_a_header_with_a_value_that_none_may_have_is_refused(bend):
    with pytest.raises(SchemaError):
        peek(bent(bend))


def test_an_unknown_document_type_is_not_agreed_with_anybody():
    with pytest.raises(DocumentTypeNotAgreedError):
        peek(bent(set_text("Type", "BillOfLading")))


@pytest.mark.parametrize("name", ["peek", "unwrap"])
def test_another_major_version_is_named_as_such(name):
    raw = wrap(HEADER, PAYLOAD).replace(b"Envelope:1", b"Envelope:2")
    with pytest.raises(VersionNotSupportedError):
        {"peek": peek, "unwrap": unwrap}[name](parse(raw))


def test_a_document_standard_of_another_major_version_is_named_as_such():
    with pytest.raises(VersionNotSupportedError):
        peek(bent(set_text("Standard", "urn:comesa:eco:data:draft:CertificateOfOrigin:2")))


def test_a_root_that_is_no_envelope_is_refused():
    with pytest.raises(SchemaError):
        peek(parse(b"<other/>"))


def test_a_payload_that_was_exchanged_does_not_have_the_digest():
    with pytest.raises(DigestMismatchError):
        unwrap(bent(set_text("Content", base64.b64encode(b"<evil/>").decode())))


def test_a_digest_that_was_exchanged_does_not_fit_the_payload():
    other = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    with pytest.raises(DigestMismatchError):
        unwrap(bent(set_text("Digest", other)))


@pytest.mark.parametrize(
    "bend",
    [
        set_text("Content", "not base64!"),
        set_text("Content", "QUJD*"),
        set_text("Digest", "€"),
        set_text("MediaType", "text/html"),
        set_attribute("Digest", "Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1"),
        remove("Payload"),
        remove("Content"),
        double("Content"),
        double("Payload"),
        lambda root: etree.SubElement(find(root, "Content"), "x"),
    ],
)
def test_a_payload_part_of_another_shape_is_refused(bend):
    with pytest.raises(SchemaError):
        unwrap(bent(bend))


def test_base64_in_lines_as_other_stacks_write_it_is_read():
    def in_lines(root):
        content = find(root, "Content")
        content.text = "\r\n".join([content.text[:8], content.text[8:]]) + "\n  "

    assert unwrap(bent(in_lines))[1] == PAYLOAD


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_peek_and_unwrap_raise_our_errors_only_whatever_is_bent(data):
    root = parse(wrap(HEADER, PAYLOAD))
    elements = list(root.iter())
    element = data.draw(st.sampled_from(elements))
    action = data.draw(st.sampled_from(["text", "drop", "double", "tag", "attributes"]))
    if action == "text":
        element.text = data.draw(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=80)
        )
    elif action == "drop" and element is not root:
        element.getparent().remove(element)
    elif action == "double" and element is not root:
        element.addnext(parse(serialize(element)))
    elif action == "tag":
        element.tag = data.draw(
            st.sampled_from(["x", f"{{{ENVELOPE_NS}}}Envelope", f"{{{SBDH_NS}}}Scope"])
        )
    else:
        element.attrib.clear()
    for read in (peek, unwrap):
        with suppress(
            SchemaError, DigestMismatchError, DocumentTypeNotAgreedError, VersionNotSupportedError
        ):
            read(root)
