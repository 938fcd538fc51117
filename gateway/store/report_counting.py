"""Counting certificates of origin for reports, beside the books and after them.

Every change of a certificate stands in the journal under its serial number, in the order of
commit.  Following the journal, each certificate that changed is looked at as it is now, and what
it was counted as before is taken back: counting one twice, late, or after a crash changes
nothing.  Certificates that were registered before counting began are walked by their keys.

Nothing of this is in the transactions that submit or accept; whoever counts holds the one mark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, delete, func, select

from gateway.documents.codes import UtilisationStatus
from gateway.store import watch_marks
from gateway.store.dialects import insert_if_absent, insert_or_change
from gateway.store.keys import canonical_key
from gateway.store.report_measures import (
    SEPARATOR,
    Measure,
    Step,
    mark_of,
    pace_name,
    standing_name,
)
from gateway.store.rows.operations import Mark
from gateway.store.states import (
    DeliveryRole,
    ExchangeState,
    ImportState,
    IssueState,
    JournalAction,
    Side,
)
from gateway.store.tables import (
    certificate_deliveries,
    certificate_items,
    certificates,
    chain_heads,
    journal,
    report_certificates,
    report_counts,
    report_failures,
    report_groups,
    responses,
)

FOLLOW: Final = "reports"
WALK: Final = "reports of old"
REFUSALS: Final = "reports of refusals"
BATCH: Final = 500
"""Journal entries, or certificates, of one transaction: other writers wait for it."""

_ENDED: Final = "ended"
_ARRIVED: Final = (ExchangeState.DELIVERED, ExchangeState.RECEIVED)
_USED: Final = (UtilisationStatus.PARTIAL, UtilisationStatus.FULL)
_USED_HERE: Final = (ImportState.PARTIALLY_UTILISED.value, ImportState.UTILISED.value)
_WAITING: Final = frozenset(
    {
        IssueState.CANCELLING.value,
        IssueState.REPLACING.value,
        ImportState.RECEIVED.value,
        ImportState.PRESENTED.value,
        ImportState.ACCEPTED.value,
        ImportState.ACCEPTED_MINOR.value,
        ImportState.UNDER_VERIFICATION.value,
        ImportState.PENDING.value,
    }
)
"""States in which somebody has to act within a span; a test compares them with the guides."""

_ROOTS: Final = ("certificate:", "response:", "utilisation:")
_TOUCHES: Final = frozenset(each.value for each in JournalAction if each.startswith(_ROOTS))

GroupKey = tuple[str, Side, str, str, Any, str, bool]


@dataclass(kw_only=True)
class _Facts:
    """Is what one certificate is counted as."""

    group: GroupKey
    marks: set[str] = field(default_factory=set)

    @property
    def counted(self) -> str:
        """The marks as they are kept, each between separators."""
        return SEPARATOR + SEPARATOR.join(sorted(self.marks)) + SEPARATOR


def follow(conn: Connection, *, at: datetime, limit: int = BATCH) -> int:
    """Count what the next ``limit`` journal entries changed; return how many there were."""
    mark = _locked(conn, at)
    query = (
        select(journal.c.sequence, journal.c.action, journal.c.subject)
        .where(journal.c.sequence > mark.position)
        .order_by(journal.c.sequence)
        .limit(limit)
    )
    rows = conn.execute(query).all()
    serials = {canonical_key(row.subject) for row in rows if row.action in _TOUCHES}
    if serials:
        named = select(certificates.c.id).where(certificates.c.serial_key.in_(serials))
        count(conn, conn.execute(named).scalars().all())
    reached = rows[-1].sequence if rows else mark.position
    watch_marks.move(conn, FOLLOW, reached, at=at)
    return len(rows)


def walk(conn: Connection, *, at: datetime, limit: int = BATCH) -> int:
    """Count the next ``limit`` certificates that were registered before counting began.

    Returns:
        how many there were; fewer than ``limit`` once all are counted.
    """
    _locked(conn, at)
    mark = watch_marks.lock(conn, WALK)
    if mark.anchor == _ENDED:
        return 0
    own = certificates.c.id
    query = select(own).where(own > mark.position).order_by(own).limit(limit)
    keys = conn.execute(query).scalars().all()
    count(conn, keys)
    anchor = _ENDED if len(keys) < limit else None
    reached = keys[-1] if keys else mark.position
    watch_marks.move(conn, WALK, reached, at=at, anchor=anchor)
    return len(keys)


def walked_whole(conn: Connection) -> bool:
    """Return whether all that was registered before counting began is counted."""
    mark = watch_marks.find(conn, WALK)
    return mark is not None and mark.anchor == _ENDED


def begin_anew(conn: Connection, *, at: datetime) -> None:
    """Forget every count; the journal is followed from its end, all else is walked again."""
    _locked(conn, at)
    for table in (report_counts, report_certificates, report_groups, report_failures):
        conn.execute(delete(table))
    watch_marks.move(conn, FOLLOW, _end(conn), at=at)
    for name in (WALK, REFUSALS):
        watch_marks.lock(conn, name)
        watch_marks.move(conn, name, 0, at=at)


def count(conn: Connection, keys: Collection[int]) -> None:
    """Count these certificates as they are now, in place of what they were counted as."""
    if not keys:
        return
    now, before = _facts(conn, keys), _before(conn, keys)
    groups = _groups(conn, {each.group for each in now.values()})
    differences: Counter[tuple[int, str]] = Counter()
    changed = []
    for key, facts in now.items():
        group, counted = groups[facts.group], facts.counted
        known = before.get(key)
        if known == (group, counted):
            continue
        differences.update((group, mark) for mark in facts.marks)
        if known is not None:
            differences.subtract((known[0], mark) for mark in _marks(known[1]))
        changed.append({"certificate_id": key, "group_id": group, "counted": counted})
    if changed:
        put = insert_or_change(conn, report_certificates, put=("group_id", "counted"))
        conn.execute(put, changed)
        _add(conn, differences)


def _locked(conn: Connection, at: datetime) -> Mark:
    """Return the mark of following, held by us; the first time it stands at the journal's end."""
    mark = watch_marks.lock(conn, FOLLOW)
    if mark.noted_at is None:
        watch_marks.move(conn, FOLLOW, _end(conn), at=at)
        return watch_marks.lock(conn, FOLLOW)
    return mark


def _end(conn: Connection) -> int:
    end: int = conn.execute(select(chain_heads.c.journal_sequence)).scalar_one()
    return end


def _marks(counted: str) -> Iterator[str]:
    return (each for each in counted.split(SEPARATOR) if each)


def _before(conn: Connection, keys: Collection[int]) -> Mapping[int, tuple[int, str]]:
    own = report_certificates.c
    query = select(own.certificate_id, own.group_id, own.counted)
    rows = conn.execute(query.where(own.certificate_id.in_(keys)))
    return {row.certificate_id: (row.group_id, row.counted) for row in rows}


def _facts(conn: Connection, keys: Collection[int]) -> Mapping[int, _Facts]:
    own = certificates.c
    wanted = (
        own.id,
        own.side,
        own.issuing_country,
        own.destination_country,
        own.kind,
        own.issued_on,
        own.authority_code,
        own.test,
        own.state,
        own.state_since,
        own.reported_status,
        own.created_at,
    )
    query: Select[Any] = select(*wanted).where(own.id.in_(keys))
    rows = {row.id: row for row in conn.execute(query)}
    found = {key: _Facts(group=_group(row), marks=set(_standing(row))) for key, row in rows.items()}
    _add_chapters(conn, found)
    _add_arrivals(conn, found, rows)
    _add_answers(conn, found, rows)
    return found


def _group(row: Row[Any]) -> GroupKey:
    return (
        f"{row.issued_on:%Y-%m}",
        row.side,
        row.issuing_country,
        row.destination_country,
        row.kind,
        canonical_key(row.authority_code)[:140],
        row.test,
    )


def _standing(row: Row[Any]) -> Iterator[str]:
    yield mark_of(Measure.ALL)
    if row.reported_status in _USED or row.state in _USED_HERE:
        yield mark_of(Measure.USED)
    if row.state in _WAITING:
        yield mark_of(Measure.STANDS, standing_name(row.state, row.state_since))


def _add_chapters(conn: Connection, found: Mapping[int, _Facts]) -> None:
    own = certificate_items.c
    query = select(own.certificate_id, func.substr(own.hs_code, 1, 2).label("chapter"))
    for row in conn.execute(query.where(own.certificate_id.in_(found)).distinct()):
        found[row.certificate_id].marks.add(mark_of(Measure.CHAPTER, row.chapter))


def _add_arrivals(
    conn: Connection, found: Mapping[int, _Facts], rows: Mapping[int, Row[Any]]
) -> None:
    own = certificate_deliveries.c
    query = (
        select(own.certificate_id, func.min(own.updated_at).label("first"))
        .where(own.certificate_id.in_([key for key, row in rows.items() if _is_ours(row)]))
        .where(own.role == DeliveryRole.DOCUMENT, own.state.in_(_ARRIVED))
        .group_by(own.certificate_id)
    )
    for row in conn.execute(query):
        marks = found[row.certificate_id].marks
        marks.add(mark_of(Measure.ARRIVED))
        seconds = (row.first - rows[row.certificate_id].created_at).total_seconds()
        marks.add(mark_of(Measure.PACE, pace_name(Step.ISSUE_DELIVERY, seconds)))


def _add_answers(
    conn: Connection, found: Mapping[int, _Facts], rows: Mapping[int, Row[Any]]
) -> None:
    own = responses.c
    wanted = (own.certificate_id, own.status, own.reasons, own.stored_at, own.decided_at)
    first: dict[int, datetime] = {}
    for row in conn.execute(select(*wanted).where(own.certificate_id.in_(found))):
        key = row.certificate_id
        moment = row.stored_at if _is_ours(rows[key]) else row.decided_at
        first[key] = min(first.get(key, moment), moment)
        if row.status is UtilisationStatus.REJECTED:
            said = row.reasons or ("",)
            found[key].marks.update(mark_of(Measure.REASON, str(each)) for each in said)
    for key, moment in first.items():
        step = Step.ISSUE_ANSWER if _is_ours(rows[key]) else Step.ARRIVAL_DECISION
        seconds = (moment - rows[key].created_at).total_seconds()
        found[key].marks.add(mark_of(Measure.PACE, pace_name(step, seconds)))


def _is_ours(row: Row[Any]) -> bool:
    return bool(row.side is Side.ISSUED)


def _groups(conn: Connection, wanted: Iterable[GroupKey]) -> Mapping[GroupKey, int]:
    columns = [column for column in report_groups.c if column.name != "id"]
    absent, found = insert_if_absent(conn, report_groups), {}
    for key in sorted(wanted):
        query = select(report_groups.c.id).where(
            *(column == value for column, value in zip(columns, key, strict=True))
        )
        known = conn.execute(query).scalar()
        if known is None:
            names = (column.name for column in columns)
            conn.execute(absent, dict(zip(names, key, strict=True)))
            known = conn.execute(query).scalar_one()
        found[key] = known
    return found


def _add(conn: Connection, differences: Counter[tuple[int, str]]) -> None:
    """Add differences to the counts, in one order, and leave no count of nothing behind."""
    rows, falls = [], set()
    for (group, mark), difference in sorted(differences.items()):
        if difference:
            measure, name = mark.split(":", 1)
            rows.append(
                {
                    "group_id": group,
                    "measure": Measure(measure),
                    "name": name,
                    "count": difference,
                }
            )
        if difference < 0:
            falls.add(group)
    if rows:
        conn.execute(insert_or_change(conn, report_counts, add=("count",)), rows)
    if falls:
        own = report_counts.c
        conn.execute(delete(report_counts).where(own.group_id.in_(falls), own.count == 0))


__all__ = [
    "BATCH",
    "FOLLOW",
    "REFUSALS",
    "WALK",
    "begin_anew",
    "count",
    "follow",
    "walk",
    "walked_whole",
]
