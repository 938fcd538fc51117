"""Where in a rendered message each value of its document stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from lxml import etree

from gateway.documents.fields import general_path, values_of
from gateway.documents.shape import Document
from gateway.xml.mapping.rows import Row, RowKind
from gateway.xml.mapping.table import MappingTable
from gateway.xml.namespaces import MESSAGE_PREFIXES, message_namespace


@dataclass(frozen=True)
class Placed:
    """Is one value as it stands in a message.

    Attributes:
        path: of the element or attribute, with ordinals among its like.
    """

    path: str
    text: str


def placed(
    table: MappingTable, document: Document, root: etree._Element, wanted: Set[str]
) -> Mapping[str, Placed]:
    """Return where values of ``document`` stand in its message, by their paths in the document.

    A value that the message says in another way than by a row of its own is left out.

    Args:
        root: the message as rendered.
        wanted: paths in the document.
    """
    by_field: dict[str, list[str]] = defaultdict(list)
    for path, _ in values_of(document):
        by_field[general_path(path)].append(path)
    rows = {row.field: row for row in table.rows if row.kind is RowKind.VALUE}
    prefixes = {"rsm": message_namespace(table.document_type), **MESSAGE_PREFIXES}
    found: dict[str, Placed] = {}
    for field, paths in by_field.items():
        row = rows.get(field)
        if row is not None:
            nodes = root.xpath(row.xml, namespaces=prefixes)
            if len(nodes) == len(paths):  # the n-th value of a field is its n-th node
                pairs = zip(paths, nodes, strict=True)
                found |= {path: _placed(node, row) for path, node in pairs if path in wanted}
    return found


def _placed(node: Any, row: Row) -> Placed:
    if isinstance(node, etree._Element):
        path = node.getroottree().getpath(node)
        return Placed(path, "".join(str(part) for part in node.itertext()))
    owner = node.getparent()
    name = row.xml.rpartition("@")[2]
    return Placed(f"{owner.getroottree().getpath(owner)}/@{name}", str(node))
