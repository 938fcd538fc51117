"""The XML paths of mapping tables: ``ram:ReferencedDocument[ram:TypeCode='929']/ram:ID``.

A path is a row of element names with prefixes, each with constant predicates where several
elements of one name must be told apart; a last step ``@name`` is an attribute, and ``.`` is
the enclosing element itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_NAME: Final = r"[A-Za-z][A-Za-z0-9]*"
_PREDICATE: Final = re.compile(rf"\[(?P<subject>@{_NAME}|{_NAME}:{_NAME})='(?P<value>[^'\]]+)'\]")
_STEP: Final = re.compile(
    rf"(?P<name>{_NAME}:{_NAME})(?P<predicates>(?:\[(?:@{_NAME}|{_NAME}:{_NAME})='[^'\]]+'\])*)"
)
_ATTRIBUTE: Final = re.compile(rf"@(?P<name>{_NAME})")


@dataclass(frozen=True)
class Predicate:
    """Says that an attribute or a child element has a constant value.

    Attributes:
        subject: attribute name, or Clark tag of the child.
        name: the child as written, with its prefix; the attribute's name.
    """

    subject: str
    name: str
    value: str
    is_attribute: bool


@dataclass(frozen=True)
class Step:
    """Is one element of a path."""

    tag: str
    name: str
    predicates: tuple[Predicate, ...] = ()

    def excludes(self, other: Step) -> bool:
        """Whether no element can be meant by both steps."""
        mine = {predicate.subject: predicate.value for predicate in self.predicates}
        return self.tag != other.tag or any(
            mine.get(predicate.subject, predicate.value) != predicate.value
            for predicate in other.predicates
        )


@dataclass(frozen=True)
class XmlPath:
    """Is a path in elements, and the attribute it ends in, if any."""

    steps: tuple[Step, ...]
    attribute: str | None = None


def parse_path(text: str, prefixes: Mapping[str, str]) -> XmlPath:
    """Return the path written in ``text``.

    Raises:
        ValueError: with the reason, when the text is no such path or uses a foreign prefix.
    """
    steps: list[Step] = []
    rest = text
    while rest and rest != ".":
        attribute = _ATTRIBUTE.fullmatch(rest)
        if attribute:
            return XmlPath(tuple(steps), attribute["name"])
        step = _STEP.match(rest)
        if not step or (step.end() < len(rest) and rest[step.end()] != "/"):
            raise ValueError(f"the XML path cannot be read at {rest!r}")
        steps.append(_step(step["name"], step["predicates"], prefixes))
        rest = rest[step.end() + 1 :]
        if not rest and text.endswith("/"):
            raise ValueError("the XML path ends in a slash")
    if not text:
        raise ValueError("the XML path is empty")
    return XmlPath(tuple(steps))


def _step(name: str, predicates: str, prefixes: Mapping[str, str]) -> Step:
    found = tuple(
        Predicate(
            subject=subject[1:] if subject.startswith("@") else _clark(subject, prefixes),
            name=subject.removeprefix("@"),
            value=value,
            is_attribute=subject.startswith("@"),
        )
        for subject, value in _PREDICATE.findall(predicates)
    )
    return Step(_clark(name, prefixes), name, found)


def _clark(name: str, prefixes: Mapping[str, str]) -> str:
    prefix, local = name.split(":")
    if prefix not in prefixes:
        raise ValueError(f"the prefix {prefix!r} of {name!r} is not known")
    return f"{{{prefixes[prefix]}}}{local}"
