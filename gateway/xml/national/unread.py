"""What of a national file no row has read: warnings, and fixed texts that differ."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.documents.findings import Finding
from gateway.xml.national.rows import Section
from gateway.xml.national.texts import Problem, finding
from gateway.xml.national.tree import Node, SourcePath


def around_findings(outer: Node, section: Section) -> Iterator[Finding]:
    """Yield what is wrong around the documents: fixed texts that differ, fields unread."""
    for written, expected in section.around.items():
        found = SourcePath.parse(written).select(outer, outer)
        text = found[0].text if found else None
        for node in found:
            node.used = True
        if text != expected:
            location = outer.location.below(written)
            yield finding(Problem.FIXED, "", location, expected=expected, shown=text or "")
    yield from unmapped_findings(outer, section)


def unmapped_findings(node: Node, section: Section) -> Iterator[Finding]:
    """Yield one warning per field of the source that no row has used."""
    seen: set[str] = set()
    for path, scalar in unread_values(node, section):
        if path not in seen:
            seen.add(path)
            yield finding(Problem.UNMAPPED, path, scalar.location, name=path)


def unread_values(node: Node, section: Section) -> Iterator[tuple[str, Node]]:
    """Yield every value of the source that no row has used, and that is not ignored by name."""
    ignored = tuple(omission.what for omission in section.ignored)
    own_line = section.layout.get("lines", "") + "/"
    for full, scalar in node.scalars():
        path = full.removeprefix(own_line)
        if scalar.used or not (scalar.text or "").strip():
            continue
        if not any(path == name or path.startswith(name + "/") for name in ignored):
            yield path, scalar
