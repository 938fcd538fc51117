"""The rooms of the gateway one by one, in process, against the bare limits of their work."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.harness import Work, measure
from bench.material import Shared, document, document_xml, rsa_key
from gateway.agreements import Facts, Point, check, load_agreements
from gateway.documents import DocumentType
from gateway.documents.shape import from_json
from gateway.envelope import Header, unwrap, wrap
from gateway.trust import Credential, SignerRole, sign, verify
from gateway.trust.demo_pki import CountryPki, make_demo_pki
from gateway.trust.issuing import CertificateAuthority, Validity
from gateway.trust.keys import distinguished_name
from gateway.xml.mapping import load_tables
from gateway.xml.parsing import parse

DOCUMENTS = "documents and mapping, in process"
TRUST = "document signatures, in process"
ENVELOPES = "envelopes, in process"

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
SIGN_LIMITS = ("lxml parse", "exclusive C14N")

RULES = "check every business rule at issue"
READ = "read from XML into a document"
VERIFY_AUTHORITY = "verify with chain and revocation, P-256"
SIGN_2048, SIGN_3072 = "sign, RSA-2048", "sign, RSA-3072"
VERIFY_RSA = "verify with chain and revocation, RSA-2048"
WRAP = "wrap and sign, RSA-2048"
UNWRAP = "verify and unwrap, RSA-2048"


@contextmanager
def zambia() -> Iterator[CountryPki]:
    """Yield the keys of one country: an RSA-2048 gateway, a P-256 authority."""
    with tempfile.TemporaryDirectory(prefix="eco-bench-") as folder:
        yield make_demo_pki(Path(folder), ["ZM"], now=NOW).countries["ZM"]


@contextmanager
def _signing_keys() -> Iterator[Mapping[int, Credential]]:
    now = datetime.now(UTC)
    validity = Validity(begins=now - timedelta(days=1), ends=now + timedelta(days=365))
    name = distinguished_name("bench CA", country="ZM")
    authority = CertificateAuthority.root(name, validity)
    subject = distinguished_name("bench signer", country="ZM")
    yield {bits: authority.issue(subject, validity, key=rsa_key(bits)) for bits in (2048, 3072)}


signing_keys = Shared(_signing_keys)
"""Gives credentials with RSA keys of both lengths, by bits, under one root."""


def header() -> Header:
    """Return a header as the exchange would write it."""
    return Header(
        message_id="urn:uuid:5b3c1f6e-2f4f-4d53-9f5e-0c6f4a1d2e3b",
        sender="ZM-SW",
        sender_country="ZM",
        receiver="KE-SW",
        receiver_country="KE",
        document_type=DocumentType.CERTIFICATE_OF_ORIGIN,
        document_version="1.0",
        created_at=NOW,
        conversation_id="urn:uuid:0f8a5b52-6f0e-4d0b-9b44-5a3a0d7e9c11",
        test=False,
    )


@measure("read from JSON into a document", group=DOCUMENTS)
def _from_json() -> Iterator[Work]:
    model, raw = type(document()), document().model_dump_json()
    yield lambda: from_json(model, raw)


@measure(RULES, group=DOCUMENTS)
def _rules() -> Iterator[Work]:
    agreement = load_agreements()[document().agreement]
    facts = Facts(point=Point.ISSUE, now=NOW, own_country=document().exporting_country)
    yield lambda: check(document(), agreement, facts)


@measure("render to XML", group=DOCUMENTS)
def _render() -> Iterator[Work]:
    table = load_tables()[DocumentType.CERTIFICATE_OF_ORIGIN]
    yield lambda: table.render(document())


@measure("parse, hardened", group=DOCUMENTS, limits=("lxml parse",))
def _parse() -> Iterator[Work]:
    raw = document_xml()
    yield lambda: parse(raw)


@measure(READ, group=DOCUMENTS)
def _read() -> Iterator[Work]:
    table, root = load_tables()[DocumentType.CERTIFICATE_OF_ORIGIN], parse(document_xml())
    yield lambda: table.read(root)


@measure("sign, P-256", group=TRUST, limits=(*SIGN_LIMITS, "P-256 sign"))
def _sign_p256() -> Iterator[Work]:
    raw = document_xml()
    with zambia() as pki:
        credential = pki.authority.credential
        yield lambda: sign(raw, credential)


@measure(SIGN_2048, group=TRUST, limits=(*SIGN_LIMITS, "RSA-2048 sign"))
def _sign_rsa() -> Iterator[Work]:
    raw = document_xml()
    with zambia() as pki:
        credential = pki.gateway.credential
        yield lambda: sign(raw, credential)


@measure(VERIFY_AUTHORITY, group=TRUST, limits=(*SIGN_LIMITS, "P-256 verify"))
def _verify_p256() -> Iterator[Work]:
    with zambia() as pki:
        signed, trust = sign(document_xml(), pki.authority.credential), pki.trust()
        yield lambda: verify(signed, trust, role=SignerRole.ISSUING_AUTHORITY, at=NOW)


@measure(SIGN_3072, group=TRUST, limits=(*SIGN_LIMITS, "RSA-3072 sign"))
def _sign_rsa_3072() -> Iterator[Work]:
    raw = document_xml()
    with signing_keys() as keys:
        credential = keys[3072]
        yield lambda: sign(raw, credential)


@measure(
    VERIFY_RSA,
    group=TRUST,
    limits=(*SIGN_LIMITS, "RSA-2048 verify"),
)
def _verify_rsa() -> Iterator[Work]:
    with zambia() as pki:
        signed, trust = sign(document_xml(), pki.gateway.credential), pki.trust()
        yield lambda: verify(signed, trust, role=SignerRole.GATEWAY, at=NOW)


@measure(WRAP, group=ENVELOPES)
def _wrap_and_sign() -> Iterator[Work]:
    with zambia() as pki:
        payload = sign(document_xml(), pki.authority.credential)
        credential = pki.gateway.credential
        yield lambda: sign(wrap(header(), payload), credential)


@measure(UNWRAP, group=ENVELOPES)
def _verify_and_unwrap() -> Iterator[Work]:
    with zambia() as pki:
        payload = sign(document_xml(), pki.authority.credential)
        envelope, trust = sign(wrap(header(), payload), pki.gateway.credential), pki.trust()
        yield lambda: unwrap(verify(envelope, trust, role=SignerRole.GATEWAY, at=NOW).root)
