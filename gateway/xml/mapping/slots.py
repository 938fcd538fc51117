"""Where read values go: the state of one reading, and the place of one value in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.documents.findings import Finding
from gateway.xml.mapping import complaints
from gateway.xml.mapping.complaints import Complaint
from gateway.xml.mapping.plan import Binding
from gateway.xml.mapping.values import TEXT
from gateway.xml.namespaces import UDT_NS

MAX_FINDINGS: Final = 200
VERBATIM_TYPES: Final = frozenset({f"{{{UDT_NS}}}TextType"})
"""Data types whose white space says something."""

_SPACE: Final = re.compile("[ \t\r\n]+")


def collapsed(text: str) -> str:
    """Return ``text`` as XML Schema reads a token: no space around, one space between."""
    if "  " in text or "\n" in text or "\t" in text or "\r" in text:
        return _SPACE.sub(" ", text).strip(" ")
    return text.strip(" ")


@dataclass
class Reading:
    """Is what one pass over a message has found.

    Attributes:
        repeated: records and keys whose value is a list that must become a tuple.
        claims: derived codes with the record they speak of, to be compared afterwards.
        unreadable: document paths whose text had the wrong form.
    """

    values: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    repeated: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    claims: list[tuple[Slot, dict[str, Any], str, str]] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)

    def complain(self, complaint: Complaint, prefix: str, *quoted: str) -> None:
        """Add the finding that makes ``complaint`` about the record at ``prefix``."""
        self.complain_about(complaint, prefix.rstrip("."), None, *quoted)

    def complain_about(
        self, complaint: Complaint, path: str, slot: Slot | None, *quoted: str
    ) -> None:
        """Add the finding about the datum at ``path``, with box and article of its row."""
        if len(self.findings) < MAX_FINDINGS:
            box, article = (slot.row.box, slot.row.article) if slot else (None, None)
            self.findings.append(complaint.about(path, *quoted, box=box, article=article))

    def settle(self) -> None:
        """Turn lists into tuples and compare derived codes with their fields."""
        for record, key in self.repeated:
            record[key] = tuple(record[key])
        for slot, record, path, code in self.claims:
            slot.compare(self, record, path, code)


class Slot:
    """Is the place of one value: puts what an element or attribute says where it belongs."""

    def __init__(self, binding: Binding, *, verbatim: bool) -> None:
        self.row = binding.row
        self._kind = binding.codec.kind
        self._decode: Callable[[str], Any] = binding.codec.decode
        self._is_text = binding.codec is TEXT
        self._derived = binding.derived
        self._verbatim = verbatim
        self._parents = binding.steps[:-1]
        self._key = binding.steps[-1] if binding.steps else ""
        self._shown = ".".join(binding.steps)

    def put(self, reading: Reading, record: dict[str, Any], prefix: str, text: str) -> None:
        """Store the value written as ``text``, or a finding."""
        value: Any = text
        if not self._is_text:
            try:
                value = self._decode(text)
            except ValueError:
                try:
                    value = self._decode(collapsed(text))
                except ValueError:
                    self._refuse(reading, prefix, text)
                    return
        elif not self._verbatim:
            value = collapsed(text)
        if self._derived is not None:
            reading.claims.append((self, record, prefix + self._shown, value))
            return
        for parent in self._parents:
            record = record.setdefault(parent, {})
        if self._key in record:
            reading.complain_about(
                complaints.REPEATED_ELEMENT, prefix + self._shown, self, self.row.xml
            )
            return
        record[self._key] = value

    def _refuse(self, reading: Reading, prefix: str, text: str) -> None:
        kind = self._kind
        path = prefix + self._shown if self._shown else prefix.removesuffix(".")
        reading.unreadable.add(path)
        quoted = (self.row.xml, text, kind.en, kind.fr, kind.ar)
        reading.complain_about(complaints.WRONG_TEXT, path, self, *quoted)

    def compare(self, reading: Reading, record: dict[str, Any], path: str, code: str) -> None:
        """Complain when a derived code contradicts the field that it derives from."""
        value: Any = record
        for name in (*self._parents, self._key):
            value = value.get(name) if isinstance(value, dict) else None
        if value is None or self._derived is None or self._derived.get(value) == code:
            return
        reading.complain_about(complaints.CONTRADICTION, path, self, self.row.xml, code)
