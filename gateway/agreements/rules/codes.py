"""Code membership: every coded value stands in its list.

Which datum belongs to which list is the table below; a test keeps it complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from gateway.agreements.parts import BoxField
from gateway.agreements.rulebook import ERROR, C, Case, Complaint, I, R, S, at, complain, rule
from gateway.documents.acknowledgement import Acknowledgement
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codelists import CodeList, code_list
from gateway.documents.customs_response import CustomsResponse
from gateway.documents.fields import Getter, getter, groups
from gateway.documents.findings import LocalisedText
from gateway.documents.shape import Document

_LISTS_OF_A_CERTIFICATE: Mapping[str, tuple[str, BoxField | None]] = {
    "exporting_country": ("countries", None),
    "destination_country": ("countries", BoxField.CONSIGNEE),
    "issuing_authority.country": ("countries", BoxField.CERTIFICATION),
    "exporter.address.country": ("countries", BoxField.EXPORTER),
    "consignee.address.country": ("countries", BoxField.CONSIGNEE),
    "transport.mode": ("transport-modes", BoxField.TRANSPORT),
    "transport.means_type": ("transport-means", BoxField.TRANSPORT),
    "transport.loading_place.country": ("countries", BoxField.TRANSPORT),
    "transport.unloading_place.country": ("countries", BoxField.TRANSPORT),
    "transport.transit[].country": ("countries", BoxField.TRANSPORT),
    "transport.documents[].type_code": ("document-names", BoxField.TRANSPORT),
    "items[].packages.kind": ("packages", BoxField.GOODS),
    "items[].country_of_origin": ("countries", BoxField.CERTIFICATION),
    "items[].producer.address.country": ("countries", BoxField.DECLARATION),
    "items[].quantity.unit": ("units", BoxField.WEIGHT),
    "items[].gross_weight.unit": ("units", BoxField.WEIGHT),
    "items[].net_weight.unit": ("units", BoxField.WEIGHT),
    "items[].value.currency": ("currencies", BoxField.INVOICE),
    "items[].invoices[].issuer_country": ("countries", BoxField.INVOICE),
    "total_gross_weight.unit": ("units", BoxField.WEIGHT),
    "invoices[].issuer_country": ("countries", BoxField.INVOICE),
    "retrospective.reason_code": ("retrospective-reasons", None),
    "original_certificate.country": ("countries", None),
    "attachments[].type_code": ("document-names", None),
}

_LISTS_OF_A_RESPONSE: Mapping[str, tuple[str, BoxField | None]] = {
    "customs_authority.country": ("countries", None),
    "recipient_authority.country": ("countries", None),
    "certificate.issuing_country": ("countries", None),
    "reasons[].code": ("response-reasons", None),
    "items[].quantity.unit": ("units", None),
    "items[].cumulative.unit": ("units", None),
    "security.amount.currency": ("currencies", None),
}

_LISTS_OF_AN_ACKNOWLEDGEMENT: Mapping[str, tuple[str, BoxField | None]] = {
    "sender_country": ("countries", None),
    "receiver_country": ("countries", None),
}

CODED_VALUES: Mapping[type[Document], Mapping[str, tuple[str, BoxField | None]]] = {
    CertificateOfOrigin: _LISTS_OF_A_CERTIFICATE,
    CustomsResponse: _LISTS_OF_A_RESPONSE,
    Acknowledgement: _LISTS_OF_AN_ACKNOWLEDGEMENT,
}

_LABELS: Mapping[str, LocalisedText] = {
    "countries": LocalisedText(en="countries", fr="pays", ar="البلدان"),
    "currencies": LocalisedText(en="currencies", fr="monnaies", ar="العملات"),
    "units": LocalisedText(en="units of measure", fr="unités de mesure", ar="وحدات القياس"),
    "packages": LocalisedText(en="kinds of packages", fr="types d'emballages", ar="أنواع الطرود"),
    "transport-modes": LocalisedText(
        en="modes of transport", fr="modes de transport", ar="وسائط النقل"
    ),
    "transport-means": LocalisedText(
        en="means of transport", fr="moyens de transport", ar="وسائل النقل"
    ),
    "document-names": LocalisedText(
        en="document types", fr="types de documents", ar="أنواع المستندات"
    ),
    "retrospective-reasons": LocalisedText(
        en="reasons for retrospective issue",
        fr="motifs de délivrance rétroactive",
        ar="أسباب الإصدار بأثر رجعي",
    ),
    "response-reasons": LocalisedText(
        en="reasons of customs", fr="motifs de la douane", ar="أسباب الجمارك"
    ),
}


@dataclass(frozen=True)
class _CodedValue:
    """Is one row of the tables above, ready to be walked.

    Attributes:
        steps: names that lead to the value, each with whether a tuple stands there.
        segments: fetch the members of one repetition after the other, and last the value.
        known: every code of the list, and None for a value that lacks.
    """

    steps: tuple[tuple[str, bool], ...]
    segments: tuple[Getter, ...]
    codes: CodeList
    known: frozenset[str | None]
    box: BoxField | None

    def stands_in(self, document: Document) -> bool:
        """Return whether every value is on the list, without saying where one is not."""
        records: list[Any] = [document]
        for members in self.segments[:-1]:
            records = [member for record in records for member in members(record) or ()]
        return self.known.issuperset(map(self.segments[-1], records))


@cache
def _coded_values(document: type[Document]) -> tuple[_CodedValue, ...]:
    return tuple(
        _CodedValue(
            steps=tuple((step.removesuffix("[]"), step.endswith("[]")) for step in path.split(".")),
            segments=_segments(document, path),
            codes=code_list(list_id),
            known=frozenset((*code_list(list_id).entries, None)),
            box=box,
        )
        for path, (list_id, box) in CODED_VALUES[document].items()
    )


def _segments(document: type[Document], path: str) -> tuple[Getter, ...]:
    record, found, kinds = document, [], groups(document)
    *repetitions, rest = path.split("[].")
    for number, repetition in enumerate(repetitions):
        found.append(getter(record, tuple(repetition.split("."))))
        record = kinds["[].".join(repetitions[: number + 1]) + "[]"]
    return (*found, getter(record, tuple(rest.split("."))))


def _outside(
    record: object, coded: _CodedValue, depth: int, prefix: str
) -> Iterator[tuple[str, str]]:
    name, repeated = coded.steps[depth]
    value = getattr(record, name)
    if value is None:
        return
    members = value if repeated else (value,)
    last = depth == len(coded.steps) - 1
    for index, member in enumerate(members):
        if last and member in coded.codes:
            continue
        path = f"{prefix}{name}[{index}]" if repeated else prefix + name
        if last:
            yield path, member
        else:
            yield from _outside(member, coded, depth + 1, path + ".")


@rule("CODE", tuple(CODED_VALUES), at(ERROR, I, S, R, C))
def coded_values_are_on_their_lists(document: Document, _case: Case) -> Iterator[Complaint]:
    """Every coded value (country, unit, package, document type …) stands in its code list."""
    for coded in _coded_values(type(document)):
        if coded.stands_in(document):
            continue
        for path, value in _outside(document, coded, 0, ""):
            yield complain(
                path,
                severity=coded.codes.unknown,
                box=coded.box,
                value=value,
                list=_LABELS[coded.codes.id],
                edition=coded.codes.edition,
            )
