"""The table of delivery states: what may follow what, and nothing else changes a state."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from gateway.errors import ConflictError
from gateway.store.states import DeliveryState

S = DeliveryState


class DeliveryEvent(StrEnum):
    """Names what can happen to a dispatch.

    PROVE and DISPROVE: the peer's signed verdict, yes or no, came otherwise than as the answer
    of the running attempt: late, in a bundle, or after its lease.
    """

    CLAIM = "CLAIM"
    DELIVER = "DELIVER"
    REFUSE = "REFUSE"
    RETRY = "RETRY"
    FAIL = "FAIL"
    HOLD = "HOLD"
    RELEASE = "RELEASE"
    RESEND = "RESEND"
    PROVE = "PROVE"
    DISPROVE = "DISPROVE"
    RECONCILE = "RECONCILE"


E = DeliveryEvent

UNDECIDED = (S.QUEUED, S.SENDING, S.RETRYING, S.HELD, S.FAILED)
"""No verdict of the peer is known: its signed word, however late, decides."""

TRANSITIONS: Mapping[tuple[DeliveryState, DeliveryEvent], DeliveryState] = {
    (S.QUEUED, E.CLAIM): S.SENDING,
    (S.RETRYING, E.CLAIM): S.SENDING,
    (S.SENDING, E.CLAIM): S.SENDING,  # the lease ran out: its worker died or hangs
    (S.SENDING, E.DELIVER): S.DELIVERED,
    (S.SENDING, E.REFUSE): S.REFUSED,
    (S.SENDING, E.RETRY): S.RETRYING,
    (S.SENDING, E.FAIL): S.FAILED,
    (S.QUEUED, E.HOLD): S.HELD,
    (S.RETRYING, E.HOLD): S.HELD,
    (S.HELD, E.RELEASE): S.QUEUED,
    (S.FAILED, E.RESEND): S.QUEUED,
    (S.REFUSED, E.RESEND): S.QUEUED,
    (S.RETRYING, E.RESEND): S.QUEUED,  # an operator need not wait for the pause to end
    **{(state, E.PROVE): S.DELIVERED for state in UNDECIDED},
    **{(state, E.DISPROVE): S.REFUSED for state in UNDECIDED},
    (S.DELIVERED, E.RECONCILE): S.QUEUED,
    (S.REFUSED, E.RECONCILE): S.QUEUED,
    (S.FAILED, E.RECONCILE): S.QUEUED,
}
"""DELIVERED is left by RECONCILE only: the peer's signed statement says that it lost the
message, or our own receipt is gone; whatever else happens, the receipt is proof."""

OUTCOMES: Mapping[DeliveryState, DeliveryEvent] = {
    S.DELIVERED: E.DELIVER,
    S.REFUSED: E.REFUSE,
    S.RETRYING: E.RETRY,
    S.FAILED: E.FAIL,
}
"""The event behind each state that an attempt can end in."""


def advance(state: DeliveryState, event: DeliveryEvent) -> DeliveryState:
    """Return the state that follows ``state`` upon ``event``.

    Raises:
        ConflictError: the table has no such step.
    """
    following = TRANSITIONS.get((state, event))
    if following is None:
        raise ConflictError(f"a {state} dispatch cannot {event.lower()}")
    return following


def sources(event: DeliveryEvent) -> tuple[DeliveryState, ...]:
    """Return every state in which ``event`` is legal."""
    return tuple(state for state, own in TRANSITIONS if own is event)
