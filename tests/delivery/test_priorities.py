"""Priorities: perishable goods go first, and nothing waits for ever behind them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.exchange.outbound import submit_document
from gateway.exchange.priorities import PriorityTable
from gateway.store import Peer, PeerChannel, Store, bundles, collecting, outbox
from tests.exchange.corridor import Corridor
from tests.factories import certificate, customs_response, goods_item
from tests.store.helpers import NOW, add_peer, after, delivered, new_dispatch, take

TABLE = PriorityTable.load()
FLOWERS, MACHINES, CATTLE = "060311", "843359", "010229"


def of_goods(*hs_codes: str, **changes: object):
    items = tuple(
        goods_item(number=number, hs_code=code) for number, code in enumerate(hs_codes, start=1)
    )
    return certificate(items=items, **changes)


def test_the_most_perishable_item_of_a_certificate_decides():
    assert TABLE.head_start(of_goods(MACHINES)) == timedelta()
    assert TABLE.head_start(of_goods(MACHINES, FLOWERS)) == timedelta(hours=6)
    assert TABLE.head_start(of_goods(FLOWERS, CATTLE)) == timedelta(hours=12)
    assert TABLE.head_start(customs_response()) == timedelta()


def test_every_perishable_chapter_of_the_harmonized_system_has_a_head_start():
    for chapter in range(1, 9):
        assert TABLE.head_start(of_goods(f"{chapter:02}0110")) > timedelta(), chapter


def sent_order(store: Store, count: int) -> list[str]:
    order = []
    for number in range(count):
        with store.begin() as conn:
            (claim,) = take(conn, now=after(number))
            outbox.record_attempt(conn, claim, delivered(ended_at=after(number)))
        order.append(claim.document_number)
    return order


def test_perishable_goods_are_claimed_first(store: Store):
    peer = add_peer(store)
    with store.begin() as conn:
        for number, head_start in ((1, 0), (2, 0), (3, 6), (4, 12)):
            start = timedelta(hours=head_start)
            new = new_dispatch(peer.id, document_number=f"N{number}", head_start=start)
            outbox.enqueue(conn, new)
    assert sent_order(store, 4) == ["N4", "N3", "N1", "N2"]


def test_whoever_waited_longer_than_the_head_start_is_not_overtaken(store: Store):
    peer = add_peer(store)
    old, fresh = NOW - timedelta(hours=7), NOW
    with store.begin() as conn:
        for name, created_at, head_start in (
            ("flowers", fresh, timedelta(hours=6)),
            ("machines", old, timedelta()),
        ):
            new = new_dispatch(
                peer.id, document_number=name, created_at=created_at, head_start=head_start
            )
            outbox.enqueue(conn, new)
    assert sent_order(store, 2) == ["machines", "flowers"]


def test_a_perishable_message_does_not_overtake_its_own_conversation(store: Store):
    peer = add_peer(store)
    with store.begin() as conn:
        for name, head_start in (("first", timedelta()), ("second", timedelta(hours=12))):
            new = new_dispatch(
                peer.id, document_number=name, conversation_id="one", head_start=head_start
            )
            outbox.enqueue(conn, new)
    assert sent_order(store, 2) == ["first", "second"]


def queue_with_head_starts(store: Store, peer: Peer) -> None:
    with store.begin() as conn:
        for name, conversation, hours in (
            ("N1", "a", 0),
            ("N2", "b", 0),
            ("N3", "c", 6),
            ("N4", "b", 12),  # must not overtake N2, which its conversation began with
            ("N5", "d", 12),
        ):
            new = new_dispatch(
                peer.id,
                document_number=name,
                message_id=f"urn:uuid:{name}",
                conversation_id=conversation,
                head_start=timedelta(hours=hours),
            )
            outbox.enqueue(conn, new)


def test_perishable_goods_are_handed_out_first_to_a_peer_that_collects(store: Store):
    peer = add_peer(store, channel=PeerChannel.COLLECT)
    queue_with_head_starts(store, peer)
    order = []
    for _ in range(5):
        with store.begin() as conn:
            (claim,) = collecting.hand_out(
                conn, peer, NOW, lease=timedelta(minutes=5), limit=1, max_bytes=1000
            )
            outbox.record_attempt(conn, claim, delivered())
        order.append(claim.document_number)
    assert order == ["N5", "N3", "N1", "N2", "N4"]


def test_perishable_goods_stand_first_in_a_bundle_and_conversations_keep_their_order(store: Store):
    peer = add_peer(store)
    queue_with_head_starts(store, peer)
    for limit in (2, 10):
        with store.read() as conn:
            found = bundles.waiting(conn, peer, limit=limit)
        assert [one.message_id[-2:] for one in found] == ["N5", "N3", "N1", "N2", "N4"][:limit]


def test_a_submitted_certificate_gets_the_head_start_of_its_goods(corridor: Corridor):
    items = (goods_item(hs_code=FLOWERS),)
    message_id = submit_document(corridor.zm.desk, certificate(items=items)).message_id
    dispatch = corridor.zm.dispatch(message_id)
    assert dispatch.created_at - dispatch.rank_at == timedelta(hours=6)


def own_table(folder: Path, text: str) -> Path:
    path = folder / "priorities.yaml"
    path.write_text(text, encoding="utf-8")
    return path


LABEL = "label: {en: ours, fr: nôtre, ar: لنا}"


def test_a_home_says_which_goods_are_urgent_there(tmp_path: Path):
    text = f'classes:\n  tea:\n    head_start_minutes: 90\n    chapters: ["09"]\n    {LABEL}\n'
    table = PriorityTable.load(own_table(tmp_path, text))
    assert table.head_start(of_goods("090240")) == timedelta(minutes=90)
    assert table.head_start(of_goods(FLOWERS)) == timedelta(hours=6)


def test_a_class_of_the_home_takes_its_chapters_from_the_shipped_ones(tmp_path: Path):
    text = f'classes:\n  roses:\n    head_start_minutes: 5\n    chapters: ["06"]\n    {LABEL}\n'
    table = PriorityTable.load(own_table(tmp_path, text))
    assert table.head_start(of_goods(FLOWERS)) == timedelta(minutes=5)
    assert table.head_start(of_goods("080440")) == timedelta(hours=6)


@pytest.mark.parametrize(
    ("chapters", "complaint"),
    [('["6"]', r"line 4"), ('["06", "06"]', "stand twice: 06"), ("[]", r"line 4")],
)
def test_a_broken_table_of_priorities_is_refused_with_its_place(
    tmp_path: Path, chapters: str, complaint: str
):
    text = f"classes:\n  roses:\n    head_start_minutes: 5\n    chapters: {chapters}\n    {LABEL}\n"
    with pytest.raises(ConfigError, match=complaint):
        PriorityTable.load(own_table(tmp_path, text))
