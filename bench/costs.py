"""What a whole exchange costs, put together from the measures of its rooms.

Nothing is instrumented: each line is a measure of this run, or one less others that it
contains.  The last line is what the sum does not explain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.exchange import CHECK_RECEIPT, PREPARE, accept_on, deliver_on, submit_on
from bench.gateways import Database
from bench.harness import Run
from bench.rooms import READ, RULES, UNWRAP, VERIFY_AUTHORITY, WRAP
from bench.trips import Senders, ping_over, trip_on
from gateway.transport import Channel

XSD = "XSD validate, schema loaded"


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """Is the decomposition of one exchange over one channel on one database.

    Attributes:
        steps: microseconds by step, in the order in which they happen.
        measured: microseconds of the whole round trip.
    """

    database: Database
    channel: Channel
    steps: Mapping[str, float]
    measured: float

    @property
    def explained(self) -> float:
        """Return the sum of the steps."""
        return sum(self.steps.values())


def exchanges(run: Run) -> list[Exchange]:
    """Return the decompositions that the measures of ``run`` allow."""
    found = []
    for database in Database:
        for channel in Channel:
            whole = trip_on(database, channel, Senders.ONE)
            needed = {whole, ping_over(channel), *_needed(database)}
            if needed <= run.series.keys():
                steps = _steps(run, database, channel)
                measured = run.series[whole].typical
                found.append(
                    Exchange(database=database, channel=channel, steps=steps, measured=measured)
                )
    return found


def _needed(database: Database) -> set[str]:
    rooms = {PREPARE, CHECK_RECEIPT, RULES, UNWRAP, VERIFY_AUTHORITY, READ, WRAP, XSD}
    return rooms | {submit_on(database), accept_on(database), deliver_on(database)}


def _steps(run: Run, database: Database, channel: Channel) -> dict[str, float]:
    took = {name: series.typical for name, series in run.series.items()}
    submit, accept, deliver = (took[name(database)] for name in (submit_on, accept_on, deliver_on))
    examined = took[VERIFY_AUTHORITY] + took[XSD] + took[READ]
    return {
        "sender: business rules, at issue and at sending": 2 * took[RULES],
        "sender: render, check by schema, sign document and envelope": took[PREPARE],
        "sender: queue and register, one commit": submit - took[PREPARE] - 2 * took[RULES],
        "sender: claim and record, two commits": deliver - took[CHECK_RECEIPT],
        "wire: an empty call there and back": took[ping_over(channel)],
        "receiver: verify and unwrap the envelope": took[UNWRAP],
        "receiver: verify the document, check by schema, read it": examined,
        "receiver: business rules": took[RULES],
        "receiver: wrap and sign the receipt (at most)": took[WRAP],
        "receiver: look up, register and store, one commit": (
            accept - took[UNWRAP] - examined - took[RULES] - took[WRAP]
        ),
        "sender: check the receipt": took[CHECK_RECEIPT],
    }
