"""Where a field stands in a document model: its type, whether it may lack, how to fetch it.

Paths are those of ``gateway.documents.fields``.  A path is always seen from an *anchor*: the
document itself, or the repeated record (``items[]``) inside which a row stands.
"""

from __future__ import annotations

from typing import Any

from gateway.documents import fields
from gateway.documents.base import Record
from gateway.documents.fields import Getter, groups, leaves, member_type


class Anatomy:
    """Answers questions about the fields of one document model."""

    def __init__(self, model: type[Record]) -> None:
        self.model = model
        self.leaves = leaves(model)
        self.groups = groups(model)

    def steps(self, anchor: str, path: str) -> tuple[str, ...] | None:
        """Return the attribute names that lead from ``anchor`` to ``path``.

        None when the path does not lie below the anchor, or crosses another repetition; the
        empty tuple when it is the anchor itself.
        """
        if path == anchor:
            return ()
        if anchor and not path.startswith(f"{anchor}."):
            return None
        relative = path[len(anchor) :].lstrip(".").removesuffix("[]")
        return None if "[]" in relative else tuple(relative.split("."))

    def may_lack(self, anchor: str, steps: tuple[str, ...]) -> bool:
        """Whether a complete record at ``anchor`` may have no value at ``steps``."""
        return fields.may_lack(self._record(anchor), steps)

    def is_record(self, anchor: str) -> bool:
        """Whether what stands at ``anchor`` has fields (and is not itself a value)."""
        return not anchor or issubclass(self.groups[anchor], Record)

    def required_tuples(self, anchor: str) -> tuple[str, ...]:
        """Return the tuples that a record at ``anchor`` must have, be they empty."""
        if not self.is_record(anchor):
            return ()
        return tuple(
            name
            for name, field in self._record(anchor).model_fields.items()
            if field.is_required() and member_type(field.annotation)[1]
        )

    def getter(self, anchor: str, steps: tuple[str, ...]) -> Getter:
        """Return the function that fetches the value at ``steps`` from a record at ``anchor``."""
        return fields.getter(self._record(anchor), steps) if steps else _itself

    def _record(self, anchor: str) -> type[Any]:
        return self.groups[anchor] if anchor else self.model


def _itself(record: Any) -> Any:
    return record
