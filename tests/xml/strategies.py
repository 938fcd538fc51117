"""Hypothesis strategies for whole documents: every optional field sometimes there, hostile text.

Import ``certificates``, ``customs_responses`` and ``acknowledgements``; each takes nothing and
returns a strategy of valid documents (valid in shape; business rules may well be broken).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from gateway.documents import (
    Acknowledgement,
    BooksOutcome,
    BooksStatement,
    BooksStatus,
    CertificateKind,
    CertificateOfOrigin,
    CustomsResponse,
    Document,
    DocumentType,
    Finding,
    Language,
    LocalisedText,
    Purpose,
    Severity,
    UtilisationStatus,
    Verdict,
)
from gateway.documents.base import Money, Quantity, Record
from gateway.documents.books_statement import (
    StatedCount,
    StatedItem,
    StatedMessage,
    StatedTotal,
)
from gateway.documents.certificate_of_origin import (
    Attachment,
    Endorsement,
    GoodsItem,
    Invoice,
    OriginalCertificate,
    OriginCriterion,
    Packages,
    ReplacedCertificate,
    RetrospectiveIssue,
    TranslatedText,
    Transport,
    TransportDocument,
    TransportEquipment,
)
from gateway.documents.codes import ValueBasis
from gateway.documents.customs_response import (
    CertificateReference,
    Declaration,
    Officer,
    Reason,
    Security,
    UtilisedItem,
)
from gateway.documents.parties import (
    Address,
    Authority,
    Consignee,
    Contact,
    DocumentReference,
    Exporter,
    Image,
    Place,
    Producer,
    Signatory,
)

HOSTILE = (
    "]]>",
    "<![CDATA[x]]>",
    "<!-- --> & &amp; &#0; <ram:ID/>",
    "\"double\" and 'single'",
    "a\tb\nc",
    "  leading, trailing  and   repeated ",
    "شركة كينيا للنسيج ذ.م.م",
    "\u202eright to left override\u202c",
    "Société d'Énergie à côté – « N° 5 »",
    "𐍈 non-BMP 🚚",
    "e\u0301 and é",
    "\u00a0no-break\u2028line separator",
    "%s {0} ${x} '; DROP TABLE peers; --",
)

_letters = st.characters(
    codec="utf-8",
    exclude_categories=("Cs", "Cc", "Cn"),
    exclude_characters="\ufffe\uffff",
)


def texts(longest: int) -> st.SearchStrategy[str]:
    """Text that fills a box: hostile, or any printable characters."""
    anything = st.text(_letters, min_size=1, max_size=min(longest, 40))
    return (st.sampled_from(HOSTILE) | anything).filter(lambda text: bool(text.strip()))


identifiers = st.one_of(
    st.from_regex(r"[A-Z0-9][A-Z0-9/._-]{0,30}", fullmatch=True),
    texts(40).map(lambda text: " ".join(text.split())).filter(bool),
)
codes = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,34}", fullmatch=True)
countries = st.from_regex(r"[A-Z]{2}", fullmatch=True)
currencies = st.from_regex(r"[A-Z]{3}", fullmatch=True)
sha256s = st.binary(min_size=32, max_size=32).map(bytes.hex)
media_types = st.sampled_from(["image/png", "image/jpeg", "application/pdf", "image/svg+xml"])
amounts = st.decimals(-(10**15) + 1, 10**15 - 1, places=6, allow_nan=False) | st.decimals(
    0, 10**6, places=2
)
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
_zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(
    datetime(1900, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2199, 12, 30),  # noqa: DTZ001 - as above
    timezones=_zones,
).map(lambda moment: moment.replace(second=0, microsecond=0))  # fmt: skip


def few(strategy: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    """A short tuple."""
    return st.lists(strategy, min_size=least, max_size=3).map(tuple)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The value or its absence."""
    return st.none() | strategy


def records(model: type[Record], /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A record with every field drawn; forgetting a field is a mistake of this module."""
    assert set(fields) == set(model.model_fields), set(fields) ^ set(model.model_fields)
    return st.builds(model, **fields)


units = st.from_regex(r"[A-Z0-9]{2,3}", fullmatch=True)
quantities = records(Quantity, value=amounts, unit=units)
money = records(Money, amount=amounts, currency=currencies)
addresses = records(
    Address,
    line_one=maybe(texts(512)),
    line_two=maybe(texts(512)),
    line_three=maybe(texts(512)),
    postcode=maybe(identifiers),
    city=maybe(texts(200)),
    subdivision=maybe(texts(200)),
    country=countries,
)
authorities = records(
    Authority,
    code=identifiers,
    name=texts(200),
    country=countries,
    city=maybe(texts(200)),
    office_code=maybe(identifiers),
    office_name=maybe(texts(200)),
)
images = records(Image, media_type=media_types, content=st.binary(min_size=1, max_size=60))
signatories = records(
    Signatory,
    name=texts(200),
    identifier=maybe(identifiers),
    signed_at=moments,
    statement=texts(4000),
    image=maybe(images),
)
references = records(
    DocumentReference, number=identifiers, issued_on=maybe(days), office_code=maybe(identifiers)
)
places = records(Place, unlocode=maybe(codes), name=texts(200), country=countries)
exporters = records(
    Exporter,
    name=texts(200),
    registration_number=maybe(identifiers),
    trader_id=maybe(identifiers),
    address=addresses,
    contact=maybe(
        records(
            Contact,
            name=texts(200),
            job_title=maybe(texts(200)),
            telephone=maybe(identifiers),
            email=maybe(identifiers),
        )
    ),
)
consignees = records(
    Consignee,
    name=texts(200),
    trader_id=maybe(identifiers),
    address=addresses,
    to_order=st.booleans(),
)
transports = records(
    Transport,
    mode=codes,
    journey_id=maybe(identifiers),
    means_type=maybe(codes),
    means_id=maybe(identifiers),
    means_name=maybe(texts(200)),
    departed_on=maybe(days),
    route=maybe(texts(512)),
    loading_place=maybe(places),
    unloading_place=maybe(places),
    transit=few(places),
    equipment=few(records(TransportEquipment, identifier=identifiers, seals=few(identifiers))),
    documents=few(
        records(
            TransportDocument,
            type_code=codes | st.sampled_from(["380", "864", "830"]),
            number=identifiers,
            issued_on=maybe(days),
        )
    ),
)
invoices = records(
    Invoice,
    number=identifiers,
    issued_on=maybe(days),
    issuer_name=maybe(texts(200)),
    issuer_country=maybe(countries),
)
counts = st.integers(0, 999_999_999)
goods_items = records(
    GoodsItem,
    number=st.integers(1, 99_999),
    packages=records(Packages, kind=codes, count=maybe(counts), marks=maybe(texts(512))),
    description=texts(4000),
    translations=few(
        records(TranslatedText, language=st.sampled_from(Language), text=texts(4000))
    ),
    hs_code=st.from_regex(r"[0-9]{6,10}", fullmatch=True),
    hs_edition=st.sampled_from(["2017", "2022"]),
    country_of_origin=countries,
    criterion=records(
        OriginCriterion,
        code=codes,
        percentage=maybe(st.decimals(0, 100, places=2)),
        remark=maybe(texts(512)),
    ),
    producer=maybe(
        records(Producer, name=texts(200), identifier=maybe(identifiers), address=maybe(addresses))
    ),
    quantity=quantities,
    gross_weight=maybe(quantities),
    net_weight=maybe(quantities),
    value=maybe(money),
    invoices=few(invoices),
)  # fmt: skip
attachments = records(
    Attachment,
    identifier=identifiers,
    type_code=codes | st.just("864"),
    file_name=texts(200),
    media_type=media_types,
    size=st.integers(1, 10_000_000_000),
    sha256=sha256s,
)


def certificates(**fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[CertificateOfOrigin]:
    """Certificates of every kind; keyword arguments replace the strategy of a field."""
    fields: dict[str, st.SearchStrategy[Any]] = {
        "agreement": codes,
        "kind": st.sampled_from(CertificateKind),
        "purpose": st.sampled_from(Purpose),
        "version": st.integers(1, 999),
        "test": st.booleans(),
        "serial_number": identifiers,
        "language": st.sampled_from(Language),
        "issued_at": moments,
        "valid_from": days,
        "valid_until": days,
        "exporting_country": countries,
        "destination_country": countries,
        "issuing_authority": authorities,
        "exporter": exporters,
        "consignee": consignees,
        "transport": transports,
        "endorsements": few(records(Endorsement, box=identifiers, text=texts(512))),
        "remarks": maybe(texts(4000)),
        "items": few(goods_items, least=1),
        "total_gross_weight": maybe(quantities),
        "total_packages": maybe(counts),
        "value_basis": maybe(st.sampled_from(ValueBasis)),
        "invoices": few(invoices),
        "export_declaration": maybe(references),
        "retrospective": maybe(
            records(RetrospectiveIssue, applied_on=days, reason_code=codes, reason=texts(4000))
        ),
        "original_certificate": maybe(
            records(
                OriginalCertificate,
                serial_number=identifiers,
                issued_on=days,
                country=countries,
                import_declaration=references,
                customs_control=maybe(texts(4000)),
            )
        ),
        "replaces": maybe(
            records(
                ReplacedCertificate, serial_number=identifiers, issued_on=days, reason=texts(4000)
            )
        ),
        "cancellation_reason": maybe(texts(4000)),
        "attachments": few(attachments),
        "consent_to_publication": st.booleans(),
        "stamp": maybe(images),
        "declaration": signatories,
        "certification": signatories,
    }
    return records(CertificateOfOrigin, **(fields | fixed))


def customs_responses(**fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[CustomsResponse]:
    """Customs responses of every status; keyword arguments replace the strategy of a field."""
    item_numbers = st.integers(1, 99_999)
    fields: dict[str, st.SearchStrategy[Any]] = {
        "agreement": codes,
        "test": st.booleans(),
        "response_number": identifiers,
        "language": st.sampled_from(Language),
        "issued_at": moments,
        "customs_authority": authorities,
        "officer": records(
            Officer, identifier=identifiers, name=maybe(texts(200)), role=texts(200)
        ),
        "recipient_authority": authorities,
        "certificate": records(
            CertificateReference,
            serial_number=identifiers,
            issued_on=days,
            issuing_country=countries,
        ),
        "sequence_number": st.integers(1, 99_999),
        "status": st.sampled_from(UtilisationStatus),
        "decided_at": moments,
        "reasons": few(
            records(
                Reason,
                code=codes,
                text=texts(4000),
                item_number=maybe(item_numbers),
                path=maybe(texts(512)),
            )
        ),
        "items": few(
            records(UtilisedItem, number=item_numbers, quantity=quantities, cumulative=quantities)
        ),
        "declaration": maybe(
            records(
                Declaration, number=identifiers, declared_on=days, office_code=maybe(identifiers)
            )
        ),
        "security": maybe(records(Security, reference=identifiers, amount=maybe(money))),
        "remarks": maybe(texts(4000)),
    }
    return records(CustomsResponse, **(fields | fixed))


localised_texts = records(LocalisedText, en=texts(2000), fr=texts(2000), ar=texts(2000))
findings = records(
    Finding,
    rule=st.from_regex(r"[A-Z][A-Z_0-9]{0,20}", fullmatch=True),
    severity=st.sampled_from(Severity),
    path=st.just("") | st.from_regex(r"[a-z_]{1,10}(\[[0-9]\])?(\.[a-z_]{1,10})?", fullmatch=True),
    box=maybe(st.from_regex(r"[0-9]{1,2}[a-z]?", fullmatch=True)),
    article=maybe(st.sampled_from(["Art. 8.4(b)", "Art. 9.1(d)"])),
    message=localised_texts,
    remedy=localised_texts,
)


def acknowledgements(**fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Acknowledgement]:
    """Acknowledgements of every verdict; keyword arguments replace the strategy of a field."""
    fields: dict[str, st.SearchStrategy[Any]] = {
        "acknowledgement_number": identifiers,
        "issued_at": moments,
        "test": st.booleans(),
        "sender": identifiers,
        "sender_country": countries,
        "receiver": identifiers,
        "receiver_country": countries,
        "message_id": identifiers,
        "envelope_sha256": sha256s,
        "document_type": st.sampled_from(DocumentType),
        "document_number": maybe(identifiers),
        "received_at": moments,
        "verdict": st.sampled_from(Verdict),
        "code": maybe(codes),
        "findings": few(findings),
    }
    return records(Acknowledgement, **(fields | fixed))


item_numbers = st.integers(1, 99_999)


def books_statements(**fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[BooksStatement]:
    """Statements and answers; keyword arguments replace the strategy of a field."""
    fields: dict[str, st.SearchStrategy[Any]] = {
        "statement_number": identifiers,
        "issued_at": moments,
        "test": st.booleans(),
        "sender": identifiers,
        "sender_country": countries,
        "receiver": identifiers,
        "receiver_country": countries,
        "day": days,
        "part": item_numbers,
        "parts": item_numbers,
        "round": item_numbers,
        "after": maybe(identifiers),
        "up_to": maybe(identifiers),
        "answers": maybe(identifiers),
        "status": st.sampled_from(BooksStatus),
        "counts": few(
            records(
                StatedCount,
                document_type=st.sampled_from(DocumentType),
                messages=counts,
                accepted=counts,
                refused=counts,
                unanswered=counts,
            )
        ),
        "messages": few(
            records(
                StatedMessage,
                message_id=identifiers,
                document_type=st.sampled_from(DocumentType),
                document_number=maybe(identifiers),
                envelope_sha256=sha256s,
                verdict=maybe(st.sampled_from(Verdict)),
                outcome=maybe(st.sampled_from(BooksOutcome)),
                copy_of_envelope=maybe(st.binary(min_size=1, max_size=60)),
            )
        ),
        "totals": few(
            records(
                StatedTotal,
                serial_number=identifiers,
                issuing_country=countries,
                sequence_number=item_numbers,
                items=few(records(StatedItem, number=item_numbers, used=quantities)),
                outcome=maybe(st.sampled_from(BooksOutcome)),
            )
        ),
    }
    return records(BooksStatement, **(fields | fixed))


def documents() -> st.SearchStrategy[Document]:
    """A document of any type."""
    return st.one_of(certificates(), customs_responses(), acknowledgements(), books_statements())


__all__ = [
    "acknowledgements",
    "books_statements",
    "certificates",
    "customs_responses",
    "documents",
]
