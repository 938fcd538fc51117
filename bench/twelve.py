"""The twelve goals: which measures answer which.  Texts and bounds are those of the project."""

from __future__ import annotations

from bench.archive import EXPONENTS, Query, archive_query
from bench.contestants import as2
from bench.contestants import side_by_side as others
from bench.exchange import (
    AT_ONCE,
    CHECK_RECEIPT,
    PREPARE,
    PREPARE_IN_THREADS,
    SUBMIT_3072,
    SUBMIT_TOGETHER,
    TOGETHER,
    accept_at_once_on,
    accept_on,
    submit_on,
)
from bench.floors import floor, sign_floor
from bench.gateways import Database
from bench.goals import Bound, Goal, Part, ratio_part
from bench.harness import Run
from bench.items import ABOVE_IDLE, DOCUMENT, Way, items_through
from bench.peers import (
    CONTEXT_BYTES,
    CONTEXTS,
    COUNT,
    DEAD,
    FIRST_SECONDS,
    PEAK,
    STEADY,
    Death,
    healthy_beside,
    pick_beside,
)
from bench.rooms import (
    READ,
    RULES,
    SIGN_2048,
    SIGN_3072,
    UNWRAP,
    VERIFY_AUTHORITY,
    VERIFY_RSA,
    WRAP,
)
from bench.scaling import exchanges_by
from bench.trips import CPU, Senders, trip_on
from bench.wire_limit import TLS_LIMIT
from gateway.transport import Channel

XSD = "XSD validate, schema loaded"
SQLITE, POSTGRESQL = Database.SQLITE, Database.POSTGRESQL
OURS = trip_on(SQLITE, Channel.REST, Senders.ONE)
BOOKLESS = (
    *(RULES,) * 3,
    PREPARE,
    UNWRAP,
    VERIFY_AUTHORITY,
    XSD,
    READ,
    WRAP,
    CHECK_RECEIPT,
)
"""The rooms of an exchange without its books."""
MEGABYTE = 1e6
LARGEST = max(EXPONENTS)


def _at_least(value: float, unit: str = "×") -> Bound:
    return Bound(value=value, unit=unit)


def _at_most(value: float, unit: str = "×") -> Bound:
    return Bound(value=value, unit=unit, at_most=True)


def _faster(text: str, value: float, theirs: str, ours: str) -> Part:
    how = f"“{theirs}” / “{ours}”"
    return ratio_part(text, _at_least(value), how, (theirs,), (ours,))


def _share(text: str, value: float, floor_name: str, ours: str) -> Part:
    how = f"“{floor_name}” / “{ours}”"
    return ratio_part(text, _at_least(value, "%"), how, (floor_name,), (ours,))


SIGNING = Goal(
    number=1,
    text="Sign within 95 % of parse, C14N and the key's operation; faster than the others",
    parts=(
        _share("signing, RSA-2048, share of its floor", 0.95, sign_floor(2048), SIGN_2048),
        _share("signing, RSA-3072, share of its floor", 0.95, sign_floor(3072), SIGN_3072),
        _faster("signing against signxml", 1.9, others.signing(others.SIGNXML, 2048), SIGN_2048),
        _faster(
            "signing against python-xmlsec", 1.75, others.signing(others.XMLSEC, 2048), SIGN_2048
        ),
        _faster("signing against the JDK", 3.0, others.signing(others.JDK, 2048), SIGN_2048),
    ),
)
VERIFYING = Goal(
    number=2,
    text="Verify faster than the others; ours checks chain and revocation each time",
    parts=(
        _faster("verifying against signxml", 4.0, others.verifying(others.SIGNXML), VERIFY_RSA),
        _faster(
            "verifying against python-xmlsec", 2.2, others.verifying(others.XMLSEC), VERIFY_RSA
        ),
        Part(
            text="verifying against libxmlsec1 in C",
            bound=_at_least(2.0),
            how="",
            reason="no program in C of ours; python-xmlsec above calls the same library",
        ),
        _faster("verifying against the JDK", 1.0, others.verifying(others.JDK), VERIFY_RSA),
        _faster(
            "verifying with chain against signxml",
            6.0,
            others.verifying(others.SIGNXML, chain=True),
            VERIFY_RSA,
        ),
    ),
)


def _out(*, full: bool, bits: int = 2048, batch: int = 1) -> str:
    return floor("outbound", SQLITE, full=full, bits=bits, batch=batch)


OUTBOUND = Goal(
    number=3,
    text="Outbound within 85 % of its full floor and 65 % of its strict floor",
    parts=(
        _share("outbound, full floor", 0.85, _out(full=True), submit_on(SQLITE)),
        _share("outbound, strict floor", 0.65, _out(full=False), submit_on(SQLITE)),
        _share(
            f"outbound, full floor, {TOGETHER} to a commit",
            0.85,
            _out(full=True, batch=16),
            SUBMIT_TOGETHER,
        ),
        _share(
            f"outbound, strict floor, {TOGETHER} to a commit",
            0.65,
            _out(full=False, batch=16),
            SUBMIT_TOGETHER,
        ),
        _share("outbound, full floor, RSA-3072", 0.90, _out(full=True, bits=3072), SUBMIT_3072),
        _share("outbound, strict floor, RSA-3072", 0.78, _out(full=False, bits=3072), SUBMIT_3072),
    ),
)


def _with_other_engine(contestant: str) -> Part:
    """Return the part that puts another engine's times in the place of ours inbound."""
    accept = accept_on(SQLITE)
    verify, sign = others.verifying(contestant, chain=True), others.signing(contestant, 2048)

    def slower(run: Run) -> float | None:
        verifying = run.ratio((verify,), (accept,))
        own = run.ratio((UNWRAP, VERIFY_AUTHORITY, WRAP), (accept,))
        signing = run.ratio((sign,), (accept,))
        if verifying is None or own is None or signing is None:
            return None
        return 1 - own + 2 * verifying + signing

    return Part(
        text=f"inbound against the same with {contestant}",
        bound=_at_least(2.0 if contestant == others.SIGNXML else 1.6),
        how="computed: accept, with its two verifications and one signature replaced by theirs",
        names=(accept, UNWRAP, VERIFY_AUTHORITY, WRAP, verify, sign),
        reached=slower,
    )


INBOUND = Goal(
    number=4,
    text="Inbound within 80 % of its full floor, with dedupe and signed receipt",
    parts=(
        _share("inbound, full floor", 0.80, floor("inbound", SQLITE, full=True), accept_on(SQLITE)),
        _with_other_engine(others.SIGNXML),
        _with_other_engine(others.XMLSEC),
    ),
)


def _processor_ratio(run: Run) -> float | None:
    return run.series[as2.DJANGO].fact(CPU) / run.series[OURS].fact(CPU)


WHOLE_GATEWAYS = Goal(
    number=5,
    text="30 times the exchanges of django-pyas2, for a twentieth of the processor's time",
    parts=(
        ratio_part(
            "exchanges per second against django-pyas2",
            _at_least(30),
            "both end to end, one sender process; ours with TLS, XSD and mapping, theirs without",
            (as2.DJANGO,),
            (OURS,),
        ),
        Part(
            text="processor time per exchange against django-pyas2",
            bound=_at_least(20),
            how="sender and server, as the kernel counts it",
            names=(as2.DJANGO, OURS),
            reached=_processor_ratio,
        ),
    ),
)
LIBRARIES = Goal(
    number=6,
    text="10 times pyas2lib and 8 times as4, in process, without books",
    parts=(
        ratio_part(
            "exchange in process against pyas2lib",
            _at_least(10),
            "our rooms added up, without books",
            (others.EXCHANGE_PYAS2LIB,),
            BOOKLESS,
        ),
        ratio_part(
            "exchange in process against as4",
            _at_least(8),
            "our rooms added up, without books; as4 also compresses and encrypts",
            (others.EXCHANGE_AS4,),
            BOOKLESS,
        ),
    ),
)
GROUPS = Goal(
    number=7,
    text="Commits in groups; nothing that was acknowledged is lost",
    parts=(
        *(
            ratio_part(
                f"{AT_ONCE} senders at once against one, {database}",
                _at_least(2.0),
                "arrivals accepted per second, in process",
                (accept_on(database),),
                (accept_at_once_on(database),),
            )
            for database in Database
        ),
        ratio_part(
            f"{TOGETHER} documents to a commit against one",
            _at_least(1.4),
            "documents submitted per second, SQLite",
            (submit_on(SQLITE),),
            (SUBMIT_TOGETHER,),
        ),
        ratio_part(
            "PostgreSQL against SQLite, end to end",
            _at_least(0.8),
            "round trips per second over REST",
            (OURS,),
            (trip_on(POSTGRESQL, Channel.REST, Senders.ONE),),
        ),
        Part(
            text="acknowledged certificates lost by 50 kills -9",
            bound=_at_most(0, ""),
            how="soak with kills: both books compared, row by row and byte by byte",
            command="soak --kills",
            of_kept=lambda found: float(found["faults"]) if found["kills"] >= 50 else None,
        ),
    ),
)
UNLOADED = (
    floor("outbound", SQLITE, full=True),
    floor("inbound", SQLITE, full=True),
    TLS_LIMIT,
)


def _over_floor(run: Run, value: float) -> float:
    return value / sum(run.series[name].p50 for name in UNLOADED)


LATENCY = Goal(
    number=8,
    text="One unloaded durable exchange over TLS close to its floor",
    parts=(
        Part(
            text="p50 of a round trip against its floor",
            bound=_at_most(1.6),
            how="REST, SQLite, one sender; full floor out and in and one kept TLS answer",
            names=(OURS, *UNLOADED),
            reached=lambda run: _over_floor(run, run.series[OURS].p50),
        ),
        Part(
            text="p95 of a round trip against its floor",
            bound=_at_most(2.2),
            how="the same",
            names=(OURS, *UNLOADED),
            reached=lambda run: _over_floor(run, run.series[OURS].p95),
        ),
    ),
)
SCALING = Goal(
    number=9,
    text="Two processes and two threads do nearly twice the work",
    parts=(
        *(
            ratio_part(
                f"two processes against one, {database}",
                _at_least(1.6 if database is SQLITE else 1.9),
                "whole exchanges without a wire, both sides, on two cores",
                (exchanges_by(database, 1),),
                (exchanges_by(database, 2),),
            )
            for database in Database
        ),
        ratio_part(
            "two threads against one, outbound",
            _at_least(1.5),
            "messages prepared per second",
            (PREPARE,),
            (PREPARE_IN_THREADS,),
        ),
    ),
)


def _growth(way: Way, more: int, fewer: int) -> Part:
    return ratio_part(
        f"{way}, t({more:,}) / t({fewer:,})",
        _at_most(10.5),
        "goods items, SQLite, commit included",
        (items_through(way, more),),
        (items_through(way, fewer),),
    )


def _per_item(way: Way, items: int) -> Part:
    name = items_through(way, items)
    return Part(
        text=f"{way}, time per item at {items:,}",
        bound=_at_most(30, "µs"),
        how="commit included",
        names=(name,),
        reached=lambda run: run.series[name].typical / items,
    )


def _memory(way: Way, items: int) -> Part:
    name = items_through(way, items)

    def above(run: Run) -> float:
        return run.series[name].fact(ABOVE_IDLE) / run.series[name].fact(DOCUMENT)

    return Part(
        text=f"{way}, peak memory above idle at {items:,} items, in documents",
        bound=_at_most(25),
        how="resident set of the process; the unsigned document is the unit",
        names=(name,),
        reached=above,
    )


ITEMS = Goal(
    number=10,
    text="Cost linear in goods items, memory bounded",
    parts=tuple(
        part
        for way in Way
        for part in (
            _growth(way, 5_000, 500),
            _growth(way, 2_000, 200),
            _per_item(way, 5_000),
            _per_item(way, 2_000),
            _memory(way, 5_000),
            _memory(way, 2_000),
        )
    ),
)
FLAT = {
    Query.INSERT: 1.25,
    Query.DEDUPE: 2.0,
    Query.NEWEST: 1.5,
    Query.DEEP: 2.0,
    Query.DUE: 1.5,
    Query.TALLIES: 1.5,
}


def archive_goal(exponent: int = LARGEST) -> Goal:
    """Return the goal of an archive that has grown to 10^``exponent`` rows."""
    return Goal(
        number=11,
        text="Flat in the size of the archive",
        parts=tuple(
            ratio_part(
                f"{query}, {database}",
                _at_most(bound),
                f"10^{exponent} rows against 10^3, the product's own query"
                + ("" if exponent >= 7 else "; the goal names 10^7: `--archive 7`"),
                (archive_query(database, exponent, query),),
                (archive_query(database, 3, query),),
            )
            for database in Database
            for query, bound in FLAT.items()
        ),
    )


NONE_DEAD = healthy_beside(0, Death.REFUSES)


def _beside_dead(death: Death) -> tuple[Part, ...]:
    name = healthy_beside(DEAD, death)
    return (
        Part(
            text=f"healthy peers' rate beside {DEAD} dead of {COUNT}, {death}, steady",
            bound=_at_least(0.8, "%"),
            how="second half of the messages, against none dead",
            names=(name, NONE_DEAD),
            reached=lambda run: run.series[NONE_DEAD].fact(STEADY) / run.series[name].fact(STEADY),
        ),
        ratio_part(
            f"the same from a cold start, {death}",
            _at_least(0.8, "%"),
            "all messages, from before the gateway is opened",
            (NONE_DEAD,),
            (name,),
        ),
        Part(
            text=f"first healthy delivery after a restart, {death}",
            bound=_at_most(1.0, "s"),
            how="from before the gateway is opened; the interpreter's start is not counted",
            names=(name,),
            reached=lambda run: run.series[name].fact(FIRST_SECONDS),
        ),
    )


def _picking(database: Database) -> Part:
    name = pick_beside(database, 6)
    return Part(
        text=f"picking work beside 10^6 rows of dead peers, per live peer, {database}",
        bound=_at_most(3.0, "µs"),
        how="a whole claim of one message, taken back, divided by the live peers",
        names=(name,),
        reached=lambda run: run.series[name].typical / (COUNT - DEAD),
    )


MANY_PEERS = Goal(
    number=12,
    text="Dead peers harm no others; memory per peer and worker bounded",
    parts=(
        *(part for death in Death for part in _beside_dead(death)),
        *(_picking(database) for database in Database),
        Part(
            text="TLS context per peer",
            bound=_at_most(100, "kB"),
            how="growth of the resident set",
            names=(CONTEXTS,),
            reached=lambda run: run.series[CONTEXTS].fact(CONTEXT_BYTES) / 1e3,
        ),
        Part(
            text=f"peak memory of a worker with {COUNT} peers",
            bound=_at_most(100, "MB"),
            how="resident set after sending to all healthy ones",
            names=(NONE_DEAD,),
            reached=lambda run: run.series[NONE_DEAD].fact(PEAK) / MEGABYTE,
        ),
        Part(
            text="memory of a worker in a soak",
            bound=_at_most(100, "MB"),
            how="largest resident set of any worker",
            command="soak",
            of_kept=lambda found: found["largest_worker_bytes"] / MEGABYTE,
        ),
        Part(
            text="growth over 20,000 messages",
            bound=_at_most(1.0, "MB"),
            how="of the process that grew most, from message 2,000 on",
            command="soak",
            of_kept=lambda found: (
                found["largest_growth_bytes"] / MEGABYTE if found["messages"] >= 20_000 else None
            ),
        ),
    ),
)


def goals(exponent: int = LARGEST) -> tuple[Goal, ...]:
    """Return the twelve goals, the archive's for 10^``exponent`` rows."""
    return (
        SIGNING,
        VERIFYING,
        OUTBOUND,
        INBOUND,
        WHOLE_GATEWAYS,
        LIBRARIES,
        GROUPS,
        LATENCY,
        SCALING,
        ITEMS,
        archive_goal(exponent),
        MANY_PEERS,
    )
