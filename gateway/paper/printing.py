"""The press: from a print order to the bytes of a PDF file.

The form (``form.typ``) reads the data as JSON and prints text as text, so nothing in a
certificate is ever read as a program.  The file is PDF/A-3a, tagged (PDF/UA-1), with the signed
XML inside as it was received.  The same order gives the same bytes.

Typst hangs in a process that was forked from one that had printed: threads and locks of the
parent are not there.  So a forked child refuses, and whoever serves prints after the fork only.
"""

from __future__ import annotations

import json
import os
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typst

from gateway.errors import InternalError, TooLargeError
from gateway.paper.fonts import font_folders
from gateway.paper.order import PrintOrder
from gateway.paper.sheet import sheet

if TYPE_CHECKING:
    from typst import PDFStandard

MOST_ITEMS: Final = 500
"""As many as any agreement allows; with short descriptions half a second and 160 MB."""

MOST_LETTERS: Final = 600_000
"""Of the form as data, pictures apart: at most two seconds and 600 MB, whatever it says."""

MOST_BYTES: Final = 4_000_000
"""Of signed XML; a larger one would make a file that no mail system takes."""

_STANDARDS: Final[list[PDFStandard]] = ["a-3a", "ua-1"]
_HAND_OVER: Final = "The signed XML is the certificate: hand that over"
_NAME: Final = "certificate-of-origin.xml"


class _Press:
    """Holds the compiler of this process and lets one print go through it at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._form = Path(__file__).with_name("form.typ").read_bytes()
        self._fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[str(folder) for folder in font_folders()],
        )
        self._owner = os.getpid()

    def set(self, data: dict[str, Any], xml: bytes, at: int) -> bytes:
        """Return the PDF of a sheet.

        Raises:
            InternalError: the process was forked after its parent had printed.
            TooLargeError: there is more to say than a form is printed for.
        """
        if os.getpid() != self._owner:
            raise InternalError("this process was forked from one that had printed before")
        written = json.dumps(data, ensure_ascii=False)
        _require_readable(data, written)
        inputs = {"data": written, "name": _NAME} | _attached(xml)
        with self._lock:
            compiler = typst.Compiler(
                self._form,
                root=Path(__file__).parent,
                font_paths=self._fonts,
                ignore_system_fonts=True,
                sys_inputs=inputs,
            )
            made = compiler.compile(format="pdf", pdf_standards=_STANDARDS, timestamp=at)
        if not isinstance(made, bytes):
            raise InternalError("the form came out as no single file")
        return made


@cache
def _press() -> _Press:
    return _Press()


def print_certificate(order: PrintOrder) -> bytes:
    """Return the certificate as a PDF file.

    Raises:
        TooLargeError: more items or bytes than a form is printed for.
        InternalError: the press failed; the detail says nothing of the document.
    """
    _require_bearable(order)
    at = int(order.printed_at.timestamp())
    try:
        return _press().set(sheet(order), order.xml, at)
    except typst.TypstError as exc:
        if "image" not in exc.message:
            raise InternalError(f"the form could not be set: {exc.message[:80]}") from exc
    try:
        return _press().set(sheet(order, pictures=False), order.xml, at)
    except typst.TypstError as exc:
        raise InternalError(f"the form could not be set: {exc.message[:80]}") from exc


def _require_bearable(order: PrintOrder) -> None:
    items = len(order.document.items)
    if items > MOST_ITEMS:
        raise TooLargeError(
            f"{items} goods items; a form is printed for {MOST_ITEMS} at most. {_HAND_OVER}"
        )
    if len(order.xml) > MOST_BYTES:
        raise TooLargeError(
            f"a signed document of {len(order.xml)} bytes; a form encloses {MOST_BYTES} at most. "
            f"{_HAND_OVER}"
        )


def _require_readable(data: dict[str, Any], written: str) -> None:
    drawn = [each["svg"] or "" for box in data["below"] for each in box["pictures"]]
    letters = len(written) - sum(map(len, drawn))
    if letters > MOST_LETTERS:
        raise TooLargeError(
            f"the form would have {letters} letters; it is printed for {MOST_LETTERS} at most. "
            f"{_HAND_OVER}"
        )


def _attached(xml: bytes) -> dict[str, str]:
    """Return the document as the form's program takes bytes: as text if that keeps each."""
    try:
        return {"xml": xml.decode("utf-8"), "bytes": ""}
    except UnicodeDecodeError:
        return {"xml": "", "bytes": json.dumps(list(xml))}
