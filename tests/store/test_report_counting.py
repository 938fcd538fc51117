"""Counts of reports: equal to a count by hand, whatever happened and whenever it was counted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from gateway.documents.codes import CertificateKind, UtilisationStatus
from gateway.register.guides import guide
from gateway.store import (
    ImportState,
    IssueState,
    JournalAction,
    Side,
    Store,
    bodies,
    journal,
    report_counting,
    reporting,
)
from gateway.store.report_measures import Measure, Step, pace_name, pace_of
from gateway.store.reporting import Bounds
from gateway.store.search import Visible
from gateway.store.states import DeliveryRole, ExchangeState, ResponseStanding
from gateway.store.tables import (
    certificate_deliveries,
    certificate_items,
    certificates,
    report_certificates,
    report_counts,
    responses,
)
from tests.store.helpers import NOW, add_peer

EVERYBODY = Visible(issued=True, received=True)
WAITING = (ImportState.ACCEPTED, ImportState.PENDING, ImportState.RECEIVED)
STATES = {
    Side.ISSUED: (IssueState.ISSUED, IssueState.CANCELLING, IssueState.EXPIRED),
    Side.RECEIVED: (*WAITING, ImportState.UTILISED, ImportState.REJECTED),
}
REASONS = ("STAMP_SPECIMEN", "EXPIRED", "a|b")


class Register:
    """Is a register that things happen to, each noted in the journal as the product does it."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.chance, self.serials = store, random.Random(seed), 0
        self.peer = add_peer(store)

    def happen(self, times: int) -> None:
        for _ in range(times):
            with self.store.begin() as conn:
                keys = list(conn.execute(select(certificates.c.id)).scalars())
                deeds = [self._add, self._move, self._deliver, self._answer]
                deed = self._add if not keys else self.chance.choice(deeds)
                deed(conn, self.chance.choice(keys) if keys else 0)

    def _note(self, conn: Connection, action: JournalAction, serial: str) -> None:
        spelling = serial.lower() if self.chance.random() < 0.3 else serial
        journal.append(conn, at=NOW, action=action, subject=spelling)

    def _serial(self, conn: Connection, key: int) -> str:
        query = select(certificates.c.serial_number).where(certificates.c.id == key)
        serial: str = conn.execute(query).scalar_one()
        return serial

    def _add(self, conn: Connection, _: int) -> None:
        self.serials += 1
        side = self.chance.choice(list(Side))
        ends = ["ZM", self.chance.choice(["KE", "EG"])]
        origin, destination = ends if side is Side.ISSUED else reversed(ends)
        serial = f"{origin}-{self.serials:04d}"
        day = date(2026, self.chance.randint(1, 3), self.chance.randint(1, 28))
        values: dict[str, Any] = {
            "side": side,
            "agreement": "COMESA",
            "kind": self.chance.choice([CertificateKind.STANDARD, CertificateKind.SIMPLIFIED]),
            "serial_number": serial,
            "serial_key": serial,
            "issuing_country": origin,
            "destination_country": destination,
            "issued_on": day,
            "valid_until": day + timedelta(days=365),
            "authority_code": self.chance.choice([f"{origin}-one", f"{origin}-TWO"]),
            "exporter_name": "Exporter",
            "consignee_name": "Consignee",
            "test": self.chance.random() < 0.1,
            "state": self.chance.choice(STATES[side]).value,
            "state_since": NOW - timedelta(hours=self.chance.randint(0, 4000)),
            "last_sequence": 0,
            "missing_responses": 0,
            "contradicted": False,
            "over_used": False,
            "conversation_id": f"c-{serial}",
            "message_id": f"m-{serial}",
            "created_at": NOW - timedelta(hours=self.chance.randint(0, 4000)),
            "updated_at": NOW,
            "content_sha256": "0" * 64,
            "payload_sha256": bodies.put(conn, b"<c/>"),
        }
        key = conn.execute(insert(certificates).values(**values)).inserted_primary_key[0]
        for number in range(1, self.chance.randint(2, 4)):
            row = {
                "certificate_id": key,
                "number": number,
                "hs_code": self.chance.choice(["090240", "090111", "621710"]),
                "country_of_origin": origin,
                "description": "Tea",
                "unit": "KGM",
                "certified": 10,
                "used": 0,
                "reexported": 0,
            }
            conn.execute(insert(certificate_items).values(**row))
        issued = side is Side.ISSUED
        action = JournalAction.CERTIFICATE_ISSUED if issued else JournalAction.CERTIFICATE_RECEIVED
        self._note(conn, action, serial)

    def _move(self, conn: Connection, key: int) -> None:
        side = conn.execute(select(certificates.c.side).where(certificates.c.id == key)).scalar()
        changed: dict[str, Any] = {
            "state": self.chance.choice(STATES[side or Side.ISSUED]).value,
            "state_since": NOW - timedelta(hours=self.chance.randint(0, 4000)),
        }
        if side is Side.ISSUED:
            changed["reported_status"] = self.chance.choice(list(UtilisationStatus))
        conn.execute(update(certificates).where(certificates.c.id == key).values(**changed))
        self._note(conn, JournalAction.CERTIFICATE_STATE, self._serial(conn, key))

    def _deliver(self, conn: Connection, key: int) -> None:
        row = {
            "certificate_id": key,
            "peer_id": self.peer.id,
            "message_id": f"d-{self.chance.random()}",
            "role": self.chance.choice(list(DeliveryRole)),
            "state": self.chance.choice([ExchangeState.SENT, ExchangeState.RECEIVED]),
            "updated_at": NOW + timedelta(seconds=self.chance.randint(0, 90_000)),
        }
        conn.execute(insert(certificate_deliveries).values(**row))
        self._note(conn, JournalAction.CERTIFICATE_DELIVERY, self._serial(conn, key))

    def _answer(self, conn: Connection, key: int) -> None:
        row = {
            "certificate_id": key,
            "sequence_number": self.chance.randint(1, 10**9),
            "status": self.chance.choice([UtilisationStatus.REJECTED, UtilisationStatus.PARTIAL]),
            "standing": ResponseStanding.APPLIED,
            "content_sha256": "0" * 64,
            "items": [],
            "findings": [],
            "reasons": self.chance.sample(REASONS, self.chance.randint(0, 2)),
            "decided_at": NOW + timedelta(seconds=self.chance.randint(0, 9_000_000)),
            "stored_at": NOW + timedelta(seconds=self.chance.randint(0, 9_000_000)),
        }
        conn.execute(insert(responses).values(**row))
        self._note(conn, JournalAction.RESPONSE_RECEIVED, self._serial(conn, key))


def follow(store: Store, *, limit: int = report_counting.BATCH) -> None:
    while True:
        with store.begin() as conn:
            if report_counting.follow(conn, at=NOW, limit=limit) < limit:
                return


def walk(store: Store, *, limit: int = report_counting.BATCH) -> None:
    while True:
        with store.begin() as conn:
            if report_counting.walk(conn, at=NOW, limit=limit) < limit:
                return


def told(store: Store, bounds: Bounds) -> dict[str, Counter[Any]]:
    """Everything that reports tell, by the reporting queries."""
    limits = [(state, NOW - timedelta(hours=1000)) for state in WAITING]
    with store.read() as conn:
        found: dict[str, Counter[Any]] = {
            "cells": Counter(
                {
                    (c.side, c.origin, c.destination, c.kind, c.month, c.measure): c.count
                    for c in reporting.cells(conn, bounds)
                }
            ),
            "spans": Counter(
                {(each.step, each.seconds): each.count for each in reporting.spans(conn, bounds)}
            ),
        }
        for name, rows in (
            ("chapters", reporting.chapters(conn, bounds)),
            ("reasons", reporting.reasons(conn, bounds)),
            ("overdue", reporting.overdue(conn, bounds, limits)),
        ):
            found[name] = Counter({(each.side, each.name): each.count for each in rows})
        return found


def by_hand(store: Store, bounds: Bounds) -> dict[str, Counter[Any]]:
    """The same, by looking at every row of the register."""
    found: dict[str, Counter[Any]] = {
        name: Counter() for name in ("cells", "spans", "chapters", "reasons", "overdue")
    }
    with store.read() as conn:
        items, sent, said = (
            list(conn.execute(select(table)))
            for table in (certificate_items, certificate_deliveries, responses)
        )
        for row in conn.execute(select(certificates)):
            if not _asked(row, bounds):
                continue
            month = row.issued_on.replace(day=1)
            where = (row.side, row.issuing_country, row.destination_country, row.kind, month)
            arrived = [
                each.updated_at
                for each in sent
                if each.certificate_id == row.id
                and each.role is DeliveryRole.DOCUMENT
                and each.state is ExchangeState.RECEIVED
                and row.side is Side.ISSUED
            ]
            answers = [each for each in said if each.certificate_id == row.id]
            for measure in _measures(row, arrived):
                found["cells"][(*where, measure)] += 1
            for chapter in {i.hs_code[:2] for i in items if i.certificate_id == row.id}:
                found["chapters"][row.side, chapter] += 1
            for reason in _reasons(answers):
                found["reasons"][row.side, reason] += 1
            if row.state in WAITING and row.state_since < _hour(NOW - timedelta(hours=1000)):
                found["overdue"][row.side, row.state] += 1
            for step, moment in _steps(row, arrived, answers):
                seconds = (moment - row.created_at).total_seconds()
                found["spans"][pace_of(pace_name(step, seconds))] += 1
    return found


def _asked(row: Any, bounds: Bounds) -> bool:
    ends = (row.issuing_country, row.destination_country)
    return (
        row.test == bounds.test
        and bounds.since <= row.issued_on < bounds.until
        and (bounds.country is None or bounds.country in ends)
        and bounds.kind in (None, row.kind)
        and (row.side is Side.RECEIVED or _own(row, bounds))
        and (bounds.visible.received or row.side is Side.ISSUED)
    )


def _own(row: Any, bounds: Bounds) -> bool:
    return bounds.visible.authority in (None, row.authority_code.upper())


def _measures(row: Any, arrived: list[datetime]) -> Iterator[Measure]:
    yield Measure.ALL
    if arrived:
        yield Measure.ARRIVED
    reported = (UtilisationStatus.PARTIAL, UtilisationStatus.FULL)
    if row.reported_status in reported or row.state in ("PARTIALLY_UTILISED", "UTILISED"):
        yield Measure.USED


def _reasons(answers: list[Any]) -> set[str]:
    refused = [each for each in answers if each.status is UtilisationStatus.REJECTED]
    return {code.replace("|", "/") for each in refused for code in (each.reasons or [""])}


def _steps(
    row: Any, arrived: list[datetime], answers: list[Any]
) -> Iterator[tuple[Step, datetime]]:
    if arrived:
        yield Step.ISSUE_DELIVERY, min(arrived)
    if answers and row.side is Side.ISSUED:
        yield Step.ISSUE_ANSWER, min(each.stored_at for each in answers)
    elif answers:
        yield Step.ARRIVAL_DECISION, min(each.decided_at for each in answers)


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


ASKED = (
    {},
    {"country": "EG"},
    {"kind": CertificateKind.SIMPLIFIED},
    {"test": True},
    {"since": date(2026, 2, 1), "until": date(2026, 3, 1)},
    {"visible": Visible(issued=True, received=False, country="ZM", authority="ZM-TWO")},
)


def question(**asked: Any) -> Bounds:
    whole = {
        "visible": EVERYBODY,
        "since": date(2026, 1, 1),
        "until": date(2026, 4, 1),
        "test": False,
    }
    return Bounds(**(whole | asked))


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_are_those_of_a_count_by_hand(store: Store, seed: int) -> None:
    register = Register(store, seed)
    register.happen(30)
    follow(store)
    register.happen(30)
    follow(store, limit=7)
    register.happen(30)
    walk(store, limit=9)
    follow(store)
    for asked in ASKED:
        bounds = question(**asked)
        assert told(store, bounds) == by_hand(store, bounds), asked
    assert sum(told(store, question())["cells"].values()) > 20


def test_counting_once_more_changes_nothing_and_counting_anew_gives_the_same(
    store: Store,
) -> None:
    register = Register(store, 3)
    register.happen(60)
    follow(store)
    walk(store)
    before, rows = told(store, question()), _rows(store)
    with store.begin() as conn:
        report_counting.count(conn, list(range(1, 200)))
    assert _rows(store) == rows
    with store.begin() as conn:
        report_counting.begin_anew(conn, at=NOW)
    assert not told(store, question())["cells"]
    walk(store, limit=11)
    assert told(store, question()) == before


def test_a_count_that_is_undone_leaves_nothing_behind(store: Store) -> None:
    register = Register(store, 4)
    register.happen(20)
    follow(store)
    register.happen(20)
    rows = _rows(store)
    with pytest.raises(RuntimeError), store.begin() as conn:
        report_counting.follow(conn, at=NOW)
        raise RuntimeError
    assert _rows(store) == rows
    follow(store)
    walk(store)
    assert told(store, question()) == by_hand(store, question())


def test_two_that_count_at_once_count_nothing_twice(store: Store) -> None:
    register = Register(store, 9)
    register.happen(40)
    follow(store)
    register.happen(40)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, store, limit=3) for work in (walk, follow, walk, follow)]:
            done.result()
    assert told(store, question()) == by_hand(store, question())


def test_no_count_of_nothing_is_kept(store: Store) -> None:
    register = Register(store, 5)
    register.happen(50)
    walk(store)
    follow(store)
    with store.read() as conn:
        assert all(count > 0 for count in conn.execute(select(report_counts.c.count)).scalars())


def test_every_number_counts_certificates_that_can_be_listed(store: Store) -> None:
    register = Register(store, 6)
    register.happen(60)
    walk(store)
    follow(store)
    bounds = question()
    with store.read() as conn:
        for each in (*reporting.chapters(conn, bounds), *reporting.reasons(conn, bounds)):
            measure = Measure.CHAPTER if each.name.isdigit() else Measure.REASON
            asked = question(side=each.side)
            listed = [
                key
                for group in reporting.groups(conn, asked, measure, each.name)
                for key, _ in reporting.members(
                    conn, group, measure, each.name, before=None, limit=1000
                )
            ]
            assert len(listed) == len(set(listed)) == each.count


def test_the_states_that_are_counted_as_waiting_are_those_with_a_limit() -> None:
    limited = {
        state.value
        for state in (*IssueState, *ImportState)
        if (said := guide(state)) is not None and said.within is not None
    }
    assert limited == report_counting._WAITING


@pytest.mark.parametrize("seconds", [0.0, 0.2, 1.0, 59.0, 86_400.0, 1e7])
def test_a_span_is_rounded_up_by_a_tenth_at_most(seconds: float) -> None:
    step, rounded = pace_of(pace_name(Step.ISSUE_ANSWER, seconds))
    assert step is Step.ISSUE_ANSWER
    assert max(1.0, seconds) * 0.999 <= rounded <= max(1.0, seconds) * 1.1


def test_before_counting_began_nothing_is_said_to_be_counted(store: Store) -> None:
    register = Register(store, 7)
    register.happen(10)
    with store.read() as conn:
        assert reporting.currency(conn).at is None
    follow(store)
    with store.read() as conn:
        assert reporting.currency(conn).share < 1
    walk(store)
    with store.read() as conn:
        assert reporting.currency(conn) == reporting.Currency(at=NOW, share=1.0)


def _rows(store: Store) -> list[Any]:
    with store.read() as conn:
        counts = select(report_counts).order_by(*report_counts.primary_key.columns)
        marked = select(report_certificates).order_by(report_certificates.c.certificate_id)
        return [*conn.execute(counts), *conn.execute(marked)]
