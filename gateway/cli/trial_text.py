"""A sample tried with a mapping, side by side: as it stands, as document, as message, findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.cli.columns import Columns, isolated, window
from gateway.cli.mapping_text import finding_view_lines
from gateway.services.mappings import FieldView, TrialView, TriedView
from gateway.services.mappings.views import PlaceView
from gateway.services.wording import FindingView
from gateway.xml.national.trace import Origin

_ORIGINS = {
    Origin.CONSTANT: "– constant",
    Origin.DEFAULT: "– default",
    Origin.POSITION: "– its position",
    Origin.MODEL: "– assumed",
}


def trial_lines(found: TrialView) -> Iterator[str]:
    """Yield each document of a sample, field by field, then what else is said about it."""
    for index, document in enumerate(found.documents):
        if index:
            yield ""
        receiver = f", for {document.receiver}" if document.receiver else ""
        reference = isolated(document.reference) or "(no reference)"
        yield f"{reference}: {document.verdict}{receiver}"
        yield from _fields(document)
        yield from _rest(document)
    if found.cut:
        yield ""
        yield f"… the sample holds more documents; the first {len(found.documents)} are shown"


def _fields(document: TriedView) -> Iterator[str]:
    """Yield the side-by-side, each finding below the field that it is about."""
    said: dict[str, list[FindingView]] = {each.field: [] for each in document.fields}
    for finding in document.findings:
        if finding.path in said:
            said[finding.path].append(finding)
    rows = [_cells(each, failed=bool(said[each.field])) for each in document.fields]
    if not rows:
        return
    columns = Columns(("field", "sample", "document", "message"), rows, window())
    yield from columns.heading()
    for field, row in zip(document.fields, rows, strict=True):
        yield from columns.row(row)
        yield from finding_view_lines(said[field.field])


def _cells(field: FieldView, *, failed: bool) -> Sequence[str]:
    box = "" if field.box is None else f"box\u00a0{field.box}"
    about = ", ".join(filter(None, (field.label, box)))
    missing = "✗" if failed else "–"
    message = "" if field.xml is None else f"{field.xml}\n  {_element(field.xml_path or '')}"
    return (
        f"{field.field}\n  {about}" if about else field.field,
        "\n".join(_sources(field)),
        missing if field.document is None else field.document,
        message,
    )


def _sources(field: FieldView) -> Iterator[str]:
    for place in field.source:
        yield place.text if place.text.strip() else "(blank)"
        yield f"  {_place(place)}"
    if not field.source:
        yield _ORIGINS.get(field.origin, "–")
        if field.row_line:
            yield f"  mapping line {field.row_line}"


def _element(path: str) -> str:
    """Return the name of an element, or of an attribute with its element."""
    steps = path.split("/")
    return "/".join(steps[-2:] if steps[-1].startswith("@") else steps[-1:])


def _rest(document: TriedView) -> Iterator[str]:
    shown = {each.field for each in document.fields}
    if document.cut:
        yield "  … further fields are not shown"
    yield from finding_view_lines([each for each in document.findings if each.path not in shown])


def _place(place: PlaceView) -> str:
    line = "" if place.line is None else f"line {place.line}"
    return ", ".join(filter(None, (line, place.place))) or "the file"
