"""The printed form: processor's time of a print and of its parts, and prints in a second.

    python -m bench paper --prints 200 --rounds 5

Every certificate is printed with another serial number and another code, so that nothing is set
from what was set before.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from statistics import median

from bench.material import certificate_of, document_xml
from gateway.agreements import load_agreements
from gateway.documents import Language
from gateway.paper.order import PrintOrder, SignatureNote, Standing
from gateway.paper.printing import print_certificate
from gateway.paper.qr import drawn
from gateway.paper.sheet import sheet

AT = datetime(2026, 3, 10, 9, tzinfo=UTC)
ITEMS = (1, 5, 60)
CODE = 620
"""Letters of a usual code: an address and a signed summary."""


def orders(items: int, language: Language) -> Iterator[PrintOrder]:
    """Yield orders for certificates that differ in number and code."""
    document, agreement, raw = certificate_of(items), load_agreements()["COMESA"], document_xml()
    note = SignatureNote(holds=True, subject="CN=ZRA,C=ZM", fingerprint="ab" * 32, signed_at=AT)
    for number in count(1):
        serial = f"ZM-20260309-{number:06d}"
        yield PrintOrder(
            document=document.model_copy(update={"serial_number": serial}),
            agreement=agreement,
            xml=raw,
            sha256=f"{number:064x}",
            standing=Standing.VALID,
            signature=note,
            language=language,
            printed_at=AT,
            printer="Kenya Single Window (KE-SW)",
            code=f"HTTPS://ECO.EXAMPLE/C/{number:0{CODE}d}",
            address="https://eco.example/c",
        )


def milliseconds(work: Callable[[PrintOrder], object], source: Iterator[PrintOrder]) -> float:
    """Return the processor's time of one call, over five."""
    given = [next(source) for _ in range(5)]
    begun = time.process_time()
    for each in given:
        work(each)
    return (time.process_time() - begun) / len(given) * 1_000


PARTS: dict[str, Callable[[PrintOrder], object]] = {
    "whole print": print_certificate,
    "form as data, with symbol": sheet,
    "form as data, without": lambda order: sheet(replace(order, code=None)),
    "symbol": lambda order: drawn(order.code or ""),
}


def run(prints: int, items: int) -> float:
    """Return how many seconds this process takes for so many prints, after a first one."""
    source = orders(items, Language.ENGLISH)
    print_certificate(next(source))
    begun = time.perf_counter()
    for _ in range(prints):
        print_certificate(next(source))
    return time.perf_counter() - begun


def rate(processes: int, prints: int, items: int) -> float:
    """Return prints in a second of so many processes, each with a press of its own."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        spent = pool.starmap(run, [(prints, items)] * processes, chunksize=1)
    return processes * prints / max(spent)


def main(words: Sequence[str]) -> int:
    """Measure parts in turn, then whole processes, and print two tables."""
    parser = argparse.ArgumentParser(prog="python -m bench paper", description=__doc__)
    parser.add_argument("--prints", type=int, default=200, help="of each process")
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args(words)
    print("| processor's time, ms | items | median | quickest |\n|---|--:|--:|--:|")
    for items in ITEMS:
        source = orders(items, Language.ENGLISH)
        found: dict[str, list[float]] = {name: [] for name in PARTS}
        for number in range(asked.rounds + 1):
            for name, work in PARTS.items():
                spent = milliseconds(work, source)
                if number:  # the first round warms
                    found[name].append(spent)
        for name, spent_each in found.items():
            print(f"| {name} | {items} | {median(spent_each):.2f} | {min(spent_each):.2f} |")
    print("\n| prints in a second | items | one process | two | gain |\n|---|--:|--:|--:|--:|")
    for items in ITEMS[:2]:
        one, two = (rate(processes, asked.prints, items) for processes in (1, 2))
        print(f"| English, with code | {items} | {one:.1f} | {two:.1f} | {two / one:.2f}× |")
    return 0
