"""What another process changes about a peer counts with the very next message."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from gateway.documents import Verdict
from gateway.errors import PeerSuspendedError, SignerNotRegisteredError
from gateway.exchange.outbound import submit_document
from gateway.store import CredentialUse, bodies, journal, outbox, peers
from gateway.trust import SignerRole
from tests.crash.forks import fork
from tests.exchange.corridor import Corridor
from tests.factories import NOW, certificate


def submitted(corridor: Corridor, serial: str) -> bytes:
    """Return the envelope of a new certificate from Zambia to Kenya."""
    answer = submit_document(corridor.zm.desk, certificate(serial_number=serial))
    with corridor.zm.desk.store.read() as conn:
        queued = outbox.dispatch(conn, answer.message_id or "")
        assert queued is not None
        return bodies.get(conn, queued.envelope_sha256)


def delivered(corridor: Corridor, envelope: bytes) -> bytes:
    return corridor.ke.accept(envelope, fingerprint=corridor.zm.tls_fingerprint)


def elsewhere(corridor: Corridor, change: Callable[[Connection, int], object]) -> None:
    """Change what Kenya holds about Zambia, in another process."""
    store, peer_id = corridor.ke.desk.store, corridor.ke.peer().id

    def run() -> None:
        with store.begin() as conn:
            change(conn, peer_id)

    assert fork(run, store).wait() == 0


def suspend(conn: Connection, peer_id: int) -> None:
    peers.suspend(conn, peer_id, at=NOW, actor="user:other", reason="a test")


def resume(conn: Connection, peer_id: int) -> None:
    peers.resume(conn, peer_id, at=NOW, actor="user:other", reason="a test")


def end_gateway_signer(conn: Connection, peer_id: int) -> None:
    for one in peers.credentials(conn, peer_id, CredentialUse.SIGNER):
        if one.role == SignerRole.GATEWAY.value:
            peers.end_credential(conn, one.id, until=NOW.replace(year=2000), at=NOW, actor="user:x")


def test_a_peer_suspended_by_another_process_is_refused_with_the_next_message(
    corridor: Corridor,
) -> None:
    first, second = (
        submitted(corridor, "ZM-20260309-000001"),
        submitted(corridor, "ZM-20260309-000002"),
    )
    assert delivered(corridor, first)
    elsewhere(corridor, suspend)
    with pytest.raises(PeerSuspendedError):
        delivered(corridor, second)
    elsewhere(corridor, resume)
    assert delivered(corridor, second)


def test_a_signer_ended_by_another_process_is_believed_no_more_whatever_the_clock_says(
    corridor: Corridor,
) -> None:
    """The peer's row is changed at the same moment as before: only its revision tells."""
    first, second = (
        submitted(corridor, "ZM-20260309-000001"),
        submitted(corridor, "ZM-20260309-000002"),
    )
    assert delivered(corridor, first)
    elsewhere(corridor, end_gateway_signer)
    with pytest.raises(SignerNotRegisteredError):
        delivered(corridor, second)


def test_a_register_that_changed_since_the_judgement_is_judged_again(
    corridor: Corridor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between judging and booking, another process books a certificate of the same serial."""
    kenya = corridor.ke.desk.store
    first, other = submitted(corridor, "ZM-20260309-000001"), _same_serial(corridor)
    together, receipts = type(kenya).together, []

    def late(work: Callable[[Connection], bytes]) -> bytes:
        monkeypatch.setattr(kenya, "together", lambda late_work: together(kenya, late_work))
        receipts.append(delivered(corridor, first))
        return together(kenya, work)

    monkeypatch.setattr(kenya, "together", late)
    receipts.append(delivered(corridor, other))
    arrivals = corridor.ke.arrivals()
    assert {one.receipt for one in arrivals} == set(receipts)
    assert [one.verdict for one in reversed(arrivals)] == [Verdict.ACCEPTED, Verdict.REFUSED]
    with kenya.read() as conn:
        assert journal.verify_chain(conn).holds


def _same_serial(corridor: Corridor) -> bytes:
    """Return an envelope with other content under the serial of the first one."""
    from tests.exchange.test_refusals import envelope, payload

    document = certificate(serial_number="ZM-20260309-000001", remarks="other content")
    return envelope(corridor, payload(corridor, document))
