"""What every carrier of national files offers, its limits, and reading bytes as text.

A carrier divides a file into one tree per document and back; it knows no document model.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from gateway.documents.findings import Finding
from gateway.xml.national.marks import Marked
from gateway.xml.national.rows import Section
from gateway.xml.national.texts import Problem, UnfitError
from gateway.xml.national.tree import Node


@dataclass(frozen=True)
class NationalLimits:
    """Bounds what one national file may hold.

    Attributes:
        max_bytes: length of the file.
        max_depth: levels of nesting (JSON).
        max_nodes: values and groups, or cells, in the file.
        max_documents: documents in the file.
    """

    max_bytes: int = 12_000_000
    max_depth: int = 32
    max_nodes: int = 400_000
    max_documents: int = 10_000


LIMITS = NationalLimits()


@dataclass(frozen=True)
class SourceRecord:
    """Is one document as the carrier found it: its tree, and what is wrong with its form.

    Attributes:
        node: the tree; None where the file or this part of it cannot be divided.
    """

    node: Node | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class SourceFile:
    """Is a national file divided into documents.

    Attributes:
        findings: about what surrounds the documents; an error there refuses them all.
    """

    records: tuple[SourceRecord, ...]
    findings: tuple[Finding, ...] = ()


class Carrier(Protocol):
    """Reads and writes the files of one kind."""

    kind: ClassVar[str]

    def check(self, mark: Marked, section: Section) -> None:
        """Refuse a section of the mapping file that this carrier cannot carry.

        Raises:
            FaultyMapping: naming the line.
        """

    def read(self, raw: bytes, section: Section) -> SourceFile:
        """Return one record per document of the file.

        Raises:
            UnfitError: the file as a whole cannot be read.
        """

    def write(self, nodes: Sequence[Node], section: Section) -> bytes:
        """Return the file that holds these documents."""


def refuse_keys(mark: Marked, keys: Iterable[str], kind: str) -> None:
    """Refuse keys of a section that another carrier knows.

    Raises:
        FaultyMapping: one is used.
    """
    for key in keys:
        if key in mark.mapping():
            raise mark.mapping()[key].error(f'"{key}" is unknown to {kind} files', "Remove it")


_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def require_size(raw: bytes, limits: NationalLimits = LIMITS) -> None:
    """Refuse a file that is too long.

    Raises:
        UnfitError: it is.
    """
    if len(raw) > limits.max_bytes:
        raise UnfitError(Problem.TOO_MANY, limit=limits.max_bytes, what="bytes")


def decoded(raw: bytes, encodings: Sequence[str]) -> str:
    """Return the text of ``raw``: what its byte order mark says, else the first that fits.

    Raises:
        UnfitError: no encoding fits.
    """
    require_size(raw)
    marked = next((name for bom, name in _BOMS if raw.startswith(bom)), None)
    for name in (marked,) if marked else encodings:
        try:
            return raw.decode(name).removeprefix("\ufeff")
        except UnicodeError:
            continue
    raise UnfitError(Problem.UNREADABLE, reason=" / ".join(encodings))


def encodings_of(marked: Marked | None) -> tuple[str, ...]:
    """Return the encodings that a carrier tries in turn; the first one is written.

    Raises:
        FaultyMapping: one is not known to Python, or writes no plain text.
    """
    if marked is None:
        return ("utf-8",)
    for name in marked.texts():
        try:
            "A".encode(name)
        except (LookupError, ValueError) as exc:
            raise marked.error(
                f'"{name}" is no known encoding', "Use utf-8, windows-1256, iso-8859-1 …"
            ) from exc
    return marked.texts()
