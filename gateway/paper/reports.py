"""A report as a PDF file: tables and plots on A4, in the reader's language.

The layout (``report.typ``) reads the data as JSON and prints text as text, so nothing in a report
is ever read as a program.  The file is PDF/A-2a, tagged (PDF/UA-1).  The same sheet gives the
same bytes.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typst

from gateway.documents import Language
from gateway.errors import InternalError, TooLargeError
from gateway.paper.fonts import font_folders
from gateway.paper.shown import isolated, shown

if TYPE_CHECKING:
    from typst import PDFStandard

MOST_CELLS: Final = 20_000
"""Some hundred pages; more is read as a table of figures, not on paper."""

_NARROWEST: Final = 8
_WIDEST: Final = 44
"""Letters of a column; longer words are broken."""

_STANDARDS: Final[list[PDFStandard]] = ["a-2a", "ua-1"]


@dataclass(frozen=True, kw_only=True)
class PaperCell:
    """Is one cell; ``share`` is the length of a bar below it, 0 to 1."""

    said: str
    is_figure: bool = False
    is_head: bool = False
    share: float | None = None


@dataclass(frozen=True, kw_only=True)
class PaperColumn:
    """Is one column of a plot.

    Attributes:
        parts: tone and height of each part, from the ground up.
    """

    label: str
    parts: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class PaperSection:
    """Is one table with its plot.

    Attributes:
        alt: the plot in words, for those who cannot see it.
        key: tone and meaning of each part of a column.
    """

    title: str
    heads: tuple[PaperCell, ...]
    rows: tuple[tuple[PaperCell, ...], ...]
    columns: tuple[PaperColumn, ...] = ()
    alt: str = ""
    key: tuple[tuple[str, str], ...] = ()
    hint: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReportSheet:
    """Is a whole report, every text in one language.

    Attributes:
        facts: lines below the title: what it is about, as of when.
        made: by whom and when, at the foot of each page.
        page: the words of the page number, with ``{here}`` and ``{of}`` in them.
        nothing: stands for a table without rows.
    """

    language: Language
    title: str
    gateway: str
    organisation: str
    period: str
    facts: tuple[str, ...]
    made: str
    page: str
    nothing: str
    sections: tuple[PaperSection, ...]
    made_at: datetime


class _Press:
    """Holds the fonts of this process and lets one report go through it at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._layout = Path(__file__).with_name("report.typ").read_bytes()
        self._fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[str(folder) for folder in font_folders()],
        )
        self._owner = os.getpid()

    def set(self, written: str, at: int) -> bytes:
        if os.getpid() != self._owner:  # typst's threads are not in a forked child
            raise InternalError("this process was forked from one that had printed before")
        with self._lock:
            compiler = typst.Compiler(
                self._layout,
                root=Path(__file__).parent,
                font_paths=self._fonts,
                ignore_system_fonts=True,
                sys_inputs={"data": written},
            )
            made = compiler.compile(format="pdf", pdf_standards=_STANDARDS, timestamp=at)
        if not isinstance(made, bytes):
            raise InternalError("the report came out as no single file")
        return made


@cache
def _press() -> _Press:
    return _Press()


def print_report(sheet: ReportSheet) -> bytes:
    """Return the report as a PDF file.

    Raises:
        TooLargeError: it has more cells than anybody reads on paper.
        InternalError: the press failed.
    """
    cells = sum(len(row) for section in sheet.sections for row in section.rows)
    if cells > MOST_CELLS:
        raise TooLargeError(
            f"{cells} cells; a report is printed for {MOST_CELLS} at most. Take the CSV, or ask "
            "for fewer months or one country"
        )
    written = json.dumps(_data(sheet), ensure_ascii=False)
    try:
        return _press().set(written, int(sheet.made_at.timestamp()))
    except typst.TypstError as exc:
        raise InternalError(f"the report could not be set: {exc.message[:80]}") from exc


def _data(sheet: ReportSheet) -> dict[str, Any]:
    return {
        "language": sheet.language.value,
        "rtl": sheet.language is Language.ARABIC,
        "title": shown(sheet.title),
        "gateway": isolated(shown(sheet.gateway)),
        "organisation": isolated(shown(sheet.organisation)),
        "period": shown(sheet.period),
        "facts": [shown(each) for each in sheet.facts],
        "made": shown(sheet.made),
        "page": shown(sheet.page),
        "nothing": shown(sheet.nothing),
        "sections": [_section(each) for each in sheet.sections],
    }


def _section(section: PaperSection) -> dict[str, Any]:
    most = max((sum(height for _, height in each.parts) for each in section.columns), default=0)
    return {
        "title": shown(section.title),
        "heads": [
            {**_cell(each), "share": has_bar}
            for each, has_bar in zip(section.heads, _bars(section), strict=True)
        ],
        "widths": _widths(section),
        "rows": [[_cell(each) for each in row] for row in section.rows],
        "plot": [_column(each) for each in section.columns],
        "most": f"{most:g}",
        "alt": shown(section.alt),
        "key": [{"tone": tone, "said": shown(said)} for tone, said in section.key],
        "hint": None if section.hint is None else shown(section.hint),
    }


def _bars(section: PaperSection) -> list[bool]:
    """Return which columns have bars below their figures."""
    columns = zip(*section.rows, strict=True) if section.rows else [()] * len(section.heads)
    return [any(cell.share is not None for cell in column) for column in columns]


def _widths(section: PaperSection) -> list[int]:
    """Return the share of the width that each column wants for its words."""
    rows = (section.heads, *section.rows)
    longest = (max(len(cell.said) for cell in column) for column in zip(*rows, strict=True))
    return [min(_WIDEST, max(_NARROWEST, letters)) for letters in longest]


def _column(column: PaperColumn) -> dict[str, Any]:
    parts: Sequence[dict[str, Any]] = [
        {"tone": tone, "height": height} for tone, height in column.parts
    ]
    return {"label": shown(column.label), "parts": parts}


def _cell(cell: PaperCell) -> dict[str, Any]:
    said = shown(cell.said)
    return {
        "said": isolated(said) if said else "",
        "figure": cell.is_figure,
        "head": cell.is_head,
        "share": cell.share,
    }
