"""What a run says: rows for a terminal, values for ``bench/results.json``, facts of the machine.

The page made of it stands in ``bench/page.py``.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.costs import exchanges
from bench.goals import ABSENT, Goal, Reached, reached
from bench.harness import MOST_UNREST, Run, Series

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results.json"

COLUMNS = ("what", "µs", "p95 µs", "per second", "rounds apart", "share of limit")
RESTLESS = 0.25
LIBRARIES = ("cryptography", "lxml", "signxml", "sqlalchemy", "psycopg", "gunicorn")


def machine() -> dict[str, str]:
    """Return what the figures depend on, without any name or path of the machine."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in LIBRARIES},
    }


def rows(run: Run) -> Iterator[tuple[Series, tuple[str, ...]]]:
    """Yield each series with its cells, in the order of ``COLUMNS``."""
    for name, series in run.series.items():
        share = run.share_of_limit(name)
        cells = (
            name,
            short(series.typical),
            short(series.p95),
            f"{series.per_second:,.0f}" if series.per_second > 100 else f"{series.per_second:.1f}",
            f"{series.spread:.0%}",
            "" if share is None else f"{share:.0%}",
        )
        yield series, cells


def screen(run: Run, goals: Sequence[Goal] = ()) -> Iterator[str]:
    """Yield the lines of the tables for a terminal: measures, then goals."""
    width = max([len(name) for name in run.series], default=4)
    yield f"{'':{width}}" + "".join(f"{column:>16}" for column in COLUMNS[1:])
    group = None
    for series, cells in rows(run):
        if series.measure.group != group:
            group = series.measure.group
            yield f"\n{group}"
        yield f"{cells[0]:{width}}" + "".join(f"{cell:>16}" for cell in cells[1:])
    for name, reason in run.skipped.items():
        yield f"\nskipped, {name}: {reason}"
    yield from _goal_lines(run, goals)
    for given_up in run.given_up:
        yield f"\nan attempt was given up when the control had moved by {given_up:.1%}"
    state = "VOID, the machine is too restless" if run.is_void else "holds"
    yield f"\ncontrol moved by {run.unrest:.1%} over {run.rounds} rounds: the run {state}"


def _goal_lines(run: Run, goals: Sequence[Goal]) -> Iterator[str]:
    every = reached(run, goals)
    found = [each for each in every if not each.note.startswith(ABSENT)]
    if not found:
        return
    left = len(every) - len(found)
    yield "\nthe twelve goals" + (f" ({left} parts have measures not in this run)" if left else "")
    width = max(len(each.part.text) for each in found)
    for each in found:
        number, text, wanted, value, met, note = each.cells
        said = met.strip("*")
        yield f"{number:>2}  {text:{width}}{wanted:>12}{value:>16}  {said:4}{note}"


def values(run: Run, goals: Sequence[Goal] = ()) -> dict[str, Any]:
    """Return everything that was found, for programs."""
    return {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "void": run.is_void,
        "rounds": run.rounds,
        "control": {
            "microseconds": round(run.control.typical, 2),
            "unrest": round(run.unrest, 4),
            "most_unrest": MOST_UNREST,
            "attempts_given_up": [round(each, 4) for each in run.given_up],
        },
        "skipped": dict(run.skipped),
        "goals": [_goal_values(each) for each in reached(run, goals)],
        "measures": {name: _figures(run, name, each) for name, each in run.series.items()},
        "exchanges": [
            {
                "database": each.database,
                "channel": each.channel,
                "measured_microseconds": round(each.measured, 1),
                "steps_microseconds": {step: round(took, 1) for step, took in each.steps.items()},
            }
            for each in exchanges(run)
        ],
    }


def write_values(run: Run, goals: Sequence[Goal] = (), path: Path = RESULTS) -> None:
    """Write the JSON file of a run."""
    path.write_text(
        json.dumps(values(run, goals), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def _goal_values(each: Reached) -> dict[str, Any]:
    return {
        "goal": each.goal.number,
        "what": each.part.text,
        "wanted": each.part.bound.text(),
        "reached": each.value,
        "unit": each.part.bound.unit,
        "met": each.is_met,
        "note": each.note,
    }


def short(microseconds: float) -> str:
    """Return microseconds with as many digits as mean something."""
    return f"{microseconds:,.1f}" if abs(microseconds) < 100 else f"{microseconds:,.0f}"


def _figures(run: Run, name: str, series: Series) -> dict[str, Any]:
    share = run.share_of_limit(name)
    return {
        "group": series.measure.group,
        "microseconds": round(series.typical, 2),
        "p95_microseconds": round(series.p95, 2),
        "per_second": round(series.per_second, 1),
        "spread": round(series.spread, 4),
        "samples": len(series.samples),
        "share_of_limit": None if share is None else round(share, 4),
        "facts": {fact: series.fact(fact) for fact in series.facts},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "an unnamed processor"
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "an unnamed processor")
