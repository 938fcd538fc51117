"""Growth with the number of goods items: each pipeline from 1 to 5,000 items."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from bench.contestants.process import Program, running
from bench.harness import Batch, UnavailableError, Work, measure
from bench.material import Shared, certificate_of, disk_folder
from gateway.documents import DocumentType
from gateway.xml.mapping import load_tables

ITEMS = "growth with goods items"
COUNTS = (1, 5, 20, 100, 200, 500, 1_000, 2_000, 5_000)
ABOVE_IDLE = "above_idle_bytes"
DOCUMENT = "document_bytes"


class Way(StrEnum):
    """Names the pipelines."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


def work_of(way: Way, items: int) -> str:
    """Return the name of the work in the program."""
    return f"{way}-{items}"


def items_through(way: Way, items: int) -> str:
    """Return the name of the measure of one message of so many items."""
    return f"{way}, {items:,} items, SQLite"


@contextmanager
def _program() -> Iterator[Program]:
    command = [sys.executable, "-m", "bench.items_program"]
    with disk_folder() as folder, running(command, folder, "items") as program:
        yield program


PROGRAM = Shared(_program)


def _register(way: Way, items: int) -> None:
    def work() -> Iterator[Work]:
        rendered = load_tables()[DocumentType.CERTIFICATE_OF_ORIGIN].render(certificate_of(items))
        size = {DOCUMENT: float(len(rendered))}
        with PROGRAM() as program:
            _require_room(program, work_of(way, items))

            def repeat() -> Batch:
                found = program.repeat(work_of(way, items))
                return Batch(found.each, found.singles, {**found.facts, **size})

            yield repeat

    measure(items_through(way, items), group=ITEMS, least=1, is_warm=True)(work)


def _require_room(program: Program, work: str) -> None:
    """Do the work once.

    Raises:
        UnavailableError: the gateway takes no message of this size; the reason says its limit.
    """
    try:
        program.repeat(work, 0)
    except RuntimeError as exc:
        if "TooLargeError" in str(exc):
            raise UnavailableError(f"the gateway refuses it: {exc}") from exc
        raise


for _items in COUNTS:
    for _way in Way:
        _register(_way, _items)
