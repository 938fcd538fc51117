"""Findings about a form that is not complete yet.

The rules judge whole documents only.  So what lacks is stood in for, twice and differently; a
finding that comes both times in the same words, about a field that was filled in, does not
depend on what lacks.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError

from gateway.documents import CertificateOfOrigin, Finding
from gateway.errors import GatewayError
from gateway.exchange.intake import Reading
from gateway.services.submission import foresee_submission
from gateway.web.console.drafting_fields import Kind, general, steps_of, within
from gateway.web.console.drafting_lists import Lists
from gateway.web.console.drafting_reading import Read
from gateway.web.console.drafting_sheet import fields
from gateway.web.console.pages import Visit

_PLAIN: Final[dict[Kind, tuple[Any, Any]]] = {
    Kind.LINE: ("ONE", "TWO"),
    Kind.TEXT: ("ONE", "TWO"),
    Kind.COUNT: (1, 2),
    Kind.AMOUNT: ("1", "2"),
    Kind.DAY: ("2001-01-01", "2101-12-31"),
    Kind.MOMENT: ("2001-01-01T00:00:00Z", "2101-12-31T00:00:00Z"),
}


def early_findings(visit: Visit, read: Read, lists: Lists) -> tuple[Finding, ...]:
    """Return the findings that do not depend on what is wrong or lacking."""
    lacking = [_in_document(name, read) for name in read.wrongs]
    kept: dict[tuple[str, str, str], Finding] | None = None
    for turn in (0, 1):
        document = _stood_in(read, lacking, lists, turn)
        if document is None:
            return ()
        try:
            found = {
                (each.rule, each.path, each.message.en): each
                for each in _judged(visit, document)
                if not any(_touches(each.path, path) for path in lacking)
            }
        except GatewayError as exc:
            if exc.http_status >= 500:
                raise
            return ()
        kept = found if kept is None else {key: kept[key] for key in kept if key in found}
    return tuple((kept or {}).values())


def _judged(visit: Visit, document: CertificateOfOrigin) -> Iterator[Finding]:
    reading = Reading(reference=document.serial_number, document=document)
    yield from foresee_submission(visit.counter, visit.caller, reading).submission.findings


def _touches(path: str, lacking: str) -> bool:
    """Return whether a finding is about what lacks, or about a record that holds it."""
    return not path or within(path, lacking) or within(lacking, path)


def _stood_in(
    read: Read, lacking: list[str], lists: Lists, turn: int
) -> CertificateOfOrigin | None:
    tree = copy.deepcopy(read.tree)
    for path in lacking:
        *steps, last = steps_of(path)
        at: Any = tree
        for step in steps:
            at = at.setdefault(step, {}) if isinstance(at, dict) else at[int(step)]
        at[last] = _value(path, lists, turn)
    try:
        return CertificateOfOrigin.model_validate_json(json.dumps(tree))
    except ValidationError:
        return None


def _value(path: str, lists: Lists, turn: int) -> Any:
    field = fields().get(general(path))
    if field is None:
        return None
    if field.choices is not None:
        codes = list(lists.options(field.choices))
        return codes[-turn]
    return _PLAIN.get(field.kind, (None, None))[turn]


def _in_document(name: str, read: Read) -> str:
    """Return where a field of the form stands in the document, which has no empty rows."""
    rows = {form: doc for doc, form in read.places.items()}
    known = [form for form in rows if within(name, form)]
    if not known:
        return name
    form = max(known, key=len)
    return rows[form] + name[len(form) :]
