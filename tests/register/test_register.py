"""The register: what is issued and received, delivered, replaced, cancelled, re-exported."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateway.documents import DocumentType, UtilisationStatus
from gateway.errors import GatewayError, InvalidDocumentError
from gateway.register import register
from gateway.register.ledger import apply_response, decide
from gateway.store import (
    AttemptOutcome,
    Claim,
    DeliveryState,
    ExchangeState,
    ImportState,
    IssueState,
    Peer,
    Side,
    Store,
    certificates,
    events,
    journal,
)
from tests.register.helpers import (
    FULL,
    MANY,
    NOW,
    PARTIAL,
    SERIAL,
    add_peer,
    after,
    cancellation,
    carriage,
    coo,
    decision,
    received,
    reexport_of,
    replacement,
    response,
)


@pytest.fixture
def peer(store: Store) -> Peer:
    """Gives the other side's gateway."""
    return add_peer(store, "KE-GW")


def issue(store: Store, document, where) -> object:
    with store.begin() as conn:
        return register.record_issued(conn, document, where)


def receive(store: Store, document, where) -> object:
    with store.begin() as conn:
        return register.record_received(conn, document, where)


def row(store: Store, side: Side = Side.ISSUED, serial: str = SERIAL, country: str = "ZM"):
    with store.read() as conn:
        found = certificates.find(conn, side, country, serial)
    assert found is not None
    return found


def rule(caught: pytest.ExceptionInfo[InvalidDocumentError]) -> str:
    return caught.value.findings[0].rule


def settle(store: Store, where: register.Carriage, state: DeliveryState) -> None:
    """Carry the outcome of delivering one message into the register."""
    assert where.peer_id is not None
    claim = Claim(
        dispatch_id=1,
        message_id=where.message_id,
        peer_id=where.peer_id,
        document_type=DocumentType.CERTIFICATE_OF_ORIGIN,
        document_number=SERIAL,
        conversation_id=where.conversation_id,
        worker="w",
        fence=1,
        attempt=1,
        claimed_at=NOW,
        lease_until=after(60),
        created_at=NOW,
        envelope=b"",
        envelope_sha256="",
    )
    due = after(60) if state is DeliveryState.RETRYING else None
    outcome = AttemptOutcome(state=state, ended_at=after(1), due_at=due, code="X")
    with store.begin() as conn:
        register.record_delivery(conn, claim, outcome)


def exchange_states(store: Store, serial: str = SERIAL) -> list[ExchangeState]:
    with store.read() as conn:
        found = certificates.deliveries(conn, row(store, serial=serial).id)
    return [delivery.state for delivery in found]


def test_an_issued_certificate_is_registered_with_its_bytes(store: Store, peer: Peer) -> None:
    issue(store, coo({1: 10, 3: 20}), carriage(peer, payload=b"<signed>1</signed>"))
    stored = row(store)
    with store.read() as conn:
        assert certificates.content(conn, stored) == b"<signed>1</signed>"
        items = certificates.items(conn, stored.id)
        entry = journal.page(conn, subject=SERIAL)[-1]
    assert [(item.number, item.unit, item.certified) for item in items] == [
        (1, "KGM", Decimal(10)),
        (3, "KGM", Decimal(20)),
    ]
    assert (stored.state, stored.exporter_number) == (IssueState.ISSUED, "COM-ZM000001")
    assert entry.action == journal.Action.CERTIFICATE_ISSUED


def test_the_same_certificate_again_is_one_certificate(store: Store, peer: Peer) -> None:
    where = carriage(peer)
    first = issue(store, coo(), where)
    assert issue(store, coo(), where) == first
    assert exchange_states(store) == [ExchangeState.QUEUED]
    first = receive(store, coo(), carriage(peer))
    assert receive(store, coo(), carriage(peer)) == first


def test_a_serial_with_other_content_is_refused_with_v84_and_told(store: Store, peer: Peer) -> None:
    for record, side in ((issue, Side.ISSUED), (receive, Side.RECEIVED)):
        record(store, coo({1: 10}), carriage(peer))
        with store.begin() as conn, pytest.raises(InvalidDocumentError) as caught:
            again = coo({1: 11}, serial_number="zm–20260309–000123")
            done = register.record_issued if side is Side.ISSUED else register.record_received
            done(conn, again, carriage(peer))
        assert rule(caught) == "V84"
        with store.read() as conn:
            assert events.newest(conn, limit=1)[0].kind == "SERIAL_REUSED"
            known = register.known(conn, "ZM", SERIAL, side=side, document=coo({1: 11}))
            assert known is not None
            assert not known.same_content
            known = register.known(conn, "ZM", SERIAL, side=side, document=coo({1: 10}))
            assert known is not None
            assert known.same_content


def test_a_received_certificate_is_available_unless_kept_for_an_officer(
    store: Store, peer: Peer
) -> None:
    receive(store, coo(), carriage(peer))
    assert row(store, Side.RECEIVED).state is ImportState.AVAILABLE
    with store.begin() as conn:
        other = coo(serial_number="ZM-2")
        kept = register.record_received(conn, other, carriage(peer), available=False)
        assert kept.state is ImportState.RECEIVED
        released = register.make_available(conn, kept, at=after(5))
        assert released.state is ImportState.AVAILABLE
        assert register.make_available(conn, kept, at=after(9)) == released


def test_known_tells_the_rules_what_the_register_knows(store: Store, peer: Peer) -> None:
    receive(store, coo(), carriage(peer, payload=b"p"))
    with store.begin() as conn:
        decide(conn, decision(PARTIAL, {1: 7}), MANY, at=NOW)
    with store.read() as conn:
        known = register.known(conn, "ZM", " zm-20260309-000123", side=Side.RECEIVED)
        assert register.known(conn, "ZM", SERIAL, side=Side.ISSUED) is None
    assert known is not None
    assert known.is_used
    assert not known.is_dead
    assert (known.received_from_country, known.last_sequence) == ("KE", 1)
    assert known.items[0].remaining == 11_993
    assert (known.items[0].hs_code, known.items[0].country_of_origin) == ("520512", "ZM")


@pytest.mark.parametrize(
    ("end", "state", "kind"),
    [
        (DeliveryState.DELIVERED, ExchangeState.RECEIVED, "MESSAGE_DELIVERED"),
        (DeliveryState.REFUSED, ExchangeState.REFUSED_BY_PEER, "MESSAGE_REFUSED"),
        (DeliveryState.FAILED, ExchangeState.UNDELIVERABLE, "MESSAGE_FAILED"),
    ],
)
def test_the_end_of_a_delivery_is_shown_and_told(
    store: Store, peer: Peer, end, state, kind
) -> None:
    where = carriage(peer)
    issue(store, coo(), where)
    settle(store, where, DeliveryState.RETRYING)
    assert exchange_states(store) == [ExchangeState.QUEUED]
    settle(store, where, end)
    assert exchange_states(store) == [state]
    with store.read() as conn:
        assert [str(event.kind) for event in events.newest(conn, subject=where.message_id)] == [
            kind
        ]


def test_a_resent_message_may_still_be_delivered(store: Store, peer: Peer) -> None:
    where = carriage(peer)
    issue(store, coo(), where)
    for end in (DeliveryState.FAILED, DeliveryState.REFUSED, DeliveryState.DELIVERED):
        settle(store, where, end)
    assert exchange_states(store) == [ExchangeState.RECEIVED]


def test_a_cancellation_holds_once_the_peer_confirms(store: Store, peer: Peer) -> None:
    issue(store, coo(), carriage(peer))
    where = carriage(peer)
    for _ in range(2):
        issue(store, cancellation(), where)
        assert row(store).state is IssueState.CANCELLING
    settle(store, where, DeliveryState.DELIVERED)
    assert row(store).state is IssueState.CANCELLED
    issue(store, cancellation(), where)
    assert row(store).state is IssueState.CANCELLED
    with pytest.raises(InvalidDocumentError) as caught:
        issue(store, cancellation(), carriage(peer))
    assert rule(caught) == "STATE"


def test_a_cancellation_that_the_peer_refuses_is_taken_back(store: Store, peer: Peer) -> None:
    issue(store, coo(), carriage(peer))
    where = carriage(peer)
    issue(store, cancellation(), where)
    settle(store, where, DeliveryState.REFUSED)
    assert row(store).state is IssueState.ISSUED
    assert row(store).ended_by is None


def test_every_peer_that_holds_it_must_confirm(store: Store, peer: Peer) -> None:
    sudan = add_peer(store, "SD-GW")
    asked = []
    for one in (peer, sudan):
        issue(store, coo(), carriage(one))
    for one in (peer, sudan):
        asked.append(carriage(one))
        issue(store, cancellation(), asked[-1])
    settle(store, asked[0], DeliveryState.DELIVERED)
    assert row(store).state is IssueState.CANCELLING
    settle(store, asked[1], DeliveryState.DELIVERED)
    assert row(store).state is IssueState.CANCELLED


def test_what_no_peer_holds_is_cancelled_at_once(store: Store, peer: Peer) -> None:
    issue(store, coo(), carriage(None))
    issue(store, cancellation(), carriage(None))
    assert row(store).state is IssueState.CANCELLED


def test_what_was_used_is_not_cancelled_already_used(store: Store, peer: Peer) -> None:
    issue(store, coo(), carriage(peer))
    with store.begin() as conn:
        apply_response(conn, received(response(1, {1: 5}), peer))
    for ending in (cancellation(), replacement()):
        with pytest.raises(InvalidDocumentError) as caught:
            issue(store, ending, carriage(peer))
        assert rule(caught) == "ALREADY_USED"


def test_a_received_certificate_is_cancelled_unless_used_already_used(
    store: Store, peer: Peer
) -> None:
    receive(store, coo(), carriage(peer))
    receive(store, coo(serial_number="ZM-2"), carriage(peer))
    with store.begin() as conn:
        decide(conn, decision(PARTIAL, {1: 1}, serial_number="ZM-2"), MANY, at=NOW)
    for _ in range(2):
        receive(store, cancellation(), carriage(peer))
        assert row(store, Side.RECEIVED).state is ImportState.CANCELLED
    with pytest.raises(InvalidDocumentError) as caught:
        receive(store, cancellation(serial_number="ZM-2"), carriage(peer))
    assert rule(caught) == "ALREADY_USED"
    with pytest.raises(InvalidDocumentError) as caught, store.begin() as conn:
        decide(conn, decision(PARTIAL, {1: 1}), MANY, at=NOW)
    assert rule(caught) == "STATE"


def test_only_its_issuer_ends_a_certificate_v76(store: Store, peer: Peer) -> None:
    receive(store, coo(), carriage(peer))
    stranger = add_peer(store, "SD-GW")
    for ending in (cancellation(), replacement()):
        with pytest.raises(InvalidDocumentError) as caught:
            receive(store, ending, carriage(stranger))
        assert rule(caught) == "V76"
    with pytest.raises(InvalidDocumentError) as caught:
        receive(store, cancellation(serial_number="ZM-NONE"), carriage(peer))
    assert rule(caught) == "V87"


def test_a_replacement_takes_the_place_of_the_old_one(store: Store, peer: Peer) -> None:
    issue(store, coo(), carriage(peer))
    where = carriage(peer)
    for _ in range(2):
        issue(store, replacement(), where)
    assert row(store).state is IssueState.REPLACING
    settle(store, where, DeliveryState.DELIVERED)
    assert (row(store).state, row(store).replaced_by) == (
        IssueState.REPLACED,
        "ZM-20260321-000200",
    )
    assert exchange_states(store, "ZM-20260321-000200") == [ExchangeState.RECEIVED]


def test_a_received_replacement_takes_the_place_of_the_old_one(store: Store, peer: Peer) -> None:
    receive(store, coo(), carriage(peer))
    receive(store, replacement(), carriage(peer))
    assert row(store, Side.RECEIVED).state is ImportState.REPLACED
    assert row(store, Side.RECEIVED, "ZM-20260321-000200").state is ImportState.AVAILABLE
    other = replacement("ZM-20260322-1", exporting_country="ZM")
    receive(store, other, carriage(peer))  # the old one is at its end and stays as it is
    assert row(store, Side.RECEIVED).state is ImportState.REPLACED


def test_a_used_certificate_is_not_replaced_and_the_new_one_not_registered(
    store: Store, peer: Peer
) -> None:
    receive(store, coo(), carriage(peer))
    with store.begin() as conn:
        decide(conn, decision(FULL), MANY, at=NOW)
    with pytest.raises(InvalidDocumentError) as caught:
        receive(store, replacement(), carriage(peer))
    assert rule(caught) == "ALREADY_USED"
    with store.read() as conn:
        assert certificates.by_serial(conn, "ZM-20260321-000200") == ()


def test_of_a_cancellation_and_a_use_at_the_same_time_one_wins(store: Store, peer: Peer) -> None:
    for attempt in range(5):
        serial = f"ZM-RACE-{attempt}"
        receive(store, coo(serial_number=serial), carriage(peer))
        won: list[str] = []

        def cancel(serial: str = serial, won: list[str] = won) -> None:
            try:
                receive(store, cancellation(serial_number=serial), carriage(peer))
                won.append("cancelled")
            except GatewayError:
                pass

        def use(serial: str = serial, won: list[str] = won) -> None:
            try:
                with store.begin() as conn:
                    what = decision(PARTIAL, {1: 1}, serial_number=serial)
                    decide(conn, what, MANY, at=NOW)
                won.append("used")
            except GatewayError:
                pass

        threads = [threading.Thread(target=one) for one in (cancel, use)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        state = row(store, Side.RECEIVED, serial).state
        assert state == (
            ImportState.CANCELLED if won == ["cancelled"] else ImportState.PARTIALLY_UTILISED
        )


def test_a_reexport_draws_on_the_original_and_stops_at_its_balance_v66(
    store: Store, peer: Peer
) -> None:
    receive(store, coo({1: 1000}), carriage(peer))
    uganda = add_peer(store, "UG-GW")
    with store.begin() as conn:
        decide(conn, decision(PARTIAL, {1: 600}), MANY, at=NOW)
    where = carriage(uganda)
    for _ in range(2):
        issue(store, reexport_of("KE-1", 300, number=4), where)
    with store.read() as conn:
        (item,) = certificates.items(conn, row(store, Side.RECEIVED).id)
    assert (item.used, item.reexported, item.remaining) == (600, 300, 100)
    with pytest.raises(InvalidDocumentError) as caught:
        issue(store, reexport_of("KE-2", 101), carriage(uganda))
    assert rule(caught) == "V66"
    with store.read() as conn:
        assert certificates.by_serial(conn, "KE-2") == ()
    with pytest.raises(InvalidDocumentError) as caught, store.begin() as conn:
        decide(conn, decision(PARTIAL, {1: 101}), MANY, at=NOW)
    assert rule(caught) == "V89"
    with pytest.raises(InvalidDocumentError) as caught:
        receive(store, cancellation(), carriage(peer))
    assert rule(caught) == "ALREADY_USED"


def test_a_reexport_of_an_original_not_known_here_is_registered(store: Store, peer: Peer) -> None:
    issue(store, reexport_of("KE-1", 300), carriage(peer))
    assert row(store, serial="KE-1", country="KE").original_country == "ZM"


def test_certificates_are_listed_by_side_state_and_exporter(store: Store, peer: Peer) -> None:
    for number in range(3):
        issue(store, coo(serial_number=f"ZM-{number}"), carriage(peer))
    receive(store, coo(), carriage(peer))
    with store.read() as conn:
        newest = certificates.page(conn, Side.ISSUED, limit=2)
        assert [one.serial_number for one in newest] == ["ZM-2", "ZM-1"]
        (last,) = certificates.page(conn, Side.ISSUED, before=newest[-1].id)
        assert last.serial_number == "ZM-0"
        assert certificates.page(conn, Side.ISSUED, state=IssueState.EXPIRED) == ()
        assert len(certificates.of_exporter(conn, "com-zm000001")) == 4
        assert certificates.of_exporter(conn, "com-zm000001", before=newest[0].id)
        assert certificates.by_message(conn, last.message_id) == last
        assert certificates.get(conn, last.id) == last


def test_an_issued_certificate_expires_after_its_last_day_unless_used_up(
    store: Store, peer: Peer
) -> None:
    for serial in (SERIAL, "ZM-2"):
        issue(store, coo(serial_number=serial), carriage(peer))
    with store.begin() as conn:
        apply_response(conn, received(response(1, {1: 12_000}, status=FULL), peer))
        at = datetime(2027, 3, 10, tzinfo=UTC)
        expired = register.expire_overdue(conn, at.date(), at=at)
    assert [one.serial_number for one in expired] == ["ZM-2"]
    with store.begin() as conn:
        status = UtilisationStatus.PARTIAL
        late = received(response(2, {1: 12_000}, status=status), peer)
        assert apply_response(conn, late).certificate.state is IssueState.ISSUED
