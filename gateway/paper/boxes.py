"""What the boxes around the goods show, by the datum that the agreement puts into each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.agreements import BoxField
from gateway.documents import CertificateOfOrigin, Language
from gateway.documents.certificate_of_origin import Transport
from gateway.documents.parties import Address, Place, Signatory
from gateway.paper.pieces import Line
from gateway.paper.words import Words, words


@dataclass(frozen=True)
class Writer:
    """Writes boxes of one certificate in one language."""

    document: CertificateOfOrigin
    language: Language

    @property
    def words(self) -> Words:
        """The words of the form."""
        return words()

    def line(self) -> Line:
        """Return a new empty line."""
        return Line(self.language)


Lines = list[Line]


def lines_for(writer: Writer, shown: BoxField) -> Lines:
    """Return the lines that show a datum; none for one that stands elsewhere on the form."""
    write = _WRITERS.get(shown)
    return [] if write is None else [line for line in write(writer) if line.runs]


def _exporter(writer: Writer) -> Lines:
    exporter, said = writer.document.exporter, writer.words
    lines = [writer.line().strong(exporter.name), *_address(writer, exporter.address)]
    if exporter.trader_id is not None:
        lines.append(writer.line().label(said.tax_number).code(exporter.trader_id))
    if exporter.contact is not None:
        contact = exporter.contact
        named = [part for part in (contact.name, contact.job_title) if part]
        line = _listed(writer.line().label(said.contact), named)
        for number in (contact.telephone, contact.email):
            line = line if number is None else line.comma().code(number)
        lines.append(line)
    return lines


def _registration(writer: Writer) -> Lines:
    number = writer.document.exporter.registration_number
    if number is None:
        return []
    return [writer.line().label(writer.words.registration_number).code(number)]


def _serial(writer: Writer) -> Lines:
    line = writer.line().label(writer.words.serial_number)
    return [line.code(writer.document.serial_number)]


def _consignee(writer: Writer) -> Lines:
    consignee, said = writer.document.consignee, writer.words
    first = writer.line().strong(consignee.name)
    if consignee.to_order:
        first = first.say(" (").word(said.to_order).say(")")
    lines = [first, *_address(writer, consignee.address)]
    if consignee.trader_id is not None:
        lines.append(writer.line().label(said.tax_number).code(consignee.trader_id))
    return lines


def _address(writer: Writer, address: Address) -> Lines:
    written = (address.line_one, address.line_two, address.line_three)
    lines = [writer.line().value(text) for text in written if text]
    town = [part for part in (address.postcode, address.city, address.subdivision) if part]
    if town:
        lines.append(_listed(writer.line(), town))
    return [*lines, writer.line().country(address.country)]


def _official(writer: Writer) -> Lines:
    document, said = writer.document, writer.words
    lines = [
        writer.line().label(said.exporting_country).country(document.exporting_country),
        writer.line().label(said.destination_country).country(document.destination_country),
        writer.line()
        .label(said.valid)
        .day(document.valid_from)
        .say(" – ")
        .day(document.valid_until),
    ]
    if document.export_declaration is not None:
        declared = document.export_declaration
        line = writer.line().label(said.export_declaration).code(declared.number)
        lines.append(line.say(" ").day(declared.issued_on))
    return lines


def _endorsements(writer: Writer) -> Lines:
    document, said = writer.document, writer.words
    lines = [writer.line().strong(each.text) for each in document.endorsements]
    if document.retrospective is not None:
        why = document.retrospective
        lines += [
            writer.line().label(said.applied_on).day(why.applied_on),
            writer.line()
            .label(said.reason)
            .named("retrospective-reasons", why.reason_code)
            .say(" – ")
            .value(why.reason),
        ]
    if document.original_certificate is not None:
        lines += _original(writer)
    if document.replaces is not None:
        former = document.replaces
        line = writer.line().label(said.replaces).code(former.serial_number).say(" ")
        lines.append(line.day(former.issued_on).say(" – ").value(former.reason))
    if document.cancellation_reason is not None:
        lines.append(writer.line().label(said.reason).value(document.cancellation_reason))
    if document.remarks is not None:
        lines.append(writer.line().label(said.remarks).value(document.remarks))
    return lines


def _original(writer: Writer) -> Lines:
    said, original = writer.words, writer.document.original_certificate
    if original is None:
        return []
    declared = original.import_declaration
    first = writer.line().label(said.original_certificate).code(original.serial_number)
    second = writer.line().label(said.import_declaration).code(declared.number)
    lines = [
        first.say(" ").day(original.issued_on).say(" ").country(original.country),
        second.say(" ").day(declared.issued_on),
    ]
    if original.customs_control is not None:
        lines.append(writer.line().label(said.customs_control).value(original.customs_control))
    return lines


def _transport(writer: Writer) -> Lines:
    transport, said = writer.document.transport, writer.words
    lines = [
        writer.line().label(said.mode).named("transport-modes", transport.mode),
        *_means(writer),
    ]
    if transport.departed_on is not None:
        lines.append(writer.line().label(said.departure).day(transport.departed_on))
    for word, place in (
        (said.loading, transport.loading_place),
        (said.unloading, transport.unloading_place),
    ):
        if place is not None:
            lines.append(_place(writer.line().label(word), place))
    lines += [_place(writer.line().label(said.via), place) for place in transport.transit]
    if transport.route is not None:
        lines.append(writer.line().label(said.route).value(transport.route))
    return [*lines, *_carried(writer, transport)]


def _means(writer: Writer) -> Lines:
    transport, said = writer.document.transport, writer.words
    line = writer.line().label(said.means)
    if transport.means_type is not None:
        line = line.named("transport-means", transport.means_type).say(" ")
    if transport.means_id is not None:
        line = line.code(transport.means_id).say(" ")
    if transport.means_name is not None:
        line = line.value(transport.means_name)
    lines = [line] if len(line.runs) > 1 else []
    if transport.journey_id is not None:
        lines.append(writer.line().label(said.journey).code(transport.journey_id))
    return lines


def _carried(writer: Writer, transport: Transport) -> Lines:
    said, lines = writer.words, []
    for each in transport.equipment:
        line = writer.line().label(said.container).code(each.identifier)
        if each.seals:
            line = _listed(line.say(" – ").label(said.seals), list(each.seals))
        lines.append(line)
    for document in transport.documents:
        line = writer.line().label(said.transport_document)
        line = line.named("document-names", document.type_code).say(" ").code(document.number)
        lines.append(line.say(" ").day(document.issued_on))
    return lines


def _declaration(writer: Writer) -> Lines:
    return _signatory(writer, writer.document.declaration)


def _certification(writer: Writer) -> Lines:
    authority = writer.document.issuing_authority
    office = [part for part in (authority.office_name, authority.city) if part]
    name = writer.line().strong(authority.name).say(" (").code(authority.code).say(")")
    lines = _signatory(writer, writer.document.certification)
    return [name, _listed(writer.line(), office), *lines]


def _signatory(writer: Writer, signatory: Signatory) -> Lines:
    said = writer.words
    name = writer.line().strong(signatory.name)
    if signatory.identifier is not None:
        name = name.say(" – ").label(said.signatory_number).code(signatory.identifier)
    at = writer.line().label(said.signed_at).moment(signatory.signed_at)
    return [writer.line().value(signatory.statement), name, at]


def _place(line: Line, place: Place) -> Line:
    line = line.value(place.name)
    if place.unlocode is not None:
        line = line.say(" ").code(place.unlocode)
    return line.comma().country(place.country)


def _listed(line: Line, texts: list[str]) -> Line:
    for number, text in enumerate(texts):
        line = line.comma().value(text) if number else line.value(text)
    return line


_WRITERS: Final[Mapping[BoxField, Callable[[Writer], Lines]]] = {
    BoxField.EXPORTER: _exporter,
    BoxField.REGISTRATION_NUMBER: _registration,
    BoxField.SERIAL_NUMBER: _serial,
    BoxField.CONSIGNEE: _consignee,
    BoxField.OFFICIAL_USE: _official,
    BoxField.TRANSPORT: _transport,
    BoxField.ENDORSEMENTS: _endorsements,
    BoxField.DECLARATION: _declaration,
    BoxField.CERTIFICATION: _certification,
}
"""Goods have a table of their own: ``gateway.paper.goods``."""
