"""The samples that a mapping is tried on, and how much of them is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.services.mappings.views import safe
from gateway.xml.national.carrier import Carrier
from gateway.xml.national.rows import Section
from gateway.xml.national.tracing import Traced, traced
from gateway.xml.national.tree import Location

MOST_DOCUMENTS: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Is one national file to try a mapping on."""

    name: str
    raw: bytes


def first_documents(
    carrier: Carrier, section: Section, raw: bytes, *, most: int = MOST_DOCUMENTS
) -> tuple[tuple[Traced, ...], bool]:
    """Return the first documents of a sample, and whether it holds more of them.

    Args:
        most: documents that are looked at.
    """
    found = traced(carrier, section, raw, most=most + 1)
    return found[:most], len(found) > most


def place_of(file: str, location: Location) -> str:
    """Return a place in a sample, as ``lines.csv, line 3, CLERK``."""
    line = f"line {location.line}" if location.line is not None else ""
    return safe(", ".join(part for part in (file, line, location.pointer) if part))
