"""The plan of one message: its elements as a tree in schema order, with what fills each.

Rendering and reading are both compiled from it.  The plan is built by
``gateway.xml.mapping.planning`` and checked by ``gateway.xml.mapping.checks``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.xml.mapping.blueprint import Declaration
from gateway.xml.mapping.rows import Row
from gateway.xml.mapping.steps import Step
from gateway.xml.mapping.values import DATE_102, INDICATOR, MOMENT_205, Codec
from gateway.xml.namespaces import QDT_NS, UDT_NS


@dataclass(frozen=True)
class Binding:
    """Ties an element's text or an attribute to a field.

    Attributes:
        steps: attribute names from the anchor record to the field.
        may_lack: the anchor record may be without the field.
        derived: for a derived row, the code that each value is written as.
    """

    row: Row
    codec: Codec
    steps: tuple[str, ...]
    may_lack: bool
    derived: Mapping[Any, str] | None = None


@dataclass(frozen=True)
class Constant:
    """Is a text that never varies; ``accepts`` says which texts other authors may write."""

    text: str
    accepts: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Wrapper:
    """Is the only child that certain data types put their text in."""

    tag: str
    name: str
    has_format: bool


WRAPPERS: Final[Mapping[str, Wrapper]] = {
    f"{{{UDT_NS}}}DateTimeType": Wrapper(
        f"{{{UDT_NS}}}DateTimeString", "udt:DateTimeString", has_format=True
    ),
    f"{{{QDT_NS}}}FormattedDateTimeType": Wrapper(
        f"{{{QDT_NS}}}DateTimeString", "qdt:DateTimeString", has_format=True
    ),
    f"{{{UDT_NS}}}IndicatorType": Wrapper(
        f"{{{UDT_NS}}}Indicator", "udt:Indicator", has_format=False
    ),
}
FORMATS: Final[Mapping[Codec, str]] = {DATE_102: "102", MOMENT_205: "205"}
WRAPPED_CODECS: Final = frozenset({DATE_102, MOMENT_205, INDICATOR})


@dataclass(eq=False)
class Node:
    """Is one element of the message.

    Attributes:
        path: where it stands below the root, with prefixes and predicates.
        anchor: record of the document that the values below are fetched from.
        group: path of the repetition, when the element stands once for each member.
        text: what fills the element; ``attributes``: what fills its attributes.
        constants: constant attributes by name.
    """

    step: Step
    declaration: Declaration
    path: str
    line: int
    anchor: str
    group: str | None = None
    group_steps: tuple[str, ...] = ()
    children: list[Node] = field(default_factory=list)
    attributes: dict[str, Binding] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    text: Binding | None = None
    constant: Constant | None = None

    @property
    def wrapper(self) -> Wrapper | None:
        """Return the child that holds the text, for data types that have one."""
        return WRAPPERS.get(self.declaration.type_name)

    @property
    def is_certain(self) -> bool:
        """Whether the element stands in every message that has its parent."""
        alone = self.group is None and not self.step.predicates
        if self.declaration.least > 0 and self.text is None and alone:
            return True
        return self.has_certain_value

    @property
    def has_certain_value(self) -> bool:
        """Whether some field below, or the element's own, can never lack."""
        if self.group is not None:
            return False
        if self.text is not None:
            return not self.text.may_lack
        return any(child.has_certain_value for child in self.children)

    def walk(self) -> Iterator[Node]:
        """Yield this node and every node below it."""
        yield self
        for child in self.children:
            yield from child.walk()
