"""Counters: folded from the journal once, whoever folds, whatever the batch."""

from __future__ import annotations

import pytest

from gateway.documents import Verdict
from gateway.store import (
    DeliveryState,
    Store,
    inbox,
    journal,
    outbox,
    tallies,
    verdicts,
    watch_marks,
)
from gateway.store.tallies import known_code
from tests.store.helpers import (
    NOW,
    add_peer,
    after,
    delivered,
    new_arrival,
    new_dispatch,
    retrying,
)


def counted(store: Store) -> dict[tuple[str, ...], int]:
    """Every counter as ``(name, label values…)``, in the order of label names."""
    with store.read() as conn:
        return {
            (name, *(labels[label] for label in sorted(labels))): value
            for name, labels, value in tallies.every(conn)
        }


def fold(store: Store, limit: int = tallies.BATCH) -> int:
    with store.begin() as conn:
        return tallies.fold(conn, at=NOW, limit=limit)


def some_traffic(store: Store) -> None:
    peer = add_peer(store)
    with store.begin() as conn:
        outbox.enqueue(conn, new_dispatch(peer.id))
    for number, outcome in enumerate((retrying(0), delivered(ended_at=after(8)))):
        now = after(2 * number + 1)
        with store.begin() as conn:
            (claim,) = outbox.claim_due(conn, "w", now, lease_seconds=60, limit=1)
        with store.begin() as conn:
            outbox.record_attempt(conn, claim, outcome)
    with store.begin() as conn:
        inbox.record_arrival(conn, new_arrival(peer.id))
        refused = new_arrival(peer.id, verdict=Verdict.REFUSED, code="RULES_BROKEN")
        inbox.record_arrival(conn, refused)
        journal.append(
            conn,
            at=NOW,
            action=journal.Action.ARRIVAL_TURNED_AWAY,
            subject="ab" * 32,
            detail={"code": "STALE_MESSAGE"},
        )


EXPECTED = {
    ("queued", "CertificateOfOrigin", "KE-GW"): 1,
    ("attempts", "UNREACHABLE", "KE-GW"): 1,
    ("attempts", "DELIVERED", "KE-GW"): 1,
    ("verdicts", "CertificateOfOrigin", "KE-GW", "ACCEPTED"): 1,
    ("delivery_bucket", "10", "KE-GW"): 1,
    ("delivery_milliseconds", "KE-GW"): 8000,
    ("arrivals", "", "CertificateOfOrigin", "KE-GW", "ACCEPTED"): 1,
    ("arrivals", "RULES_BROKEN", "CertificateOfOrigin", "KE-GW", "REFUSED"): 1,
    ("turned_away", "STALE_MESSAGE"): 1,
}


@pytest.mark.parametrize("batch", [1, 3, 5000])
def test_every_entry_counts_once_whatever_the_batch(store: Store, batch: int):
    some_traffic(store)
    while fold(store, batch):
        pass
    assert fold(store) == 0
    assert counted(store) == EXPECTED
    with store.read() as conn:
        mark = watch_marks.find(conn, tallies.MARK)
        assert mark is not None
        assert mark.position == journal.head(conn)[0]


def test_a_late_verdict_counts_as_a_verdict_and_not_as_an_attempt(store: Store):
    peer = add_peer(store)
    with store.begin() as conn:
        sent = outbox.enqueue(conn, new_dispatch(peer.id))
        outcome = delivered(ended_at=after(400))
        verdicts.record(conn, sent.message_id, outcome, actor="peer:KE-GW")
    fold(store)
    assert counted(store) == {
        ("queued", "CertificateOfOrigin", "KE-GW"): 1,
        ("verdicts", "CertificateOfOrigin", "KE-GW", "ACCEPTED"): 1,
        ("delivery_bucket", "900", "KE-GW"): 1,
        ("delivery_milliseconds", "KE-GW"): 400_000,
    }


def test_certificates_are_counted_by_the_state_they_are_in(store: Store):
    with store.begin() as conn:
        for action, detail in (
            (journal.Action.CERTIFICATE_RECEIVED, {"message_id": "m"}),
            (
                journal.Action.CERTIFICATE_STATE,
                {"side": "RECEIVED", "from": "RECEIVED", "to": "AVAILABLE"},
            ),
            (journal.Action.CERTIFICATE_ISSUED, {"message_id": "n"}),
        ):
            journal.append(conn, at=NOW, action=action, subject="ZM-1", detail=detail)
    fold(store)
    assert counted(store) == {
        ("certificates", "RECEIVED", "RECEIVED"): 0,
        ("certificates", "RECEIVED", "AVAILABLE"): 1,
        ("certificates", "ISSUED", "ISSUED"): 1,
    }


def test_a_peer_cannot_flood_the_counters_with_codes_of_its_own():
    assert known_code("UNREACHABLE") == "UNREACHABLE"
    assert known_code("HTTP_502") == "HTTP_502"
    assert known_code(DeliveryState.DELIVERED) == "DELIVERED"
    assert {known_code(f"MADE_UP_{n}") for n in range(9)} == {"OTHER"}
    assert known_code("HTTP_999999") == "OTHER"
