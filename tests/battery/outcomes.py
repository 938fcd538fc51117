"""What every fault of the wire must leave behind, while it lasts and afterwards."""

from __future__ import annotations

from gateway.exchange.retry_table import RetryTable
from gateway.exchange.waiting import why_waiting
from gateway.store import DeliveryState, inbox
from tests.battery.pair import WAYS, Pair, Sent

RECOVERED_SECONDS = 20
"""Far below the minute that is promised: the pauses of these homes are short."""
TABLE = RetryTable.load()


def has_failed(pair: Pair, sent: Sent, codes: set[str]) -> bool:
    """Whether the outbox says so, with the sentence for people that goes with the code."""
    dispatch = pair.dispatch(sent)
    assert dispatch.state in (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.RETRYING)
    assert dispatch.receipt_sha256 is None
    if dispatch.state is not DeliveryState.RETRYING or dispatch.code not in codes:
        return False
    why, kind = why_waiting(dispatch, TABLE), TABLE.explain(dispatch.code)
    assert why is not None
    assert kind is not None
    assert why.reason == kind.says
    return True


def let_fail(pair: Pair, codes: set[str], *, stored: bool) -> list[Sent]:
    """Send both ways, see both fail for one of ``codes``, and return what was sent.

    Args:
        stored: the receivers have the messages nevertheless; otherwise they must not.
    """
    sent = pair.send_both_ways()
    pair.until(lambda: all(has_failed(pair, each, codes) for each in sent))
    if stored:
        pair.until(lambda: all(has_arrived(pair, each) for each in sent))
    else:
        assert not any(has_arrived(pair, each) for each in sent)
    return sent


def has_arrived(pair: Pair, sent: Sent) -> bool:
    receiver = WAYS[sent.country]
    peer = pair.peer(receiver)
    with pair.gateway(receiver).store.read() as conn:
        return inbox.find(conn, peer.id, sent.message_id) is not None


def assert_recovers(pair: Pair, sent: list[Sent]) -> None:
    """Both queues drain by themselves, both books keep every promise, no log tells a secret."""
    pair.until_delivered(sent, RECOVERED_SECONDS)
    assert pair.broken_promises() == []
    assert pair.leaks() == []
