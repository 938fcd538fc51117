"""A certificate of origin laid out as the paper form: which datum stands in which box.

Boxes, their order and titles come from the agreement's profile; boxes about the goods become
the columns of one table, as on paper.  Every value is escaped and isolated here.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from gateway.agreements import Agreement, BoxField
from gateway.documents import CertificateOfOrigin
from gateway.documents.certificate_of_origin import GoodsItem, Transport
from gateway.documents.codelists import code_list
from gateway.documents.parties import Address, Image, Place, Signatory
from gateway.documents.pictures import Picture, picture_in
from gateway.web.console.form_goods import ITEM_WRITERS, Entry
from gateway.web.console.words import Words, plain


@dataclass(frozen=True, kw_only=True)
class FormBox:
    """Is a box of the form with what stands in it."""

    number: str
    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class GoodsLine:
    """Is one goods item: what stands in each of the goods boxes, in their order."""

    number: int
    cells: tuple[tuple[Entry, ...], ...]


@dataclass(frozen=True, kw_only=True)
class PaperForm:
    """Is the whole form: boxes before the goods, the goods boxes as a table, boxes after it."""

    before: tuple[FormBox, ...]
    goods: tuple[FormBox, ...]
    lines: tuple[GoodsLine, ...]
    after: tuple[FormBox, ...]


def laid_out(document: CertificateOfOrigin, agreement: Agreement, words: Words) -> PaperForm:
    """Return the certificate in the boxes of its agreement."""
    before: list[FormBox] = []
    goods: list[FormBox] = []
    after: list[FormBox] = []
    columns: list[tuple[BoxField, ...]] = []
    for box in agreement.boxes:
        title = box.title.in_language(words.language)
        if any(each in ITEM_WRITERS for each in box.shows):
            goods.append(FormBox(number=box.number, title=title, entries=()))
            columns.append(box.shows)
            continue
        entries = tuple(_entries(document, box.shows, words))
        room = after if goods else before
        room.append(FormBox(number=box.number, title=title, entries=entries))
    lines = tuple(_line(document, item, columns, words) for item in document.items)
    return PaperForm(before=tuple(before), goods=tuple(goods), lines=lines, after=tuple(after))


def _entries(
    document: CertificateOfOrigin, shows: tuple[BoxField, ...], words: Words
) -> Iterator[Entry]:
    for shown in shows:
        if shown in _WRITERS:
            yield from _WRITERS[shown](document, words)


def _line(
    document: CertificateOfOrigin,
    item: GoodsItem,
    columns: list[tuple[BoxField, ...]],
    words: Words,
) -> GoodsLine:
    invoiced = item.model_copy(update={"invoices": item.invoices or document.invoices})
    cells = (
        tuple(
            entry
            for shown in column
            if shown in ITEM_WRITERS
            for entry in ITEM_WRITERS[shown](invoiced, words)
        )
        for column in columns
    )
    return GoodsLine(number=item.number, cells=tuple(cells))


def _exporter(document: CertificateOfOrigin, words: Words) -> Iterator[Entry]:
    exporter = document.exporter
    yield Entry(value=plain(exporter.name))
    yield from _address(exporter.address, words)
    if exporter.trader_id is not None:
        yield Entry(label="tax_number", value=words.code(exporter.trader_id))
    if exporter.contact is not None:
        contact = exporter.contact
        parts = (contact.name, contact.job_title, contact.telephone, contact.email)
        yield Entry(label="contact", value=_listed(parts))


def _registration(document: CertificateOfOrigin, words: Words) -> Iterator[Entry]:
    if document.exporter.registration_number is not None:
        yield Entry(label="registration", value=words.code(document.exporter.registration_number))


def _consignee(document: CertificateOfOrigin, words: Words) -> Iterator[Entry]:
    consignee = document.consignee
    yield Entry(value=plain(consignee.name))
    if consignee.to_order:
        yield Entry(value=words("form.to_order"))
    yield from _address(consignee.address, words)
    if consignee.trader_id is not None:
        yield Entry(label="tax_number", value=words.code(consignee.trader_id))


def _serial(document: CertificateOfOrigin, words: Words) -> Iterator[Entry]:
    yield Entry(label="serial", value=words.code(document.serial_number))


def _official(document: CertificateOfOrigin, words: Words) -> Iterator[Entry]:
    yield Entry(label="kind", value=words.word("kind", document.kind))
    yield Entry(label="exporting", value=words.country(document.exporting_country))
    yield Entry(label="destination", value=words.country(document.destination_country))
    if document.export_declaration is not None:
        declared = document.export_declaration
        yield Entry(label="export_declaration", value=words.code(declared.number))
    if document.replaces is not None:
        yield Entry(label="replaces", value=words.code(document.replaces.serial_number))
        yield Entry(label="reason", value=plain(document.replaces.reason))
    if document.cancellation_reason is not None:
        yield Entry(label="cancelled_for", value=plain(document.cancellation_reason))


def _transport(document: CertificateOfOrigin, words: Words) -> Iterator[Entry]:
    transport = document.transport
    mode = code_list("transport-modes").name(transport.mode, words.language)
    yield Entry(label="mode", value=plain(mode))
    means = (transport.means_id, transport.means_name)
    if any(means):
        yield Entry(label="means", value=_listed(means))
    if transport.journey_id is not None:
        yield Entry(label="journey", value=words.code(transport.journey_id))
    if transport.departed_on is not None:
        yield Entry(label="departed", value=Markup("{}").format(words.day(transport.departed_on)))
    yield from _way(transport, words)
    for each in transport.equipment:
        yield Entry(label="container", value=_listed((each.identifier, *each.seals)))
    for paper in transport.documents:
        name = code_list("document-names").name(paper.type_code, words.language)
        yield Entry(value=Markup("{} {}").format(plain(name), words.code(paper.number)))


def _way(transport: Transport, words: Words) -> Iterator[Entry]:
    if transport.loading_place is not None:
        yield Entry(label="loading", value=_place(transport.loading_place, words))
    for place in transport.transit:
        yield Entry(label="via", value=_place(place, words))
    if transport.unloading_place is not None:
        yield Entry(label="unloading", value=_place(transport.unloading_place, words))
    if transport.route is not None:
        yield Entry(label="route", value=plain(transport.route))


def _endorsements(document: CertificateOfOrigin, words: Words) -> Iterator[Entry]:
    for each in document.endorsements:
        yield Entry(value=plain(each.text))
    if document.retrospective is not None:
        why = document.retrospective
        name = code_list("retrospective-reasons").name(why.reason_code, words.language)
        yield Entry(label="reason", value=Markup("{}: {}").format(plain(name), plain(why.reason)))
    if document.original_certificate is not None:
        original = document.original_certificate
        said = Markup("{} · {} · {}").format(
            words.code(original.serial_number),
            words.country(original.country),
            words.day(original.issued_on),
        )
        yield Entry(label="original", value=said)
        if original.customs_control is not None:
            yield Entry(value=plain(original.customs_control))
    if document.remarks is not None:
        yield Entry(label="remarks", value=plain(document.remarks))


def _declaration(document: CertificateOfOrigin, words: Words) -> Iterator[Entry]:
    yield from _signatory(document.declaration, words)


def _certification(document: CertificateOfOrigin, words: Words) -> Iterator[Entry]:
    authority = document.issuing_authority
    named = (authority.name, authority.office_name, authority.city)
    yield Entry(
        label="authority",
        value=Markup("{} ({})").format(_listed(named), words.code(authority.code)),
    )
    yield from _signatory(document.certification, words)
    if document.stamp is not None:
        yield from _picture("stamp", document.stamp, words)


def _signatory(signatory: Signatory, words: Words) -> Iterator[Entry]:
    yield Entry(value=plain(signatory.statement))
    name = plain(signatory.name)
    if signatory.identifier is not None:
        name = Markup("{} ({})").format(name, words.code(signatory.identifier))
    yield Entry(label="signed_by", value=name)
    yield Entry(label="signed_at", value=words.moment(signatory.signed_at))
    if signatory.image is not None:
        yield from _picture("signature", signatory.image, words)


def _picture(label: str, image: Image, words: Words) -> Iterator[Entry]:
    """Yield what is a picture and nothing else, and small enough for any screen."""
    found = picture_in(image.content)
    if isinstance(found, Picture):
        written = base64.b64encode(found.content).decode("ascii")
        address = f"data:{found.kind.value};base64,{written}"
        yield Entry(value=Markup(), label=label, picture=address)
    else:
        yield Entry(value=words("specimen.not_shown"), label=label)


def _address(address: Address, words: Words) -> Iterator[Entry]:
    lines = (address.line_one, address.line_two, address.line_three)
    town = (address.postcode, address.city, address.subdivision)
    for part in (lines, town):
        if any(part):
            yield Entry(value=_listed(part))
    yield Entry(value=words.country(address.country))


def _place(place: Place, words: Words) -> Markup:
    return Markup("{}, {}").format(plain(place.name), words.country(place.country))


def _listed(parts: tuple[str | None, ...]) -> Markup:
    return plain(", ".join(part for part in parts if part))


_Writer = Callable[[CertificateOfOrigin, Words], Iterator[Entry]]

_WRITERS: Final[Mapping[BoxField, _Writer]] = {
    BoxField.SERIAL_NUMBER: _serial,
    BoxField.REGISTRATION_NUMBER: _registration,
    BoxField.EXPORTER: _exporter,
    BoxField.CONSIGNEE: _consignee,
    BoxField.TRANSPORT: _transport,
    BoxField.ENDORSEMENTS: _endorsements,
    BoxField.OFFICIAL_USE: _official,
    BoxField.DECLARATION: _declaration,
    BoxField.CERTIFICATION: _certification,
}
