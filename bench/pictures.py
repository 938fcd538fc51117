"""The pictures of a run: which measures are drawn how."""

from __future__ import annotations

from collections.abc import Iterator

from bench.archive import Query, archive_query
from bench.contestants import side_by_side as others
from bench.floors import sign_floor
from bench.gateways import Database
from bench.harness import Run
from bench.items import COUNTS, Way, items_through
from bench.plots import Points, bars, lines
from bench.rooms import SIGN_2048, VERIFY_RSA

OURS = "this gateway"
SHARE_COLUMNS = (
    ("signing.svg", "Signing the same document, RSA-2048, µs", SIGN_2048, sign_floor(2048)),
    ("verifying.svg", "Verifying the same document, RSA-2048, µs", VERIFY_RSA, None),
)
DRAWN = (
    Query.INSERT,
    Query.DEDUPE,
    Query.SERIAL,
    Query.NEWEST,
    Query.DEEP,
    Query.DUE,
    Query.TALLIES,
)
_MOST_EXPONENT = 9


def pictures(run: Run) -> Iterator[tuple[str, str]]:
    """Yield the file name and the SVG of each picture that the run has measures for."""
    yield from _side_by_side(run)
    items = {way.value: _items(run, way) for way in Way}
    drawn = {name: points for name, points in items.items() if len(points) > 1}
    if drawn:
        yield "items.svg", lines("Growth with goods items", drawn, "items", "µs")
    for database in Database:
        found = {query.value: _archive(run, database, query) for query in DRAWN}
        drawn = {name: points for name, points in found.items() if len(points) > 1}
        if drawn:
            title = f"Growth with the archive, {database}"
            yield f"archive-{database.lower()}.svg", lines(title, drawn, "rows", "µs")


def _side_by_side(run: Run) -> Iterator[tuple[str, str]]:
    for file, title, ours, floor in SHARE_COLUMNS:
        theirs = {
            name: others.signing(name, 2048) if floor else others.verifying(name)
            for name in (others.SIGNXML, others.XMLSEC, others.JDK)
        }
        named = {"floor": floor, OURS: ours, **theirs}
        values = {
            label: run.series[name].typical for label, name in named.items() if name in run.series
        }
        if OURS in values and len(values) > 1:
            yield file, bars(title, values, "µs", marked=OURS)


def _items(run: Run, way: Way) -> Points:
    names = {count: items_through(way, count) for count in COUNTS}
    return [
        (count, run.series[name].typical) for count, name in names.items() if name in run.series
    ]


def _archive(run: Run, database: Database, query: Query) -> Points:
    names = {power: archive_query(database, power, query) for power in range(_MOST_EXPONENT)}
    return [
        (10**power, run.series[name].typical) for power, name in names.items() if name in run.series
    ]
