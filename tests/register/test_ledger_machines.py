"""The ledger against simple models, with random histories, on both databases.

A machine's run works on certificates of its own, so that runs may share one database.
"""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.documents import UtilisationStatus
from gateway.documents.customs_response import CertificateReference
from gateway.errors import InvalidDocumentError
from gateway.register import register
from gateway.register.ledger import CustomsDecision, apply_response, decide
from gateway.store import Peer, Side, Store, certificates, journal, peers, utilisation
from tests.register.helpers import (
    FULL,
    MANY,
    NOW,
    PARTIAL,
    SERIAL,
    add_peer,
    cancellation,
    carriage,
    coo,
    decision,
    received,
    reexport_of,
    response,
)

U = UtilisationStatus
CERTIFIED = {1: 100, 2: 30}
_serials = itertools.count(1)
RUNS = settings(
    max_examples=20,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


class ImportingMachine(RuleBasedStateMachine):
    """Draws, repeats, doubts, cancels and re-exports at random; counts along in plain integers."""

    def __init__(self, store: Store, peer: Peer) -> None:
        super().__init__()
        self.store, self.peer = store, peer
        self.used = dict.fromkeys(CERTIFIED, 0)
        self.reexported = dict.fromkeys(CERTIFIED, 0)
        self.sequence = 0
        self.open, self.doubted, self.dead = True, False, False
        self.decisions: list[tuple[CustomsDecision, int]] = []

    @initialize()
    def receive(self) -> None:
        self.serial = f"{SERIAL}-{next(_serials)}"
        with self.store.begin() as conn:
            document = coo(CERTIFIED, serial_number=self.serial)
            register.record_received(conn, document, carriage(self.peer))

    def room(self, number: int) -> int:
        return CERTIFIED[number] - self.used[number] - self.reexported[number]

    def attempt(self, what: CustomsDecision) -> bool:
        with self.store.begin() as conn:
            try:
                outcome = decide(conn, what, MANY, at=NOW)
            except InvalidDocumentError:
                return False
        assert not outcome.repeated
        self.sequence += 1
        assert outcome.sequence_number == self.sequence
        self.decisions.append((what, self.sequence))
        return True

    @rule(number=st.sampled_from([1, 2]), quantity=st.integers(1, 120))
    def use(self, number: int, quantity: int) -> None:
        allowed = self.open and not self.doubted and quantity <= self.room(number)
        what = decision(PARTIAL, {number: quantity}, serial_number=self.serial)
        assert self.attempt(what) == allowed
        if allowed:
            self.used[number] += quantity

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        if self.decisions:
            what, sequence = data.draw(st.sampled_from(self.decisions))
            with self.store.begin() as conn:
                outcome = decide(conn, what, MANY, at=NOW)
            assert (outcome.repeated, outcome.sequence_number) == (True, sequence)

    @rule(number=st.sampled_from([1, 2]), quantity=st.integers(1, 120))
    def reexport(self, number: int, quantity: int) -> None:
        # Both items have one subheading, so a re-export may take from either.
        total = sum(max(self.room(n), 0) for n in CERTIFIED) if not self.dead else 0
        document = reexport_of(f"KE-{next(_serials)}", quantity, number)
        original = document.original_certificate
        assert original is not None
        named = original.model_copy(update={"serial_number": self.serial})
        document = document.model_copy(update={"original_certificate": named})
        with self.store.begin() as conn:
            try:
                register.record_issued(conn, document, carriage(self.peer))
            except InvalidDocumentError:
                assert quantity > total
                return
        assert quantity <= total
        for n in (number, 3 - number):
            part = min(quantity, self.room(n))
            self.reexported[n] += part
            quantity -= part

    @precondition(lambda self: self.open)
    @rule()
    def doubt(self) -> None:
        self.doubted = self.attempt(decision(U.UNDER_QUERY, serial_number=self.serial))
        assert self.doubted

    @precondition(lambda self: self.doubted)
    @rule(end=st.sampled_from([U.ACCEPTED, U.REJECTED, U.WITHDRAWN]))
    def resolve(self, end: UtilisationStatus) -> None:
        legal = end is not U.WITHDRAWN or any(self.used.values())
        assert self.attempt(decision(end, serial_number=self.serial)) == legal
        if not legal:
            return
        self.doubted = False
        self.open = end is U.ACCEPTED
        self.dead = not self.open
        if end is U.WITHDRAWN:
            self.used = dict.fromkeys(CERTIFIED, 0)

    @precondition(lambda self: not any(self.used.values()) and self.open)
    @rule()
    def cancel(self) -> None:
        with self.store.begin() as conn:
            try:
                document = cancellation(serial_number=self.serial)
                register.record_received(conn, document, carriage(self.peer))
            except InvalidDocumentError:
                assert any(self.reexported.values())
                return
        self.open = self.doubted = False
        self.dead = True

    @invariant()
    def books_agree(self) -> None:
        if not hasattr(self, "serial"):
            return
        with self.store.read() as conn:
            row = certificates.find(conn, Side.RECEIVED, "ZM", self.serial)
            assert row is not None
            items = certificates.items(conn, row.id)
            lines = utilisation.entries(conn, row.id)
            newest = utilisation.newest(conn, row.id)
        assert {item.number: item.used for item in items} == self.used
        assert {item.number: item.reexported for item in items} == self.reexported
        assert all(item.remaining >= 0 for item in items)
        for item in items:
            own = [line.quantity for line in lines if line.item_number == item.number]
            assert sum(own, Decimal(0)) == item.used + item.reexported
        assert row.last_sequence == self.sequence
        if newest is not None:
            stated = {line.number: line.cumulative for line in newest.items}
            assert all(stated.get(n, 0) == self.used[n] for n in CERTIFIED)


def test_the_importing_side_agrees_with_plain_counting(store: Store) -> None:
    peer = add_peer(store)
    run_state_machine_as_test(lambda: ImportingMachine(store, peer), settings=RUNS)
    with store.read() as conn:
        assert journal.verify_chain(conn).holds


Sent = tuple[int, UtilisationStatus, tuple[tuple[int, int], ...]]


def folded(deciding: dict[int, Sent]) -> tuple[dict[int, int], bool]:
    """Return totals and whether any of them fell, from the responses by sequence number."""
    totals, fell = dict.fromkeys(CERTIFIED, 0), False
    for _, (_, status, stated) in sorted(deciding.items()):
        for number, total in stated:
            if total < totals[number] and status is not U.WITHDRAWN:
                fell = True
            else:
                totals[number] = total
    return totals, fell


class IssuingMachine(RuleBasedStateMachine):
    """Receives responses in any order, doubled, with gaps and contradictions."""

    def __init__(self, store: Store, peer: Peer) -> None:
        super().__init__()
        self.store, self.peer = store, peer
        self.deciding: dict[int, Sent] = {}
        self.seen: set[Sent] = set()
        self.contradicted = False

    @initialize()
    def issue(self) -> None:
        self.serial = f"{SERIAL}-{next(_serials)}"
        with self.store.begin() as conn:
            document = coo(CERTIFIED, serial_number=self.serial)
            register.record_issued(conn, document, carriage(self.peer))

    def arrive(self, what: Sent) -> Any:
        sequence, status, stated = what
        digits = "-".join(f"{number}x{total}" for number, total in stated)
        document = response(
            sequence, dict(stated), status=status, number=f"R-{sequence}-{status}-{digits}"
        )
        named = CertificateReference(
            serial_number=self.serial, issued_on=coo().issued_at.date(), issuing_country="ZM"
        )
        with self.store.begin() as conn:
            return apply_response(
                conn, received(document.model_copy(update={"certificate": named}), self.peer)
            )

    @rule(
        sequence=st.integers(1, 6),
        status=st.sampled_from([PARTIAL, PARTIAL, PARTIAL, FULL, U.UNDER_QUERY, U.WITHDRAWN]),
        stated=st.dictionaries(st.sampled_from([1, 2]), st.integers(0, 130), max_size=2),
    )
    def respond(self, sequence: int, status: UtilisationStatus, stated: dict[int, int]) -> None:
        what: Sent = (sequence, status, tuple(sorted(stated.items())))
        outcome = self.arrive(what)
        assert outcome.repeated == (what in self.seen)
        self.seen.add(what)
        if sequence not in self.deciding:
            self.deciding[sequence] = what
        elif self.deciding[sequence] != what:
            self.contradicted = True

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        if self.seen:
            assert self.arrive(data.draw(st.sampled_from(sorted(self.seen)))).repeated

    @invariant()
    def books_agree(self) -> None:
        if not hasattr(self, "serial"):
            return
        with self.store.read() as conn:
            row = certificates.find(conn, Side.ISSUED, "ZM", self.serial)
            assert row is not None
            items = certificates.items(conn, row.id)
            lines = utilisation.entries(conn, row.id)
        totals, fell = folded(self.deciding)
        assert {item.number: item.used for item in items} == totals
        assert sum((line.quantity for line in lines), Decimal(0)) == sum(totals.values())
        highest = max(self.deciding, default=0)
        status = self.deciding[highest][1] if highest else None
        assert (row.last_sequence, row.reported_status) == (highest, status)
        assert row.missing_responses == highest - len(self.deciding)
        assert row.over_used == any(totals[n] > CERTIFIED[n] for n in CERTIFIED)
        if fell or self.contradicted:
            assert row.contradicted


def test_the_issuing_side_agrees_with_a_plain_fold(store: Store) -> None:
    peer = add_peer(store, "KE-GW")
    run_state_machine_as_test(lambda: IssuingMachine(store, peer), settings=RUNS)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_both_sides_agree_once_the_last_response_arrived(store: Store, data: st.DataObject) -> None:
    """Whatever is lost, doubled or overtaken on the way, the highest response settles it."""
    serial = f"{SERIAL}-{next(_serials)}"
    with store.begin() as conn:
        peer = peers.by_identifier(conn, "KE-GW")
    if peer is None:
        peer = add_peer(store, "KE-GW")
    with store.begin() as conn:
        document = coo(CERTIFIED, serial_number=serial)
        register.record_issued(conn, document, carriage(peer))
        register.record_received(conn, document, carriage(peer))
    sent = []
    for _ in range(data.draw(st.integers(1, 6))):
        number, quantity = data.draw(st.tuples(st.sampled_from([1, 2]), st.integers(1, 60)))
        with store.begin() as conn:
            try:
                what = decision(PARTIAL, {number: quantity}, serial_number=serial)
                outcome = decide(conn, what, MANY, at=NOW)
            except InvalidDocumentError:
                continue
        named = CertificateReference(
            serial_number=serial, issued_on=coo().issued_at.date(), issuing_country="ZM"
        )
        stated = response(outcome.sequence_number, status=outcome.status)
        sent.append(
            stated.model_copy(update={"items": outcome.utilised_items, "certificate": named})
        )
    arriving = data.draw(st.lists(st.sampled_from(sent), max_size=8)) if sent else []
    arriving.insert(data.draw(st.integers(0, len(arriving))), sent[-1]) if sent else None
    for one in arriving:
        with store.begin() as conn:
            apply_response(conn, received(one, peer))
    with store.read() as conn:
        ours = certificates.find(conn, Side.ISSUED, "ZM", serial)
        theirs = certificates.find(conn, Side.RECEIVED, "ZM", serial)
        assert ours is not None
        assert theirs is not None
        assert [i.used for i in certificates.items(conn, ours.id)] == [
            i.used for i in certificates.items(conn, theirs.id)
        ]
    assert not ours.contradicted
    assert ours.reported_status == theirs.reported_status
