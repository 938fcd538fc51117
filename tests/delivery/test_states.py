"""The whole table of delivery states: every one is reached, and what is promised of it happens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.errors import PeerFaultError
from gateway.exchange.outbound import submit_document
from gateway.exchange.retry_table import RetryTable
from gateway.exchange.waiting import why_waiting
from gateway.register.guides import Owner, guide
from gateway.register.states import EXCHANGE_TABLE, FINAL_STATES, ExchangeState
from gateway.store import DeliveryState, certificates, outbox
from gateway.store.delivery import TRANSITIONS
from tests.exchange.corridor import Corridor, Side
from tests.factories import certificate

TABLE = RetryTable.load()
S = DeliveryState


def queue(side: Side) -> str:
    return submit_document(side.desk, certificate()).message_id or ""


def claim_only(side: Side) -> None:
    """Leave the message as a worker that dies after its claim does."""
    with side.desk.store.begin() as conn:
        outbox.claim_due(conn, "dead worker", side.desk.clock(), lease_seconds=60, limit=1)


def fail_once(side: Side) -> None:
    side.wire.down = True
    side.work()


def hold(side: Side, message_id: str) -> None:
    with side.desk.store.begin() as conn:
        outbox.hold(conn, message_id, at=side.desk.clock(), actor="user:test", reason="a test")


def come_to(corridor: Corridor, state: DeliveryState) -> str:
    """Return a message of Zambia's that is in ``state``."""
    zm = corridor.zm
    message_id = queue(zm)
    if state is S.SENDING:
        claim_only(zm)
    elif state is S.RETRYING:
        fail_once(zm)
    elif state is S.HELD:
        hold(zm, message_id)
    elif state is S.FAILED:
        fail_once(zm)
        corridor.clock.pass_time(hours=73)
        fail_once(zm)
    elif state is S.DELIVERED:
        zm.work()
    zm.wire.down = False
    assert zm.dispatch(message_id).state is state
    return message_id


@pytest.mark.parametrize("state", list(DeliveryState))
def test_every_delivery_state_can_be_reached_from_the_queue(state: DeliveryState):
    reached = {S.QUEUED}
    for _ in DeliveryState:
        reached |= {
            following for (before, _), following in TRANSITIONS.items() if before in reached
        }
    assert state in reached


@pytest.mark.parametrize("state", [state for state in DeliveryState if not state.is_final])
def test_every_state_on_the_way_says_who_acts_when_and_why_in_three_languages(state):
    found = guide(state)
    assert found is not None
    for text in (found.reason, found.next_step):
        assert len({text.en, text.fr, text.ar}) == 3
    assert found.within is not None
    assert found.owner is (Owner.OPERATOR if state is S.HELD else Owner.GATEWAY)


@pytest.mark.parametrize("state", [S.QUEUED, S.SENDING, S.RETRYING])
def test_what_the_gateway_promises_to_do_by_itself_really_happens(
    corridor: Corridor, state: DeliveryState
):
    message_id = come_to(corridor, state)
    wait = why_waiting(corridor.zm.dispatch(message_id), TABLE)
    assert wait is not None
    assert wait.owner is Owner.GATEWAY
    assert wait.next_at is not None
    assert wait.deadline is not None
    assert wait.next_at <= wait.deadline
    corridor.clock.now = max(corridor.clock.now, wait.next_at + timedelta(seconds=1))
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).state is S.DELIVERED


def test_a_held_message_goes_as_soon_as_its_owner_releases_it(corridor: Corridor):
    message_id = come_to(corridor, S.HELD)
    wait = why_waiting(corridor.zm.dispatch(message_id), TABLE)
    assert wait is not None
    assert (wait.owner, wait.next_at) == (Owner.OPERATOR, None)
    corridor.clock.pass_time(days=2)
    assert corridor.zm.work() == 0
    with corridor.zm.desk.store.begin() as conn:
        outbox.release(conn, message_id, at=corridor.clock(), actor="user:test", reason="it may go")
    corridor.clock.pass_time(seconds=1)
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).state is S.DELIVERED


def test_a_message_that_was_given_up_names_its_cause_and_asks_for_a_person(corridor: Corridor):
    message_id = come_to(corridor, S.FAILED)
    wait = why_waiting(corridor.zm.dispatch(message_id), TABLE)
    assert wait is not None
    assert (wait.owner, wait.next_at) == (Owner.OPERATOR, None)
    assert wait.reason == TABLE.classes["unreachable"].says
    with corridor.zm.desk.store.begin() as conn:
        outbox.resend(conn, message_id, at=corridor.clock(), actor="user:test", reason="line is up")
    corridor.clock.pass_time(seconds=61)
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).state is S.DELIVERED


def test_what_the_peer_decided_waits_for_nothing(corridor: Corridor):
    message_id = come_to(corridor, S.DELIVERED)
    assert why_waiting(corridor.zm.dispatch(message_id), TABLE) is None


def test_a_cause_that_a_person_must_mend_is_named_while_the_gateway_goes_on(corridor: Corridor):
    message_id = queue(corridor.zm)

    def not_known_there(_answer: bytes) -> bytes:
        raise PeerFaultError("who are you", peer_code="UNKNOWN_PEER", peer_retryable=False)

    corridor.zm.wire.bend = not_known_there
    corridor.zm.work()
    wait = why_waiting(corridor.zm.dispatch(message_id), TABLE)
    assert wait is not None
    assert wait.owner is Owner.OPERATOR
    assert wait.next_step == TABLE.classes["not-admitted"].todo
    corridor.zm.wire.bend = lambda answer: answer
    assert wait.next_at is not None
    corridor.clock.now = wait.next_at
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).state is S.DELIVERED


# --- the certificate at its destination ---------------------------------------------------------


def test_every_exchange_state_is_reached_and_says_what_it_waits_for():
    reached = {ExchangeState.QUEUED}
    for _ in ExchangeState:
        reached |= {after for (before, _), after in EXCHANGE_TABLE.items() if before in reached}
    assert reached == set(ExchangeState)
    for state in set(ExchangeState) - set(FINAL_STATES[ExchangeState]):
        found = guide(state)
        assert found is not None
        assert found.within is not None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (S.QUEUED, ExchangeState.QUEUED),
        (S.RETRYING, ExchangeState.QUEUED),
        (S.FAILED, ExchangeState.UNDELIVERABLE),
        (S.DELIVERED, ExchangeState.RECEIVED),
    ],
)
def test_the_certificate_follows_its_message(corridor: Corridor, state, expected):
    message_id = come_to(corridor, state)
    with corridor.zm.desk.store.read() as conn:
        (delivery,) = certificates.deliveries_of_message(conn, message_id)
    assert delivery.state is expected
