"""Reading the attributes of one element: constants, data, and what has no place."""

from __future__ import annotations

from typing import Any

from gateway.xml.mapping import complaints
from gateway.xml.mapping.plan import Node
from gateway.xml.mapping.slots import Reading, Slot, collapsed


class AttributeReader:
    """Reads the attributes of one element of the plan.

    Attributes:
        expected: what stands when all attributes are the constant ones, in our order.
    """

    def __init__(self, node: Node) -> None:
        self._path = node.path
        self._constants = node.constants
        self._slots = {
            name: Slot(binding, verbatim=False) for name, binding in node.attributes.items()
        }
        self.expected = [] if self._slots else list(node.constants.items())

    def read(
        self,
        written: list[tuple[str, str]],
        reading: Reading,
        record: dict[str, Any],
        prefix: str,
    ) -> None:
        """Read the attributes ``written``; complain about those without a place."""
        for name, value in written:
            slot = self._slots.get(name)
            wanted = self._constants.get(name)
            where = f"{self._path}/@{name}"
            if slot is not None:
                slot.put(reading, record, prefix, value)
            elif wanted is None:
                reading.complain(complaints.UNREAD_ATTRIBUTE, prefix, where)
            elif collapsed(value) != wanted:
                reading.complain(complaints.WRONG_CONSTANT, prefix, where, wanted, value)
