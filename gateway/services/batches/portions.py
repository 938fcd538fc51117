"""Dividing what a batch holds into documents, from wherever the last commit left off."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Final

from gateway.documents import from_json
from gateway.errors import InputError, TooLargeError
from gateway.exchange.intake import (
    CANONICAL_JSON,
    MESSAGE_XML,
    Reading,
    national_format,
    read_certificates,
)
from gateway.exchange.responding import CustomsAction
from gateway.services.batch_limits import BatchLimits
from gateway.services.batches.archive import content_of, members_of, open_archive
from gateway.services.batches.stored_file import StoredFile, bytes_from
from gateway.services.counter import Counter
from gateway.services.submission import only
from gateway.store import Batch, BatchForm, BatchKind
from gateway.xml.namespaces import ECO_BASE
from gateway.xml.national import (
    CsvGroups,
    LineGroup,
    NationalFormat,
    SourceLine,
    lines_of,
    read_group,
)

_JSON: Final = "application/json"
_XML: Final = "application/xml"
_CSV: Final = "text/csv"
_BOM: Final = b"\xef\xbb\xbf"
_MEDIA: Final = {".json": _JSON, ".xml": _XML, ".csv": _CSV, ".txt": _CSV}


@dataclass(frozen=True, kw_only=True)
class Portion:
    """Is one document of a batch, not read yet.

    Attributes:
        number: line where it begins, or place of the file in the order of names.
        name: of the file in an archive.
        read: reads it; what could not be read has findings in place of a document.
        position, units_done: where the batch stands behind it.
    """

    number: int
    name: str | None
    read: Callable[[], Reading | CustomsAction]
    position: Mapping[str, Any]
    units_done: int


def portions_of(counter: Counter, batch: Batch) -> Iterator[Portion]:
    """Yield the documents of a batch that are still to be worked on.

    Raises:
        GatewayError: the batch as a whole cannot be read any more.
    """
    if batch.form is BatchForm.ZIP:
        return _files(counter, batch)
    if batch.form is BatchForm.CSV:
        return _groups(counter, batch)
    return _lines(counter, batch)


def _source_lines(counter: Counter, batch: Batch, limits: BatchLimits) -> Iterator[SourceLine]:
    start = int(batch.position.get("offset", 0))
    number = int(batch.position.get("number", 1))
    pieces = bytes_from(counter.desk.store, batch.id, start)
    for line in lines_of(pieces, start=start, number=number, most=limits.max_line_bytes):
        if line.start == 0 and line.content is not None and line.content.startswith(_BOM):
            content = line.content.removeprefix(_BOM)
            yield SourceLine(line.number, line.start, line.end, content)
        else:
            yield line


def _lines(counter: Counter, batch: Batch) -> Iterator[Portion]:
    limits = counter.batches
    for line in _source_lines(counter, batch, limits):
        if line.is_blank:
            continue
        yield Portion(
            number=line.number,
            name=None,
            read=partial(_read_line, counter, batch, line),
            position={"offset": line.end, "number": line.number + 1},
            units_done=line.end,
        )


def _read_line(counter: Counter, batch: Batch, line: SourceLine) -> Reading | CustomsAction:
    if line.content is None:
        raise TooLargeError(f"the line is longer than {counter.batches.max_line_bytes} bytes")
    return _read(counter, batch.kind, line.content, batch.format or CANONICAL_JSON)


def _read(counter: Counter, kind: BatchKind, raw: bytes, form: str) -> Reading | CustomsAction:
    if kind is BatchKind.RESPONSES:
        return from_json(CustomsAction, raw)
    return only(read_certificates(counter.desk, raw, form, counter.national))


def _groups(counter: Counter, batch: Batch) -> Iterator[Portion]:
    limits = counter.batches
    found = national_format(batch.format or "", counter.national)
    names = [
        (int(number), base64.b64decode(text)) for number, text in batch.position.get("names", ())
    ]
    gathered = CsvGroups(found, most_bytes=limits.max_line_bytes, names=names)
    for group in gathered.groups(_source_lines(counter, batch, limits)):
        yield Portion(
            number=group.number,
            name=None,
            read=partial(_read_group, found, group, limits),
            position={
                "offset": group.end,
                "number": group.next_number,
                "names": [
                    [number, base64.b64encode(text).decode("ascii")]
                    for number, text in group.next_names
                ],
            },
            units_done=group.end,
        )


def _read_group(found: NationalFormat, group: LineGroup, limits: BatchLimits) -> Reading:
    if group.lines is None:
        raise TooLargeError(f"the rows of the document exceed {limits.max_line_bytes} bytes")
    return only(
        tuple(
            Reading(
                reference=each.reference,
                document=each.document,
                findings=each.findings,
                mapping=found.mark,
            )
            for each in read_group(found, group)
        )
    )


def _files(counter: Counter, batch: Batch) -> Iterator[Portion]:
    limits = counter.batches
    archive = open_archive(StoredFile(counter.desk.store, batch.id, batch.size), limits)
    members = members_of(archive, limits, size=batch.size)
    for number, member in enumerate(members, start=1):
        if number <= batch.units_done:
            continue

        def read(member: Any = member) -> Reading | CustomsAction:
            raw = content_of(archive, member, limits.max_line_bytes)
            form = _form_of(counter, batch, member.filename, raw)
            return _read(counter, batch.kind, raw, form)

        yield Portion(
            number=number,
            name=member.filename,
            read=read,
            position={},
            units_done=number,
        )


def _form_of(counter: Counter, batch: Batch, name: str, raw: bytes) -> str:
    """Return the form of one file: by its ending, and by the format that the batch names.

    Raises:
        InputError: files with this ending are not taken, or not without a format.
    """
    media = _MEDIA.get(PurePosixPath(name).suffix.lower())
    if media is None or (batch.kind is BatchKind.RESPONSES and media != _JSON):
        raise InputError("files with this ending are not taken here")
    if media == _XML and ECO_BASE.encode() in raw:
        return MESSAGE_XML
    if batch.format is not None:
        found = national_format(batch.format, counter.national)
        if found.media_type == media:
            return found.name
    if media == _CSV:
        raise InputError("a file in CSV needs a national CSV format named for the batch")
    return CANONICAL_JSON if media == _JSON else MESSAGE_XML
