"""Where the values of a row stand, when it works, and what kind of node carries them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from gateway.documents.fields import Leaf
from gateway.xml.national.marks import Marked
from gateway.xml.national.rows import Direction
from gateway.xml.national.tree import NodeKind, SourcePath

_XML_NAME = re.compile(r"@?([^\W\d][\w.-]*:)?[^\W\d][\w.-]*")


def sources_of(keys: Mapping[str, Marked], carrier: str) -> tuple[SourcePath, ...]:
    """Return the sources of a row.

    Raises:
        FaultyMapping: several could not be told apart again when writing.
    """
    source = keys["source"]
    entries = (source,) if isinstance(source.value, str) else source.items()
    paths = tuple(path_of(entry, carrier) for entry in entries)
    joined = "join" in keys and keys["join"].text() != ""
    one_way = "only" in keys and keys["only"].text() == "read"
    if not paths or (len(paths) > 1 and not joined and not one_way):
        raise source.error(
            "several sources cannot be told apart again when writing",
            'Add "join:" with the text between them, or "only: read"',
        )
    return paths


def path_of(marked: Marked, carrier: str) -> SourcePath:
    """Return the path written here.

    Raises:
        FaultyMapping: it is no path, or none that the carrier knows.
    """
    try:
        path = SourcePath.parse(marked.text())
    except ValueError as exc:
        raise marked.error(str(exc), "Write names with slashes, as Partie[@Role=EXP]/Nom") from exc
    flat = len(path.steps) == 1 and path.steps[0].where is None
    if carrier == "csv" and not flat:
        raise marked.error(f'"{path.written}" is no column of a CSV line', "Name one column")
    if carrier == "xml" and not all(_XML_NAME.fullmatch(name) for name in path.names):
        raise marked.error(
            f'"{path.written}" is no path of XML names', "Write names as prefix:Nom or @code"
        )
    return path


def direction_of(marked: Marked | None) -> Direction:
    """Return when the row works.

    Raises:
        FaultyMapping: it is no direction.
    """
    if marked is None:
        return Direction.BOTH
    if marked.text() not in ("read", "write"):
        raise marked.error(f'"{marked.text()}" is no direction', 'Write "read" or "write"')
    return Direction(marked.text())


def kinds_of(
    keys: Mapping[str, Marked], leaf: Leaf, carrier: str
) -> tuple[frozenset[NodeKind], NodeKind]:
    """Return the node kinds admitted on reading, and the one written."""
    plain = not {"table", "prefix", "source_prefix", "join"} & keys.keys()
    if (wanted := keys.get("as")) is not None:
        if wanted.text() not in ("number", "text") or carrier != "json":
            raise wanted.error(
                f'"{wanted.text()}" is no kind of value here', 'Write "number" or "text", JSON only'
            )
        number = wanted.text() == "number"
    else:
        number = leaf.type is int and plain and carrier == "json"
    if leaf.type is bool and plain and carrier == "json" and "as" not in keys:
        return frozenset({NodeKind.BOOLEAN}), NodeKind.BOOLEAN
    admitted = {NodeKind.TEXT}
    if number or leaf.type in (int, Decimal):
        admitted.add(NodeKind.NUMBER)
    return frozenset(admitted), NodeKind.NUMBER if number else NodeKind.TEXT
