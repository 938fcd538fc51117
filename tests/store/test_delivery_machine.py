"""Random lives of messages, against the table of delivery states, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gateway.errors import ConflictError
from gateway.store import (
    AttemptOutcome,
    Claim,
    DeliveryEvent,
    DeliveryState,
    Peer,
    Store,
    journal,
    outbox,
    peers,
)
from gateway.store.delivery import OUTCOMES, TRANSITIONS
from tests.store.helpers import NOW, add_peer, new_dispatch, take

S, E = DeliveryState, DeliveryEvent
LEASE = 60


class DeliveryMachine(RuleBasedStateMachine):
    """Claims, records (also with stale claims), holds, releases and resends at random.

    Two conversations of two messages each; time only goes forward.
    """

    def __init__(self, store: Store, peer: Peer, clock: list[Any]) -> None:
        super().__init__()
        self.store, self.peer, self.clock = store, peer, clock
        self.states: dict[str, DeliveryState] = {}
        self.conversation: dict[str, str] = {}
        self.claims: list[Claim] = []
        self.newest: dict[str, Claim] = {}
        self.due: dict[str, Any] = {}

    @property
    def now(self) -> Any:
        return self.clock[0]

    @initialize()
    def queue(self) -> None:
        self.clear()
        for _ in range(4):
            new = new_dispatch(self.peer.id, created_at=self.now)
            conversation = f"run-{self.clock[1]}-{len(self.states) % 2}"
            queued = replace(new, conversation_id=conversation)
            with self.store.begin() as conn:
                outbox.enqueue(conn, queued)
            self.states[queued.message_id] = S.QUEUED
            self.conversation[queued.message_id] = conversation
            self.due[queued.message_id] = self.now
        self.clock[1] += 1

    def clear(self) -> None:
        """End what an earlier run left open, so that it competes with nothing here."""
        with self.store.begin() as conn:
            for row in outbox.page(conn, limit=1000):
                if row.state in (S.QUEUED, S.RETRYING):
                    who = {"at": self.now, "actor": "user:test", "reason": "run over"}
                    outbox.hold(conn, row.message_id, **who)
        self.clock[0] += timedelta(days=1)
        with self.store.begin() as conn:
            for claim in take(conn, "sweeper", self.now, limit=1000, per_peer=1000):
                outbox.record_attempt(
                    conn, claim, AttemptOutcome(state=S.FAILED, ended_at=self.now)
                )

    def blocked(self, message: str) -> bool:
        for earlier, state in self.states.items():
            if earlier == message:
                return False
            if self.conversation[earlier] == self.conversation[message] and not state.is_final:
                return True
        return False

    @rule(per_peer=st.integers(1, 3), unproved=st.integers(1, 3))
    def claim(self, per_peer: int, unproved: int) -> None:
        with self.store.begin() as conn:
            lane = peers.lane(conn, self.peer.id)
            claims = take(
                conn, "worker", self.now, per_peer=per_peer, unproved=unproved, lease_seconds=LEASE
            )
        running = sum(
            state is S.SENDING and self.due[message] > self.now
            for message, state in self.states.items()
        )
        ready = [
            message
            for message, state in self.states.items()
            if (state, E.CLAIM) in TRANSITIONS
            and self.due[message] <= self.now
            and not self.blocked(message)
        ]
        window = per_peer if lane.failures == 0 and lane.last_success_at else unproved
        assert len(claims) == max(0, min(window - running, len(ready)))
        for claim in claims:
            assert claim.message_id in ready
            earlier = self.newest.get(claim.message_id)
            assert claim.fence == (earlier.fence if earlier else 0) + 1
            self.claims.append(claim)
            self.newest[claim.message_id] = claim
            self.states[claim.message_id] = S.SENDING
            self.due[claim.message_id] = claim.lease_until

    @rule(data=st.data(), end=st.sampled_from(list(OUTCOMES)), pause=st.integers(0, 90))
    def record(self, data: st.DataObject, end: DeliveryState, pause: int) -> None:
        if not self.claims:
            return
        claim = data.draw(st.sampled_from(self.claims))
        message = claim.message_id
        due = self.now + timedelta(seconds=pause) if end is S.RETRYING else None
        held = self.newest[message] is claim and self.states[message] is S.SENDING
        outcome = AttemptOutcome(state=end, ended_at=self.now, due_at=due)
        try:
            with self.store.begin() as conn:
                outbox.record_attempt(conn, claim, outcome)
        except ConflictError:
            assert not held
        else:
            assert held
            self.states[message] = end
            self.due[message] = due

    @rule(data=st.data(), event=st.sampled_from([E.HOLD, E.RELEASE, E.RESEND]))
    def operate(self, data: st.DataObject, event: DeliveryEvent) -> None:
        message = data.draw(st.sampled_from(list(self.states)))
        operate = {E.HOLD: outbox.hold, E.RELEASE: outbox.release, E.RESEND: outbox.resend}[event]
        following = TRANSITIONS.get((self.states[message], event))
        try:
            with self.store.begin() as conn:
                operate(conn, message, at=self.now, actor="user:test", reason="test")
        except ConflictError:
            assert following is None
        else:
            assert following is not None
            self.states[message] = following
            self.due[message] = None if following is S.HELD else self.now

    @rule(seconds=st.integers(1, 100))
    def wait(self, seconds: int) -> None:
        self.clock[0] += timedelta(seconds=seconds)

    @invariant()
    def rows_agree(self) -> None:
        with self.store.read() as conn:
            for message, state in self.states.items():
                row = outbox.dispatch(conn, message)
                assert row is not None
                assert (row.state, row.due_at) == (state, self.due[message])
                assert (row.due_at is None) == (state.is_final or state is S.HELD)


def test_random_lives_of_messages_follow_the_table(store: Store) -> None:
    peer = add_peer(store)
    clock = [NOW, 0]
    run_state_machine_as_test(
        lambda: DeliveryMachine(store, peer, clock),
        settings=settings(
            max_examples=15,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with store.read() as conn:
        assert journal.verify_chain(conn).holds
