"""How a run is shown: on the screen, in ``docs/benchmarks.md`` and in ``bench/results.json``."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.harness import MOST_SPREAD, Run, Series

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
RESULTS = ROOT / "bench" / "results.json"

COLUMNS = ("what", "µs", "p95 µs", "per second", "rounds apart", "share of limit")

INTRODUCTION = """\
<!-- Written by `make bench`. Run it, do not edit this page. -->

What the machine can do at all, and what the gateway makes of it. Every figure is the median of the
medians of {rounds} interleaved rounds; *p95* is over all single samples; *rounds apart* is the
distance of the slowest from the fastest round. *Share of limit* is the time of the bare library
calls that the work cannot do without, divided by the time of the work, taken round by round: 100 %
would mean that the gateway itself costs nothing. A control loop (RSA-2048 sign) runs through every
round; a run in which it moves by more than {most} is void and does not become this page. In this
run it moved by {control}.

Absolute figures belong to this machine: {machine}. {versions}.

The measured document is a certificate of origin with {items} goods items, {bytes:,} bytes of XML
unsigned."""


def machine() -> dict[str, str]:
    """Return what the figures depend on, without any name or path of the machine."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in ("cryptography", "lxml", "signxml", "sqlalchemy")},
    }


def screen(run: Run) -> Iterator[str]:
    """Yield the lines of the table for a terminal."""
    rows = [(group, *row) for group, row in _rows(run)]
    width = max([len(row[1]) for row in rows], default=4)
    yield f"{'':{width}}" + "".join(f"{column:>16}" for column in COLUMNS[1:])
    group = None
    for row in rows:
        if row[0] != group:
            group = row[0]
            yield f"\n{group}"
        yield f"{row[1]:{width}}" + "".join(f"{cell:>16}" for cell in row[2:])
    state = "VOID, the machine is too restless" if run.is_void else "holds"
    yield f"\ncontrol moved by {run.control.spread:.1%} over {run.rounds} rounds: the run {state}"


def write(run: Run, *, items: int, document_bytes: int) -> None:
    """Write the page and the JSON file of a run that holds."""
    PAGE.write_text(_page(run, items, document_bytes), encoding="utf-8")
    RESULTS.write_text(json.dumps(_values(run), indent=2) + "\n", encoding="utf-8")


def _rows(run: Run) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, series in run.series.items():
        share = run.share_of_limit(name)
        yield (
            series.measure.group,
            (
                name,
                _short(series.typical),
                _short(series.p95),
                f"{series.per_second:,.0f}",
                f"{series.spread:.0%}",
                "" if share is None else f"{share:.0%}",
            ),
        )


def _page(run: Run, items: int, document_bytes: int) -> str:
    facts = machine()
    versions = ", ".join(
        f"{name} {facts[name]}" for name in facts if name not in {"processor", "cores", "system"}
    )
    parts = [
        "# Benchmarks",
        INTRODUCTION.format(
            rounds=run.rounds,
            most=f"{MOST_SPREAD:.0%}",
            control=f"{run.control.spread:.1%}",
            machine=f"{facts['cores']} cores of {facts['processor']}, {facts['system']}",
            versions=versions,
            items=items,
            bytes=document_bytes,
        ),
    ]
    groups: dict[str, list[str]] = {}
    for group, row in _rows(run):
        groups.setdefault(group, []).append("| " + " | ".join(row) + " |")
    header = "| " + " | ".join(COLUMNS) + " |\n|---|--:|--:|--:|--:|--:|"
    for group, lines in groups.items():
        parts += [f"## {group[0].upper()}{group[1:]}", "\n".join([header, *lines])]
    return "\n\n".join(parts) + "\n"


def _values(run: Run) -> dict[str, Any]:
    return {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "rounds": run.rounds,
        "control_spread": round(run.control.spread, 4),
        "measures": {name: _figures(run, name, each) for name, each in run.series.items()},
    }


def _figures(run: Run, name: str, series: Series) -> dict[str, Any]:
    share = run.share_of_limit(name)
    return {
        "group": series.measure.group,
        "microseconds": round(series.typical, 2),
        "p95_microseconds": round(series.p95, 2),
        "per_second": round(series.per_second, 1),
        "spread": round(series.spread, 4),
        "share_of_limit": None if share is None else round(share, 4),
    }


def _short(microseconds: float) -> str:
    return f"{microseconds:,.1f}" if microseconds < 100 else f"{microseconds:,.0f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "an unnamed processor"
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "an unnamed processor")
