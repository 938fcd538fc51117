"""The page ``docs/benchmarks.md``: written from a run, never by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.costs import Exchange, exchanges
from bench.goals import COLUMNS as GOAL_COLUMNS
from bench.goals import Goal, reached
from bench.harness import MOST_UNREST, Run, Series
from bench.material import ITEMS, document_xml
from bench.pictures import pictures
from bench.report import COLUMNS, RESTLESS, ROOT, machine, rows, short
from bench.trips import TRIPS

PAGE = ROOT / "docs" / "benchmarks.md"
PICTURES = "benchmarks"
BAR_WIDTH = 40

VOID = """\
> **This run is void.** The control moved by {spread}, more than {most}: something else was at work
> on the machine. None of {attempts} attempts was quiet, so the last stands here rather than
> nothing. Read its absolute figures as orders of magnitude."""

INTRODUCTION = """\
What the machine can do at all, and what the gateway makes of it, measured on {date}.

Every figure is the median of the medians of {rounds} interleaved rounds; *p95* is over all single
samples. *Rounds apart* is the distance of the slowest from the fastest round; above {restless} it
is bold, and the line an order of magnitude. *Share of limit* is the time of the bare library calls
that the work cannot do without, divided by the time of the work, taken round by round: 100 % would
mean that the gateway itself costs nothing. A control (a loop of RSA-2048 signatures) runs three
times in every round; when its slowest round lies more than {most} above its quickest loop, the run
is void. In this run it lay {control} above{given_up}.

The measured document is a certificate of origin with {items} goods items, {bytes:,} bytes of XML
unsigned. The gateways sign envelopes with RSA-2048 and documents with P-256, check chains and
revocation lists, and keep their books on a real disk: SQLite with `synchronous=FULL`, PostgreSQL
with `fsync`, `full_page_writes` and `synchronous_commit` on. Every document is new to both
gateways."""

TRIPS_TEXT = """\
A round trip begins when the national system's document is submitted and ends when the peer's
verified receipt is recorded. The sender and the listener are processes of their own, over mutual
TLS on loopback; sender, receiver and the database share {cores} cores. *Two processes* are two
senders on the same database, to two peers, or both to one: one message at a time is under way to
each peer, so a second sender for the same peer adds only what it does before delivery, and its
messages wait in the queue, which shows in the p95. With more than one process the µs are the time
per message of the whole stream, not of one message."""

GOALS_TEXT = """\
Each goal has parts, each with a bound. Ratios are taken round by round, then their median; names in
quotation marks are measures of the tables below. What this run did not measure is said to be so."""

COSTS_TEXT = """\
The steps of one exchange, each a measure of this run or one less the others that it contains;
nothing is instrumented. What the sum leaves unexplained is HTTP with bodies, other processes on
the same cores, caches gone cold, and the difference between medians added and a median measured."""

MACHINE_TEXT = """\
{cores} cores of {processor}, {system}. {versions}."""

REPEAT = """\
    make bench                                  # all of it, a quarter of an hour; writes this page
    make bench ARGS="--quick pipelines"         # a glance at one group; writes nothing
    make bench ARGS="--list"                    # the names of the measures
    make bench ARGS="'side by side'"            # measures whose name or group holds these words
    make bench ARGS="--archive 7"               # with an archive of ten million rows
    make bench ARGS="soak --messages 20000"     # memory over a long stream, both books compared
    make bench ARGS="soak --messages 2000 --kills 50 --engine postgresql"
    make bench ARGS="workers"                   # one worker process against two
    make bench ARGS="paper"                     # the printed form and its parts, prints in a second

A run whose control moves is begun again, three times at most. The figures, for programs:
[results.json](../bench/results.json)."""


def write_page(run: Run, goals: Sequence[Goal] = (), path: Path = PAGE) -> None:
    """Write the page of a run, and its plots beside it."""
    drawn = dict(pictures(run))
    folder = path.parent / PICTURES
    for name, svg in drawn.items():
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(svg, encoding="utf-8")
    path.write_text(page(run, goals), encoding="utf-8")


def page(run: Run, goals: Sequence[Goal] = ()) -> str:
    """Return the page of a run; a void one says so before anything else."""
    parts = [
        "# Benchmarks",
        "<!-- Written by `make bench`. Run it, do not edit this page. -->",
        *([_void(run)] if run.is_void else []),
        _introduction(run),
        *_goals(run, goals),
        *(f"![{name.removesuffix('.svg')}]({PICTURES}/{name})" for name, _ in pictures(run)),
        *_trips(run),
        *_costs(exchanges(run)),
        *_groups(run),
        *_skipped(run),
        "## The machine",
        _machine(),
        "## To repeat",
        REPEAT,
    ]
    return "\n\n".join(parts) + "\n"


def _goals(run: Run, goals: Sequence[Goal]) -> Iterator[str]:
    found = reached(run, goals)
    if found:
        yield "## The twelve goals"
        yield GOALS_TEXT
        yield "\n".join(f"{goal.number}. {goal.text}." for goal in goals)
        lines = ["| " + " | ".join(GOAL_COLUMNS) + " |", "|--:|---|--:|--:|---|---|"]
        lines += ["| " + " | ".join(each.cells) + " |" for each in found]
        yield "\n".join(lines)


def _skipped(run: Run) -> Iterator[str]:
    if run.skipped:
        yield "## Not to be had here"
        reasons = (_plain(reason) for reason in run.skipped.values())
        pairs = zip(run.skipped, reasons, strict=True)
        yield "\n".join(f"- {name}: {reason}" for name, reason in pairs)


def _plain(text: str) -> str:
    """Return what a tool said in one line that is no markup and names no path."""
    words = ("…" if word.count("/") > 1 else word for word in text.split())
    return " ".join(words).replace("|", "/").replace("<", "‹")


def _void(run: Run) -> str:
    return VOID.format(
        spread=f"{run.unrest:.1%}",
        most=f"{MOST_UNREST:.0%}",
        attempts=len(run.given_up) + 1,
    )


def _introduction(run: Run) -> str:
    spreads = ", ".join(f"{each:.1%}" for each in run.given_up)
    return INTRODUCTION.format(
        date=datetime.now(UTC).date().isoformat(),
        rounds=run.rounds,
        restless=f"{RESTLESS:.0%}",
        most=f"{MOST_UNREST:.0%}",
        control=f"{run.unrest:.1%}",
        given_up=f"; attempts given up before, at {spreads}" if spreads else "",
        items=ITEMS,
        bytes=len(document_xml()),
    )


def _machine() -> str:
    facts = machine()
    named = [name for name in facts if name not in {"processor", "cores", "system"}]
    return MACHINE_TEXT.format(
        **{name: facts[name] for name in ("cores", "processor", "system")},
        versions=", ".join(f"{name} {facts[name]}" for name in named),
    )


def _trips(run: Run) -> Iterator[str]:
    trips = [each for each in run.series.values() if each.measure.group == TRIPS]
    if trips:
        yield f"## {_heading(TRIPS)}"
        yield TRIPS_TEXT.format(cores=machine()["cores"])
        yield "\n".join(["```text", *_bars(trips), "```"])
        yield _table(run, TRIPS)


def _bars(trips: list[Series]) -> Iterator[str]:
    width = max(len(each.measure.name) for each in trips)
    most = max(each.per_second for each in trips)
    yield "messages per second"
    for each in trips:
        bar = "█" * max(1, round(BAR_WIDTH * each.per_second / most))
        yield f"{each.measure.name:{width}}  {bar} {each.per_second:.1f}"


def _costs(found: list[Exchange]) -> Iterator[str]:
    if not found:
        return
    yield "## What a whole exchange costs"
    yield COSTS_TEXT
    heads = [f"{each.channel}, {each.database}, µs" for each in found]
    lines = [f"| step | {' | '.join(heads)} |", "|---|" + "--:|" * len(found)]
    lines += [
        f"| {step} | {' | '.join(short(each.steps[step]) for each in found)} |"
        for step in found[0].steps
    ]
    sums = {
        "**sum**": [each.explained for each in found],
        "**measured**": [each.measured for each in found],
        "left unexplained": [each.measured - each.explained for each in found],
    }
    lines += [f"| {name} | {' | '.join(map(short, cells))} |" for name, cells in sums.items()]
    yield "\n".join(lines)


def _groups(run: Run) -> Iterator[str]:
    groups = dict.fromkeys(each.measure.group for each in run.series.values())
    for group in groups:
        if group != TRIPS:
            yield f"## {_heading(group)}"
            yield _table(run, group)


def _table(run: Run, group: str) -> str:
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---|--:|--:|--:|--:|--:|"]
    for series, cells in rows(run):
        if series.measure.group == group:
            apart = f"**{cells[4]}**" if series.spread > RESTLESS else cells[4]
            lines.append("| " + " | ".join([*cells[:4], apart, cells[5]]) + " |")
    return "\n".join(lines)


def _heading(group: str) -> str:
    return f"{group[0].upper()}{group[1:]}"
