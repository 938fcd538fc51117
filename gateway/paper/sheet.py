"""The whole form as data: what ``form.typ`` reads, and nothing that it would have to interpret."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from gateway.agreements import BoxField
from gateway.agreements.parts import Box
from gateway.documents import CertificateKind, Language, LocalisedText, Purpose
from gateway.documents.parties import Image
from gateway.paper.boxes import Lines, Writer, lines_for
from gateway.paper.goods import COLUMNS, cell_lines, legend, total_lines
from gateway.paper.order import PrintOrder, Standing
from gateway.paper.pictures import picture
from gateway.paper.qr import drawn
from gateway.paper.words import Words, words

_LEFT: Final = frozenset({BoxField.EXPORTER, BoxField.CONSIGNEE, BoxField.TRANSPORT})
"""What stands on the left above the goods; the rest stands on the right, below the numbers."""

_WIDTHS: Final = {
    BoxField.HS_CODE: 22,
    BoxField.CRITERION: 18,
    BoxField.WEIGHT: 34,
    BoxField.INVOICE: 27,
}


def sheet(order: PrintOrder, *, pictures: bool = True) -> dict[str, Any]:
    """Return the form as data, every text ready to be printed.

    Args:
        pictures: print the pictures of signatures and stamps.
    """
    writer = Writer(order.document, order.language)
    boxes = order.agreement.boxes
    columns = [box for box in boxes if set(box.shows) & set(COLUMNS)]
    first = boxes.index(columns[0]) if columns else len(boxes)
    above = boxes[:first]
    below = [box for box in boxes[first:] if box not in columns]
    return {
        "language": order.language.value,
        "rtl": order.language is Language.ARABIC,
        "title": _said(order, words().title),
        "file_title": f"{_said(order, words().title)} {order.document.serial_number}",
        "serial": _json([writer.line().code(order.document.serial_number)])[0],
        "agreement": order.agreement.name.in_language(order.language),
        "kind": _kind(order),
        "marks": _marks(order),
        "standing": _standing(order, writer),
        "verification": _verification(order, writer),
        "numbers": _json(_numbers(order, writer)),
        "code": _code(order),
        "left": [_box(writer, box) for box in above if set(box.shows) & _LEFT],
        "right": [_box(writer, box) for box in above if not set(box.shows) & _LEFT],
        "item": _said(order, words().item),
        "columns": [_column(order, box) for box in columns],
        "rows": [
            [str(item.number), *(_json(cell_lines(writer, item, box.shows)) for box in columns)]
            for item in order.document.items
        ],
        "totals": [_json(total_lines(writer, box.shows)) for box in columns],
        "total": _said(order, words().total),
        "legend": _json([legend(writer, order.agreement)]),
        "below": [
            _box(writer, box) | {"pictures": _pictures(order, box, pictures)} for box in below
        ],
        "page": _said(order, words().page),
        "of": _said(order, words().of),
        "continued": _said(order, words().continued),
    }


def _said(order: PrintOrder, word: LocalisedText) -> str:
    return word.in_language(order.language)


def _json(lines: Iterable[Any]) -> list[dict[str, Any]]:
    return [line.as_json() for line in lines if line.runs]


def _box(writer: Writer, box: Box) -> dict[str, Any]:
    lines: Lines = []
    for shown in box.shows:
        lines += lines_for(writer, shown)
    return {
        "number": box.number,
        "title": box.title.in_language(writer.language),
        "lines": _json(lines),
        "pictures": [],
    }


def _column(order: PrintOrder, box: Box) -> dict[str, Any]:
    width = next((_WIDTHS[each] for each in box.shows if each in _WIDTHS), None)
    return {"number": box.number, "title": box.title.in_language(order.language), "width": width}


def _kind(order: PrintOrder) -> str:
    said, document = words(), order.document
    kinds = {
        CertificateKind.STANDARD: said.kind_standard,
        CertificateKind.RETROSPECTIVE: said.kind_retrospective,
        CertificateKind.REEXPORT: said.kind_reexport,
        CertificateKind.SIMPLIFIED: said.kind_simplified,
    }
    purposes = {
        Purpose.REPLACEMENT: said.purpose_replacement,
        Purpose.CANCELLATION: said.purpose_cancellation,
    }
    named = [
        kinds[document.kind],
        *([purposes[document.purpose]] if document.purpose in purposes else []),
    ]
    return " – ".join(_said(order, word) for word in named)


def _marks(order: PrintOrder) -> dict[str, str | None]:
    copy = f"{_said(order, words().copy_mark)} {order.copy_number}"
    if order.document.test:
        across = _said(order, words().test)
    elif not order.signature.holds:
        across = _said(order, words().not_verified)
    elif not order.standing.proves:
        across = _said(order, _standing_word(words(), order.standing))
    else:
        across = copy
    return {
        "copy": copy,
        "note": _said(order, words().copy_note),
        "test": _said(order, words().test) if order.document.test else None,
        "across": across,
    }


def _standing(order: PrintOrder, writer: Writer) -> dict[str, Any]:
    """Return what the certificate is worth; nothing is worth more than its signature."""
    holds = order.signature.holds
    word = _standing_word(words(), order.standing) if holds else words().not_verified
    return {
        "word": _said(order, word),
        "good": holds and order.standing.proves,
        "at": _json([writer.line().label(words().status).moment(order.printed_at)])[0],
    }


def _standing_word(said: Words, standing: Standing) -> LocalisedText:
    return {
        Standing.VALID: said.status_valid,
        Standing.NOT_YET: said.status_not_yet,
        Standing.PARTLY_USED: said.status_partly_used,
        Standing.USED: said.status_used,
        Standing.UNDER_QUERY: said.status_under_query,
        Standing.REFUSED: said.status_refused,
        Standing.ENDING: said.status_ending,
        Standing.CANCELLED: said.status_cancelled,
        Standing.REPLACED: said.status_replaced,
        Standing.EXPIRED: said.status_expired,
    }[standing]


def _numbers(order: PrintOrder, writer: Writer) -> Lines:
    """Return serial number, and below it registration number (Art. 9.1(c)(d)), and the date."""
    issued = writer.line().label(words().issued_at).moment(order.document.issued_at)
    return [
        *lines_for(writer, BoxField.SERIAL_NUMBER),
        *lines_for(writer, BoxField.REGISTRATION_NUMBER),
        issued,
    ]


def _verification(order: PrintOrder, writer: Writer) -> dict[str, Any]:
    said, note = words(), order.signature
    lines = []
    if note.subject is not None:
        lines.append(writer.line().label(said.signed_by).value(note.subject))
    lines.append(writer.line().label(said.signed_at).moment(note.signed_at))
    if note.fingerprint is not None:
        lines.append(writer.line().label(said.signing_certificate).code(note.fingerprint))
    lines += [
        writer.line().label(said.document_digest).code(order.sha256),
        writer.line().label(said.verified_by).value(order.printer),
    ]
    sentence = said.signature_holds if note.holds else said.signature_fails
    code = "" if note.code is None else f" [{note.code}]"
    return {
        "title": _said(order, said.verification),
        "holds": note.holds,
        "sentence": f"{_said(order, sentence)}{code}",
        "lines": _json(lines),
    }


def _code(order: PrintOrder) -> dict[str, Any] | None:
    if order.code is None:
        return None
    symbol = drawn(order.code)
    return {
        "svg": symbol.svg,
        "size": symbol.millimetres,
        "alt": _said(order, words().code_alt),
        "caption": _said(order, words().check_code),
        "online": _said(order, words().check_online),
        "address": order.address,
    }


def _pictures(order: PrintOrder, box: Box, wanted: bool) -> list[dict[str, Any]]:
    """Return the pictures of a box, or a sentence in place of one that cannot be shown."""
    said, document = words(), order.document
    found: list[dict[str, Any]] = []
    missing = False
    images: list[tuple[Image | None, LocalisedText]] = []
    if BoxField.DECLARATION in box.shows:
        images.append((document.declaration.image, said.signature_picture))
    if BoxField.CERTIFICATION in box.shows:
        images.append((document.certification.image, said.signature_picture))
        images.append((document.stamp, said.stamp_picture))
    for image, alt in images:
        if image is None:
            continue
        shown = picture(image) if wanted else None
        if shown is None:
            missing = True
        else:
            found.append(shown | {"alt": _said(order, alt)})
    return [*found, *([{"svg": None, "alt": _said(order, said.no_picture)}] if missing else [])]
