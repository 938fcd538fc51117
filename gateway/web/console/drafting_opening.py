"""Opening a file in the form: what it says stands in the fields, right or wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from gateway.documents import CertificateOfOrigin
from gateway.errors import InputError, InvalidDocumentError
from gateway.exchange.intake import CANONICAL_JSON, Reading, read_certificates, recognised
from gateway.services.submission import only
from gateway.web.console.drafting_fields import Typed
from gateway.web.console.drafting_filling import filled_from, filled_from_document
from gateway.web.console.pages import Visit

_LARGEST: Final = 1_000_000
_MOST_NAMED: Final = 10
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, kw_only=True)
class Opened:
    """Is a form filled from a file.

    Attributes:
        strange: the first data of the file that no form has a field for.
        more: how many more there are.
        was_signed: the file was signed; what the form sends is signed anew.
    """

    typed: Typed
    strange: tuple[str, ...] = ()
    more: int = 0
    was_signed: bool = False


def opened(visit: Visit) -> Opened:
    """Return a form filled with the one certificate of a file that was chosen or pasted.

    Canonical JSON may be incomplete or wrong: that is what the form is for.

    Raises:
        InputError: there is none, or several; it is too large or has too many rows.
        InvalidDocumentError: it cannot be read, with every finding.
    """
    raw = _content(visit)
    form = visit.form.get("format", "") or _form_of(raw)
    if form == CANONICAL_JSON:
        filled = filled_from(_json(raw))
        strange = tuple(each[:_LONGEST_NAME] for each in filled.strange)
        return Opened(
            typed=filled.typed,
            strange=strange[:_MOST_NAMED],
            more=max(0, len(strange) - _MOST_NAMED),
        )
    counter = visit.counter
    reading = only(read_certificates(counter.desk, raw, form, counter.national))
    return Opened(
        typed=filled_from_document(_document(reading)).typed,
        was_signed=reading.signed is not None,
    )


def _document(reading: Reading) -> CertificateOfOrigin:
    if not isinstance(reading.document, CertificateOfOrigin):
        raise InvalidDocumentError("no certificate of origin", findings=reading.findings)
    return reading.document


def _form_of(raw: bytes) -> str:
    """Return the form of what was handed over; any JSON object is taken for ours."""
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return CANONICAL_JSON
    return recognised(raw)


def _content(visit: Visit) -> bytes:
    upload = visit.files.get("file")
    found = upload.content if upload is not None else b""
    found = found or visit.form.get("pasted", "").strip().encode("utf-8", "replace")
    if not found:
        raise InputError("choose a file or paste a document")
    if len(found) > _LARGEST:
        raise InputError("a file here has at most 1 MB; larger ones go by interface or folder")
    return found


def _json(raw: bytes) -> dict[str, Any]:
    try:
        tree = json.loads(raw.decode("utf-8-sig"), parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as exc:
        raise InputError("this is no JSON") from exc
    if not isinstance(tree, dict):
        raise InputError("this is no JSON object")
    return tree
