"""The inbox: once per sender and id, with the same receipt for ever."""

from __future__ import annotations

import threading

import pytest

from gateway.documents import Verdict
from gateway.errors import MessageIdReusedError
from gateway.store import Store, bodies, inbox, journal
from tests.store.helpers import add_peer, after, new_arrival


def test_an_arrival_is_kept_with_its_receipt(store: Store) -> None:
    peer = add_peer(store)
    new = new_arrival(peer.id, refers_to="urn:uuid:0")
    with store.begin() as conn:
        stored = inbox.record_arrival(conn, new)
    with store.read() as conn:
        assert inbox.find(conn, peer.id, new.message_id) == stored
        assert inbox.find_by_digest(conn, stored.envelope_sha256) == stored
        assert inbox.find_by_message(conn, new.message_id) == (stored,)
        assert inbox.find(conn, peer.id, "urn:uuid:none") is None
        assert inbox.find_by_digest(conn, "0" * 64) is None
        assert bodies.get(conn, stored.envelope_sha256) == new.envelope
        assert journal.page(conn)[0].action == journal.Action.ARRIVAL_ACCEPTED
    assert stored.receipt == new.receipt


def test_the_same_message_again_has_the_first_receipt(store: Store) -> None:
    peer = add_peer(store)
    new = new_arrival(peer.id)
    with store.begin() as conn:
        first = inbox.record_arrival(conn, new)
    with store.begin() as conn:
        changed = {name: getattr(new, name) for name in new.__dataclass_fields__}
        again = inbox.record_arrival(conn, type(new)(**(changed | {"receipt": b"another"})))
        assert again == first
        inbox.note_repeat(conn, again, at=after(5))
    with store.read() as conn:
        found = inbox.find(conn, peer.id, new.message_id)
        assert found is not None
        assert (found.receipt, found.repeats) == (new.receipt, 1)
        assert journal.page(conn)[0].action == journal.Action.ARRIVAL_REPEATED


def test_other_bytes_under_the_same_id_are_refused_with_message_id_reused(store: Store) -> None:
    peer = add_peer(store)
    new = new_arrival(peer.id)
    with store.begin() as conn:
        inbox.record_arrival(conn, new)
    with pytest.raises(MessageIdReusedError), store.begin() as conn:
        inbox.record_arrival(conn, new_arrival(peer.id, message_id=new.message_id))


def test_ids_are_unique_per_sender_only(store: Store) -> None:
    kenya, sudan = add_peer(store, "KE-GW"), add_peer(store, "SD-GW")
    with store.begin() as conn:
        for peer in (kenya, sudan):
            inbox.record_arrival(conn, new_arrival(peer.id, message_id="urn:uuid:same"))
        assert len(inbox.find_by_message(conn, "urn:uuid:same")) == 2


def test_a_refusal_is_kept_like_any_arrival(store: Store) -> None:
    peer = add_peer(store)
    refused = new_arrival(
        peer.id, verdict=Verdict.REFUSED, code="SCHEMA_INVALID", payload=None, document_number=None
    )
    with store.begin() as conn:
        stored = inbox.record_arrival(conn, refused)
    assert (stored.verdict, stored.code, stored.payload_sha256) == (
        Verdict.REFUSED,
        "SCHEMA_INVALID",
        None,
    )
    with store.read() as conn:
        assert journal.page(conn)[0].action == journal.Action.ARRIVAL_REFUSED


def test_of_two_that_settle_the_same_message_the_second_finds_the_first(store: Store) -> None:
    peer = add_peer(store)
    settled: list[str] = []

    def settle(name: str) -> None:
        with store.begin() as conn:
            earlier = inbox.reserve(conn, peer.id, "urn:uuid:race")
            if earlier is None:
                arrival = new_arrival(
                    peer.id, message_id="urn:uuid:race", envelope=b"e", receipt=name.encode()
                )
                inbox.record_arrival(conn, arrival)
                settled.append(name)
            else:
                settled.append(earlier.receipt.decode())

    threads = [threading.Thread(target=settle, args=(f"worker-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(settled) == 4
    assert len(set(settled)) == 1


def test_lists_page_by_key_and_filter(store: Store) -> None:
    kenya, sudan = add_peer(store, "KE-GW"), add_peer(store, "SD-GW")
    with store.begin() as conn:
        rows = [inbox.record_arrival(conn, new_arrival(kenya.id)) for _ in range(3)]
        rows.append(inbox.record_arrival(conn, new_arrival(sudan.id, conversation_id="c-9")))
    with store.read() as conn:
        newest = inbox.page(conn, limit=2)
        assert newest == tuple(rows[:1:-1])
        assert inbox.page(conn, before=newest[-1].id) == tuple(rows[1::-1])
        assert len(inbox.page(conn, peer_id=kenya.id)) == 3
        number = rows[0].document_number
        assert number is not None
        assert inbox.page(conn, document_number=number.lower()) == (rows[0],)
        assert inbox.in_conversation(conn, "c-9") == (rows[3],)
