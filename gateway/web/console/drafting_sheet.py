"""The form for a certificate of origin: which fields stand in which box, and in which order.

Boxes, their numbers and titles are the agreement's; here stands what each holds.  What a form
has no box for stands before the first or after the last one.  A test holds this table against
the canonical document, so that no datum is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from gateway.agreements import BoxField
from gateway.web.console.drafting_fields import (
    Choices,
    Field,
    Fold,
    Kind,
    Part,
    Rows,
    fields_in,
    rows_in,
)

MOST_ITEMS: Final = 100
"""Goods items that a form takes; longer certificates come as files."""
ITEMS: Final = "items[]"
_NUMBER, _TEXT, _CODE = 70, 4000, 35
_MEMBERS, _COUNTRIES = Choices.MEMBERS, Choices.COUNTRIES


def _day(path: str, word: str = "") -> Field:
    return Field(path, Kind.DAY, word=word)


def _number(path: str, word: str = "") -> Field:
    return Field(path, longest=_NUMBER, word=word)


def _code(path: str, choices: Choices, word: str = "", *, companion: bool = False) -> Field:
    return Field(path, Kind.CODE, 120, choices, companion, word)


def _choice(path: str, choices: Choices, word: str = "", *, companion: bool = False) -> Field:
    return Field(path, Kind.CHOICE, _CODE, choices, companion, word)


def _amount(path: str, word: str) -> tuple[Field, Field]:
    unit = _code(f"{path}.unit", Choices.UNITS, companion=True)
    return Field(f"{path}.value", Kind.AMOUNT, 30, word=word), unit


def _address(path: str, country: Field) -> tuple[Field, ...]:
    return (
        Field(f"{path}.line_one", longest=512),
        Field(f"{path}.line_two", longest=512),
        Field(f"{path}.line_three", longest=512),
        _number(f"{path}.postcode"),
        Field(f"{path}.city"),
        Field(f"{path}.subdivision"),
        country,
    )


def _place(path: str) -> tuple[Field, ...]:
    return (
        Field(f"{path}.name", word="place"),
        _code(f"{path}.country", _COUNTRIES),
        _code(f"{path}.unlocode", Choices.PLACES),
    )


def _invoices(path: str) -> tuple[Field, ...]:
    return (
        _number(f"{path}.number", "invoice_number"),
        _day(f"{path}.issued_on"),
        Field(f"{path}.issuer_name"),
        _code(f"{path}.issuer_country", _COUNTRIES),
    )


def _signatory(path: str, signature: str) -> tuple[Part, ...]:
    return (
        Field(f"{path}.name", word="signatory"),
        _number(f"{path}.identifier", "signatory_number"),
        Field(f"{path}.signed_at", Kind.MOMENT),
        Field(f"{path}.statement", Kind.TEXT, _TEXT),
        Field(f"{path}.image", Kind.PICTURE, word=signature),
    )


HEAD: Final[tuple[Part, ...]] = (
    Field("agreement", Kind.FIXED, _CODE),
    Field("issued_at", Kind.MOMENT),
    _day("valid_from"),
    _day("valid_until"),
    _choice("language", Choices.LANGUAGES),
)
TAIL: Final[tuple[Part, ...]] = (
    _choice("value_basis", Choices.BASES),
    Rows(
        "attachments[]",
        "attachments",
        (
            _number("attachments[].identifier", "attachment_number"),
            _code("attachments[].type_code", Choices.ATTACHMENTS),
            Field("attachments[].file_name"),
            Field("attachments[].media_type", longest=70),
            Field("attachments[].size", Kind.COUNT, 15),
            Field("attachments[].sha256", longest=64),
        ),
    ),
    Field("consent_to_publication", Kind.TICK),
    Field("test", Kind.TICK),
)

_ORIGINAL: Final = "original_certificate"
SECTIONS: Final[Mapping[BoxField, tuple[Part, ...]]] = {
    BoxField.SERIAL_NUMBER: (_number("serial_number"),),
    BoxField.EXPORTER: (
        Field("exporter.name", word="trader"),
        *_address("exporter.address", _choice("exporter.address.country", _MEMBERS)),
        _number("exporter.trader_id"),
        Fold(
            "contact",
            (
                Field("exporter.contact.name", word="contact_name"),
                Field("exporter.contact.job_title"),
                _number("exporter.contact.telephone"),
                _number("exporter.contact.email"),
            ),
        ),
    ),
    BoxField.REGISTRATION_NUMBER: (_number("exporter.registration_number"),),
    BoxField.CONSIGNEE: (
        Field("consignee.name", word="trader"),
        *_address("consignee.address", _code("consignee.address.country", _COUNTRIES)),
        _number("consignee.trader_id"),
        Field("consignee.to_order", Kind.TICK),
    ),
    BoxField.OFFICIAL_USE: (
        _choice("kind", Choices.KINDS),
        _choice("exporting_country", _MEMBERS),
        _choice("destination_country", _MEMBERS),
        Fold(
            "export_declaration",
            (
                _number("export_declaration.number", "document_number"),
                _day("export_declaration.issued_on"),
                _number("export_declaration.office_code"),
            ),
        ),
        Fold(
            "replacement",
            (
                _choice("purpose", Choices.PURPOSES, companion=True),
                Field("version", Kind.COUNT, 3, companion=True),
                _number("replaces.serial_number", "replaced_serial"),
                _day("replaces.issued_on"),
                Field("replaces.reason", Kind.TEXT, _TEXT, word="replaced_reason"),
                Field("cancellation_reason", Kind.TEXT, _TEXT),
            ),
        ),
    ),
    BoxField.TRANSPORT: (
        _choice("transport.mode", Choices.MODES),
        _code("transport.means_type", Choices.MEANS),
        _number("transport.means_id"),
        Field("transport.means_name"),
        _number("transport.journey_id"),
        _day("transport.departed_on"),
        Fold("loading_place", _place("transport.loading_place"), open=True),
        Fold("unloading_place", _place("transport.unloading_place"), open=True),
        Rows("transport.transit[]", "transit", _place("transport.transit[]")),
        Rows(
            "transport.documents[]",
            "transport_documents",
            (
                _code("transport.documents[].type_code", Choices.PAPERS),
                _number("transport.documents[].number", "document_number"),
                _day("transport.documents[].issued_on"),
            ),
        ),
        Rows(
            "transport.equipment[]",
            "equipment",
            (
                _number("transport.equipment[].identifier", "container"),
                Field("transport.equipment[].seals", Kind.LIST, 1000),
            ),
            most=50,
        ),
        Field("transport.route", longest=512),
    ),
    BoxField.ENDORSEMENTS: (
        Rows(
            "endorsements[]",
            "endorsements",
            (
                _choice("endorsements[].box", Choices.BOXES),
                Field("endorsements[].text", longest=512),
            ),
        ),
        Fold(
            "retrospective",
            (
                _day("retrospective.applied_on"),
                _choice("retrospective.reason_code", Choices.REASONS),
                Field("retrospective.reason", Kind.TEXT, _TEXT),
            ),
        ),
        Fold(
            "original_certificate",
            (
                _number(f"{_ORIGINAL}.serial_number", "original_serial"),
                _day(f"{_ORIGINAL}.issued_on"),
                _choice(f"{_ORIGINAL}.country", _MEMBERS),
                _number(f"{_ORIGINAL}.import_declaration.number", "import_declaration"),
                _day(f"{_ORIGINAL}.import_declaration.issued_on", "declared_on"),
                _number(f"{_ORIGINAL}.import_declaration.office_code"),
                Field(f"{_ORIGINAL}.customs_control", Kind.TEXT, _TEXT),
            ),
        ),
        Field("remarks", Kind.TEXT, _TEXT),
    ),
    BoxField.GOODS: (
        Field(f"{ITEMS}.number", Kind.COUNT, 5, companion=True, word="item_number"),
        Field(f"{ITEMS}.description", Kind.TEXT, _TEXT),
        Field(f"{ITEMS}.packages.count", Kind.COUNT, 9),
        _code(f"{ITEMS}.packages.kind", Choices.PACKAGES, "package_kind"),
        Field(f"{ITEMS}.packages.marks", longest=512),
        _choice(f"{ITEMS}.country_of_origin", _MEMBERS, companion=True),
        Fold(
            "producer",
            (
                Field(f"{ITEMS}.producer.name", word="trader"),
                _number(f"{ITEMS}.producer.identifier"),
                *_address(
                    f"{ITEMS}.producer.address",
                    _code(f"{ITEMS}.producer.address.country", _COUNTRIES),
                ),
            ),
        ),
        Rows(
            f"{ITEMS}.translations[]",
            "translations",
            (
                _choice(f"{ITEMS}.translations[].language", Choices.LANGUAGES),
                Field(f"{ITEMS}.translations[].text", Kind.TEXT, _TEXT, word="translation"),
            ),
            most=3,
        ),
    ),
    BoxField.HS_CODE: (
        Field(f"{ITEMS}.hs_code", longest=_CODE),
        _choice(f"{ITEMS}.hs_edition", Choices.HS_EDITIONS, companion=True),
    ),
    BoxField.CRITERION: (
        _choice(f"{ITEMS}.criterion.code", Choices.CRITERIA, "criterion"),
        Field(f"{ITEMS}.criterion.percentage", Kind.AMOUNT, 30),
        Field(f"{ITEMS}.criterion.remark", longest=512),
    ),
    BoxField.WEIGHT: (
        *_amount(f"{ITEMS}.quantity", "quantity"),
        *_amount(f"{ITEMS}.gross_weight", "gross_weight"),
        *_amount(f"{ITEMS}.net_weight", "net_weight"),
        Field(f"{ITEMS}.value.amount", Kind.AMOUNT, 30, word="value"),
        _code(f"{ITEMS}.value.currency", Choices.CURRENCIES, companion=True),
    ),
    BoxField.INVOICE: (
        Rows(f"{ITEMS}.invoices[]", "item_invoices", _invoices(f"{ITEMS}.invoices[]")),
    ),
    BoxField.DECLARATION: _signatory("declaration", "signature"),
    BoxField.CERTIFICATION: (
        _number("issuing_authority.code", "authority_code"),
        Field("issuing_authority.name", word="authority"),
        _choice("issuing_authority.country", _MEMBERS),
        Field("issuing_authority.city"),
        _number("issuing_authority.office_code"),
        Field("issuing_authority.office_name"),
        *_signatory("certification", "signature"),
        Field("stamp", Kind.PICTURE),
    ),
}
OF_ITEMS: Final = (
    BoxField.GOODS,
    BoxField.HS_CODE,
    BoxField.CRITERION,
    BoxField.WEIGHT,
    BoxField.INVOICE,
)
"""Boxes of which every goods item has its own."""
TOTALS: Final[Mapping[BoxField, tuple[Part, ...]]] = {
    BoxField.WEIGHT: (
        *_amount("total_gross_weight", "total_gross_weight"),
        Field("total_packages", Kind.COUNT, 9),
    ),
    BoxField.INVOICE: (Rows("invoices[]", "invoices", _invoices("invoices[]")),),
}
"""What the goods boxes say of the whole consignment."""

_ITEM_PARTS: Final = tuple(part for box in OF_ITEMS for part in SECTIONS[box])
ITEM_ROWS: Final = Rows(ITEMS, "item", _ITEM_PARTS, most=MOST_ITEMS)
WHOLE: Final[tuple[Part, ...]] = (
    *HEAD,
    *(part for box, parts in SECTIONS.items() if box not in OF_ITEMS for part in parts),
    ITEM_ROWS,
    *(part for parts in TOTALS.values() for part in parts),
    *TAIL,
)
"""Every part of the form."""


@cache
def fields() -> Mapping[str, Field]:
    """Return every field of the form by its path."""
    return {field.path: field for field in fields_in(WHOLE)}


@cache
def repeated() -> Mapping[str, Rows]:
    """Return everything that repeats, by its path."""
    return {rows.path: rows for rows in rows_in(WHOLE)}
