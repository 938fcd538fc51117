"""Reading a form: what its fields hold becomes a document, or names what cannot be read.

Rows left empty are not part of the document; ``places`` leads from its rows back to those of the
form.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from gateway.documents import CertificateOfOrigin
from gateway.errors import InputError
from gateway.web.console.drafting_fields import (
    NAME,
    Kind,
    Tree,
    Typed,
    general,
    optional_records,
    steps_of,
    within,
)
from gateway.web.console.drafting_lists import Lists
from gateway.web.console.drafting_sheet import ITEMS, fields, repeated
from gateway.web.console.drafting_values import LARGEST_PICTURE, read_value
from gateway.web.console.pages import Visit

OF_THE_PAGE: Final = frozenset({"seal", "step", "checked"})
"""Names in a form that are no data of the certificate."""
UNREAD: Final = "?"
"""Stands for a picture that is too large to be carried."""
_LONGEST_NAME: Final = 120
_WRONG: Final[Mapping[str, str]] = {
    "missing": "missing",
    "string_too_long": "long",
    "string_pattern_mismatch": "code",
    "less_than_equal": "number_long",
}
"""What is said of each kind of misfit that the document's model finds."""


@dataclass(kw_only=True)
class Read:
    """Is what a form says.

    Attributes:
        tree: the document as JSON holds it, as far as it could be read.
        document: None while something lacks or cannot be read.
        wrongs: what is wrong with fields, as keys among the texts ``draft_wrong``.
        places: rows of the form by those of the document.
    """

    tree: Tree = field(default_factory=dict)
    document: CertificateOfOrigin | None = None
    wrongs: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)


def typed_in(visit: Visit) -> Typed:
    """Return what stands in the fields of a form that was sent, rows numbered from nought.

    Raises:
        InputError: it has fields that no form of ours has, one twice, or too many rows.
    """
    found: dict[str, str] = {}
    for name, values in visit.many.items():
        if name in OF_THE_PAGE:
            continue
        if len(name) > _LONGEST_NAME or not NAME.fullmatch(name) or general(name) not in fields():
            raise InputError("the form has a field that is not ours")
        if len(values) != 1:
            raise InputError(f"the form has the field {name} twice")
        found[name] = values[0]
    for name, upload in visit.files.items():
        known = fields().get(name)
        if known is None or known.kind is not Kind.PICTURE:
            raise InputError("the form has a file that is not ours")
        if upload.content:
            fits = len(upload.content) <= LARGEST_PICTURE
            found[name] = base64.b64encode(upload.content).decode("ascii") if fits else UNREAD
    return compacted(found)


def compacted(typed: Typed) -> Typed:
    """Return the fields with rows numbered from nought, in their order.

    Raises:
        InputError: there are more rows than a form takes.
    """
    return {_path(steps): text for steps, text in _flat(_renumbered(nested(typed), ""), ())}


def read_form(typed: Typed, lists: Lists) -> Read:
    """Return the document that the fields say, or what keeps them from saying one."""
    read = Read()
    read.tree = {
        "consent_to_publication": False,  # a box without a tick is not sent
        **_Reader(lists, read).record(nested(typed), "", ""),
    }
    try:
        document = CertificateOfOrigin.model_validate_json(json.dumps(read.tree))
    except ValidationError as exc:
        for error in exc.errors(include_url=False, include_input=False):
            place = form_path(_path(error["loc"]), read.places)
            if not any(within(known, place) for known in read.wrongs):
                read.wrongs[place] = _WRONG.get(error["type"], "unfit")
        return read
    if not read.wrongs:
        read.document = document
    return read


def names_in(typed: Typed) -> tuple[str, ...]:
    """Return the names of the fields of a form, ticked or not, in their order."""
    unsent = (path for path in fields() if "[]" not in path and path not in typed)
    return (*typed, *unsent)


def form_path(path: str, places: Mapping[str, str]) -> str:
    """Return where a datum of the document stands in the form."""
    known = [row for row in places if within(path, row)]
    if not known:
        return path
    row = max(known, key=len)
    return places[row] + path[len(row) :]


def nested(typed: Typed) -> Tree:
    """Return the fields as records within records; rows are records by their ordinal."""
    tree: Tree = {}
    for name, text in typed.items():
        *steps, last = steps_of(name)
        at: Any = tree
        for step in steps:
            at = at.setdefault(step, {})
        at[last] = text
    return tree


class _Reader:
    """Builds a document from fields, and notes what is wrong and which rows were left out."""

    def __init__(self, lists: Lists, read: Read) -> None:
        self._lists = lists
        self._read = read

    def record(self, node: Tree, form: str, doc: str) -> Tree:
        """Return one record of the document."""
        made: Tree = {}
        for name, below in node.items():
            at, to = f"{form}.{name}".lstrip("."), f"{doc}.{name}".lstrip(".")
            if isinstance(below, str):
                value = self._value(at, below)
                if value is not None:
                    made[name] = value
            elif all(isinstance(step, int) for step in below):
                made[name] = self._rows(below, at, to)
            elif not (general(at) in optional_records() and is_blank(below, at)):
                made[name] = self.record(below, at, to)
        return made

    def _rows(self, rows: Tree, form: str, doc: str) -> list[Tree]:
        made: list[Tree] = []
        for ordinal, row in rows.items():
            at = f"{form}[{ordinal}]"
            if general(at) != ITEMS and is_blank(row, at):
                continue
            to = f"{doc}[{len(made)}]"
            self._read.places[to] = at
            made.append(self.record(row, at, to))
        return made

    def _value(self, name: str, text: str) -> Any:
        known = fields()[general(name)]
        if known.kind is Kind.TICK:
            return text == "yes"
        if not text.strip():
            return None
        try:
            return read_value(known, text, self._lists)
        except InputError as exc:
            self._read.wrongs[name] = exc.detail
            return None


def is_blank(node: Tree | str, path: str) -> bool:
    """Return whether nothing was written there but what stands beside something else."""
    if isinstance(node, str):
        return not node.strip() or fields()[general(path)].companion
    return all(is_blank(below, _path((path, step))) for step, below in node.items())


def _renumbered(node: Tree, path: str) -> Tree:
    made: Tree = {}
    for step, below in node.items():
        at = f"{path}.{step}".lstrip(".")
        if isinstance(below, str):
            made[step] = below
        elif all(isinstance(ordinal, int) for ordinal in below):
            rows = repeated()[f"{general(at)}[]"]
            if len(below) > rows.most:
                raise InputError(f"a form takes at most {rows.most} rows of {rows.word}")
            made[step] = {
                number: _renumbered(below[ordinal], f"{at}[{number}]")
                for number, ordinal in enumerate(sorted(below))
            }
        else:
            made[step] = _renumbered(below, at)
    return made


def _flat(node: Tree, steps: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], str]]:
    found = []
    for step, below in node.items():
        if isinstance(below, str):
            found.append(((*steps, step), below))
        else:
            found += _flat(below, (*steps, step))
    return found


def _path(steps: Sequence[str | int]) -> str:
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    return path
