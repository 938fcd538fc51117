"""Where a field stands in a document model: its type, whether it may lack, how to fetch it.

Paths are those of ``gateway.documents.fields``.  A path is always seen from an *anchor*: the
document itself, or the repeated record (``items[]``) inside which a row stands.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from operator import attrgetter
from typing import Annotated, Any, Union, get_args, get_origin

from gateway.documents.base import Record
from gateway.documents.fields import groups, leaves, member_type

Getter = Callable[[Any], Any]


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
        record: Any = self.groups[anchor] if anchor else self.model
        for name in steps:
            field = record.model_fields[name]
            if _admits_none(field.annotation):
                return True
            record, _ = member_type(field.annotation)
        return False

    def is_record(self, anchor: str) -> bool:
        """Whether what stands at ``anchor`` has fields (and is not itself a value)."""
        return not anchor or issubclass(self.groups[anchor], Record)

    def required_tuples(self, anchor: str) -> tuple[str, ...]:
        """Return the tuples that a record at ``anchor`` must have, be they empty."""
        if not self.is_record(anchor):
            return ()
        record: Any = self.groups[anchor] if anchor else self.model
        return tuple(
            name
            for name, field in record.model_fields.items()
            if field.is_required() and member_type(field.annotation)[1]
        )

    def getter(self, anchor: str, steps: tuple[str, ...]) -> Getter:
        """Return the function that fetches the value at ``steps`` from a record at ``anchor``."""
        if not steps:
            return _itself
        if not self.may_lack(anchor, steps[:-1]):
            return attrgetter(".".join(steps))
        return _careful_getter(steps)


def _itself(record: Any) -> Any:
    return record


def _careful_getter(steps: tuple[str, ...]) -> Getter:
    head, *rest = steps
    if len(rest) == 1:
        return _two_step_getter(head, rest[0])

    def fetch(record: Any) -> Any:
        for name in steps:
            if record is None:
                return None
            record = getattr(record, name)
        return record

    return fetch


def _two_step_getter(head: str, last: str) -> Getter:
    def fetch(record: Any) -> Any:
        inner = getattr(record, head)
        return None if inner is None else getattr(inner, last)

    return fetch


def _admits_none(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _admits_none(get_args(annotation)[0])
    is_union = get_origin(annotation) in (Union, types.UnionType)
    return is_union and type(None) in get_args(annotation)
