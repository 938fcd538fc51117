"""The entries of a mapping file: which keys each kind has, and their plain values.

An entry is one of four kinds::

    - {field: serial_number, xml: …, label: …}        a value row
    - {constant: "864", xml: …}                       a constant row
    - {record: exporter, xml: …, rows: […]}           a section: rows about one record
    - {each: items, xml: …, rows: […]}                a group: rows for every member of a tuple
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from gateway.documents.findings import LocalisedText
from gateway.errors import MappingError
from gateway.xml.mapping.marked_yaml import MarkedDict

_COMMON: Final = frozenset({"xml", "box", "article"})
_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "field": _COMMON | {"field", "label", "as", "codes", "derived", "attributes"},
    "constant": _COMMON | {"constant", "accepts", "attributes"},
    "record": _COMMON | {"record", "rows"},
    "each": _COMMON | {"each", "rows", "attributes"},
}


@dataclass(frozen=True)
class Place:
    """Says where in which mapping file something stands, for error messages."""

    file: Path
    line: int
    row: str

    def error(self, reason: str) -> MappingError:
        """Return the error that gives ``reason`` for the row at this place."""
        return MappingError(f"{self.file}:{self.line}: row {self.row}: {reason}")


class Entry:
    """Is one checked entry of a mapping file."""

    def __init__(self, raw: Any, file: Path, line: int) -> None:
        if not isinstance(raw, MarkedDict):
            raise MappingError(f"{file}:{line}: an entry must be a mapping")
        kinds = [kind for kind in _KEYS if kind in raw]
        shown = str(raw.get(kinds[0], raw.get("xml", "?")) if kinds else raw.get("xml", "?"))
        self.place = Place(file, raw.line, shown)
        if len(kinds) != 1:
            raise self.place.error("needs exactly one of field, constant, record, each")
        self.kind = kinds[0]
        self._raw = raw
        unknown = sorted(set(raw) - _KEYS[self.kind])
        if unknown:
            raise self.place.error(f"does not know the key {unknown[0]!r}")
        for key in ("xml", self.kind):
            self.text(key)

    def text(self, key: str) -> str:
        """Return the text under ``key``, which must be there."""
        value = self._raw.get(key)
        if not isinstance(value, str) or not value:
            raise self.place.error(f"needs a text under {key!r}")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return the text under ``key``, or None."""
        return self.text(key) if key in self._raw else None

    def flag(self, key: str) -> bool:
        """Return the truth value under ``key``; absent means no."""
        value = self._raw.get(key, "false")
        if value not in ("true", "false"):
            raise self.place.error(f"needs true or false under {key!r}")
        return bool(value == "true")

    def texts(self, key: str) -> dict[str, str]:
        """Return the mapping of texts under ``key``; absent means empty."""
        value = self._raw.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise self.place.error(f"needs a mapping of texts under {key!r}")
        return dict(value)

    def pattern(self, key: str) -> re.Pattern[str] | None:
        """Return the regular expression under ``key``, or None."""
        text = self.optional_text(key)
        try:
            return None if text is None else re.compile(text)
        except re.error as exc:
            raise self.place.error(f"{key!r} is no regular expression: {exc}") from exc

    def label(self, shared: Mapping[str, LocalisedText]) -> LocalisedText:
        """Return the label: a name out of the shared labels, or three texts written here."""
        value = self._raw.get("label")
        if isinstance(value, str):
            if value not in shared:
                raise self.place.error(f"no label is named {value!r}")
            return shared[value]
        return localised(value, self.place)

    def entries(self) -> list[Entry]:
        """Return the entries under ``rows``."""
        rows = self._raw.get("rows")
        if not isinstance(rows, list) or not rows:
            raise self.place.error("needs a list under 'rows'")
        return [Entry(raw, self.place.file, self.place.line) for raw in rows]


def localised(value: Any, place: Place) -> LocalisedText:
    """Return the texts in three languages that ``value`` spells out.

    Raises:
        MappingError: a language lacks, or there is one too many.
    """
    try:
        return LocalisedText.model_validate(value)
    except ValidationError as exc:
        raise place.error("needs a label in en, fr and ar") from exc
