"""The leaves of a document model by path, so that tables can be checked against the model.

Paths read like ``items[].packages.kind``: a dot enters a record, ``[]`` a tuple.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, Union, get_args, get_origin

from gateway.documents.base import Record

Getter = Callable[[Any], Any]

_ORDINAL = re.compile(r"\[[0-9]+\]", re.ASCII)


@dataclass(frozen=True)
class Leaf:
    """Is one value of a document model.

    Attributes:
        path: where it stands, as ``items[].hs_code`` or ``items[].translations[].language``.
        type: ``str``, ``int``, ``bool``, ``Decimal``, ``date``, ``datetime``, ``bytes`` or a
            ``StrEnum``.
        required: every complete parent record must have it.
    """

    path: str
    type: type[Any]
    required: bool


@cache
def leaves(model: type[Record]) -> dict[str, Leaf]:
    """Return every leaf of ``model`` by path, in the order of declaration."""
    return {leaf.path: leaf for leaf in _walk(model, "")}


@cache
def groups(model: type[Record]) -> dict[str, type[Any]]:
    """Return every record and tuple of ``model`` by path: its member type.

    A tuple's path ends in ``[]``; the value is the record or leaf type it repeats.
    """
    found: dict[str, type[Any]] = {}
    _collect_groups(model, "", found)
    return found


def may_lack(model: type[Record], steps: tuple[str, ...]) -> bool:
    """Whether a complete record of ``model`` may have no value at ``steps``."""
    record: Any = model
    for name in steps:
        field = record.model_fields[name]
        if _admits_none(field.annotation):
            return True
        record, _ = member_type(field.annotation)
    return False


def getter(model: type[Record], steps: tuple[str, ...]) -> Getter:
    """Return the function that fetches the value at ``steps`` from a record of ``model``.

    The value is None where the record that would hold it lacks.
    """
    if not may_lack(model, steps[:-1]):
        return attrgetter(".".join(steps))
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


def _walk(model: type[Record], prefix: str) -> Iterator[Leaf]:
    for name, field in model.model_fields.items():
        path = f"{prefix}.{name}" if prefix else name
        inner, repeated = member_type(field.annotation)
        path += "[]" if repeated else ""
        if isinstance(inner, type) and issubclass(inner, Record):
            yield from _walk(inner, path)
        else:
            yield Leaf(path, inner, field.is_required())


def _collect_groups(model: type[Record], prefix: str, found: dict[str, type[Any]]) -> None:
    for name, field in model.model_fields.items():
        path = f"{prefix}.{name}" if prefix else name
        inner, repeated = member_type(field.annotation)
        path += "[]" if repeated else ""
        is_record = isinstance(inner, type) and issubclass(inner, Record)
        if is_record or repeated:
            found[path] = inner
        if is_record:
            _collect_groups(inner, path, found)


def member_type(annotation: Any) -> tuple[type[Any], bool]:
    """Return the plain type behind ``annotation`` and whether a tuple repeats it.

    Raises:
        TypeError: the annotation is of no kind that documents use.
    """
    origin = get_origin(annotation)
    if origin is Annotated:
        return member_type(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        inner = [arg for arg in get_args(annotation) if arg is not type(None)]
        if len(inner) == 1:
            return member_type(inner[0])
    if origin is tuple:
        member, _ = member_type(get_args(annotation)[0])
        return member, True
    if isinstance(annotation, type) and issubclass(
        annotation, Record | StrEnum | str | bool | int | Decimal | datetime | date | bytes
    ):
        return annotation, False
    raise TypeError(f"no document field may be annotated {annotation!r}")


def values_of(record: Record) -> Iterator[tuple[str, Any]]:
    """Yield every value that ``record`` has, with its path, as ``items[0].hs_code``."""
    for name in type(record).model_fields:
        yield from _values(name, getattr(record, name))


def general_path(path: str) -> str:
    """Return the path of a value without its ordinals, as leaves are named."""
    return _ORDINAL.sub("[]", path)


def _values(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Record):
        for name in type(value).model_fields:
            yield from _values(f"{path}.{name}", getattr(value, name))
    elif isinstance(value, tuple):
        for index, member in enumerate(value):
            yield from _values(f"{path}[{index}]", member)
    elif value is not None:
        yield path, value


def in_order(model: type[Record], paths: Iterable[str]) -> list[str]:
    """Return paths of values in the order in which ``model`` declares its fields."""
    return sorted(paths, key=lambda path: _place(model, path))


def _place(model: type[Record], path: str) -> tuple[int, ...]:
    """Return where a value stands: at each step the first leaf below it, then its ordinal."""
    found: list[int] = []
    upto = ""
    for step in path.split("."):
        upto = f"{upto}.{step}" if upto else step
        ordinal = _ORDINAL.search(step)
        found += (_first_leaf(model, general_path(upto)), int(ordinal[0][1:-1]) if ordinal else 0)
    return tuple(found)


@cache
def _first_leaf(model: type[Record], path: str) -> int:
    """Return the place of the first leaf at or below ``path``; those unknown come last."""
    known = tuple(leaves(model))
    return next(
        (place for place, leaf in enumerate(known) if f"{leaf}.".startswith(f"{path}.")),
        len(known),
    )
