"""What goes into bundle files for a peer, and what is noted about it.

A message that went out in a bundle keeps its state, lease and turn: only a verified receipt
moves it.  A receipt is owed to a peer for every envelope that its bundles named, until it went
out; naming the envelope again makes it owed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, select, update

from gateway.errors import ConflictError, NotFoundError
from gateway.store import inbox, journal, outbox
from gateway.store.dialects import insert_if_absent
from gateway.store.rows import Peer
from gateway.store.states import BundleKind, DeliveryState
from gateway.store.tables import arrivals, bundle_members, dispatches
from gateway.store.tables import bodies as body_table

_TRAVELS = (
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.RETRYING,
    DeliveryState.FAILED,
)
_EARLIER = dispatches.alias("earlier")
_KEPT_BACK = exists().where(
    _EARLIER.c.peer_id == dispatches.c.peer_id,
    _EARLIER.c.conversation_id == dispatches.c.conversation_id,
    _EARLIER.c.id < dispatches.c.id,
    _EARLIER.c.state == DeliveryState.HELD,
)

_TURN = func.max(dispatches.c.rank_at).over(
    partition_by=dispatches.c.conversation_id, order_by=dispatches.c.id
)
"""Rank of a message, but never before what precedes it in its conversation."""


@dataclass(frozen=True, kw_only=True)
class BundleItem:
    """Names stored bytes that travel in a bundle.

    Attributes:
        message_id: of the message itself, or of the one that the receipt answers.
        sha256: of the bytes, in hex.
        size: of the bytes.
    """

    kind: BundleKind
    message_id: str
    sha256: str
    size: int


def waiting(
    conn: Connection, peer: Peer, *, again: bool = False, limit: int
) -> tuple[BundleItem, ...]:
    """Return the envelopes that wait for ``peer``, the most urgent first.

    Messages of one conversation keep their order, whatever they carry.  What an operator keeps
    back stays here, and so does what follows it in its conversation.

    Args:
        again: also those that went out in an earlier bundle.
    """
    query = (
        _envelopes(peer)
        .where(dispatches.c.state.in_(_TRAVELS), ~_KEPT_BACK)
        .order_by(_TURN, dispatches.c.id)
        .limit(limit)
    )
    if not again:
        query = query.where(~_went_out(peer))
    return _items(conn, BundleKind.ENVELOPE, query)


def owed(
    conn: Connection, peer: Peer, *, since: datetime | None = None, limit: int
) -> tuple[BundleItem, ...]:
    """Return the receipts owed to ``peer`` for what came in its bundles, oldest first.

    Args:
        since: also those that went out already, if the envelope came after this moment.
    """
    due: ColumnElement[bool] = bundle_members.c.exported_at.is_(None)
    if since is not None:
        due = due | (bundle_members.c.noted_at > since)
    query = (
        _receipts(peer)
        .join(
            bundle_members,
            and_(
                bundle_members.c.peer_id == arrivals.c.peer_id,
                bundle_members.c.message_id == arrivals.c.message_id,
                bundle_members.c.kind == BundleKind.RECEIPT,
            ),
        )
        .where(due)
        .order_by(arrivals.c.id)
        .limit(limit)
    )
    return _items(conn, BundleKind.RECEIPT, query)


def named(conn: Connection, peer: Peer, message_ids: Sequence[str]) -> tuple[BundleItem, ...]:
    """Return what an operator asks for: our messages, or our receipts for theirs.

    Earlier messages of the same conversations that still wait come along, so that the peer
    reads them in order.

    Raises:
        NotFoundError: neither sent to this peer nor received from it.
        ConflictError: a message that is delivered, refused or kept back.
    """
    sent = [_sendable(conn, peer, message_id) for message_id in message_ids]
    last = {conversation: max(n for c, n in sent if c == conversation) for conversation, n in sent}
    found: list[BundleItem] = []
    for conversation, number in last.items():
        query = (
            _envelopes(peer)
            .where(dispatches.c.conversation_id == conversation, dispatches.c.id <= number)
            .where(dispatches.c.state.in_(_TRAVELS))
            .order_by(dispatches.c.id)
        )
        found += _items(conn, BundleKind.ENVELOPE, query)
    for message_id in message_ids:
        query = _receipts(peer).where(arrivals.c.message_id == message_id)
        found += _items(conn, BundleKind.RECEIPT, query)
    return tuple(found)


def note_export(
    conn: Connection,
    peer: Peer,
    bundle_id: str,
    items: Iterable[BundleItem],
    *,
    at: datetime,
    actor: str,
) -> None:
    """Note in books and journal that ``items`` went out in a bundle; no state changes."""
    counts = dict.fromkeys(BundleKind, 0)
    for item in items:
        counts[item.kind] += 1
        _note(conn, peer, item.kind, item.message_id, bundle_id, at=at, exported_at=at)
        if item.kind is BundleKind.ENVELOPE:
            journal.append(
                conn,
                at=at,
                actor=actor,
                action=journal.Action.DISPATCH_EXPORTED,
                subject=item.message_id,
                detail={"bundle": bundle_id, "envelope_sha256": item.sha256},
            )
    _note_bundle(conn, peer, bundle_id, journal.Action.BUNDLE_EXPORTED, counts, at, actor)


def note_import(
    conn: Connection,
    peer: Peer,
    bundle_id: str,
    members: Iterable[tuple[BundleKind, str]],
    *,
    at: datetime,
    actor: str,
) -> None:
    """Note that a bundle came in, and that receipts are owed for the envelopes in it.

    Call it before the envelopes are accepted, so that no receipt is forgotten in between.
    """
    counts = dict.fromkeys(BundleKind, 0)
    for kind, message_id in members:
        counts[kind] += 1
        if kind is BundleKind.ENVELOPE:
            _note(conn, peer, BundleKind.RECEIPT, message_id, bundle_id, at=at, exported_at=None)
    _note_bundle(conn, peer, bundle_id, journal.Action.BUNDLE_IMPORTED, counts, at, actor)


def _envelopes(peer: Peer) -> Select[Any]:
    return (
        select(
            dispatches.c.message_id,
            dispatches.c.envelope_sha256,
            func.length(body_table.c.content),
        )
        .join(body_table, body_table.c.sha256 == dispatches.c.envelope_sha256)
        .where(dispatches.c.peer_id == peer.id)
    )


def _receipts(peer: Peer) -> Select[Any]:
    return (
        select(
            arrivals.c.message_id,
            arrivals.c.receipt_sha256,
            func.length(body_table.c.content),
        )
        .join(body_table, body_table.c.sha256 == arrivals.c.receipt_sha256)
        .where(arrivals.c.peer_id == peer.id)
    )


def _items(conn: Connection, kind: BundleKind, query: Select[Any]) -> tuple[BundleItem, ...]:
    return tuple(
        BundleItem(kind=kind, message_id=row[0], sha256=row[1], size=row[2])
        for row in conn.execute(query)
    )


def _went_out(peer: Peer) -> ColumnElement[bool]:
    return exists().where(
        bundle_members.c.peer_id == peer.id,
        bundle_members.c.kind == BundleKind.ENVELOPE,
        bundle_members.c.message_id == dispatches.c.message_id,
        bundle_members.c.exported_at.is_not(None),
    )


def _sendable(conn: Connection, peer: Peer, message_id: str) -> tuple[str, int]:
    """Return conversation and key of a message that may travel; of a receipt, nothing sent."""
    dispatch = outbox.dispatch(conn, message_id)
    if dispatch is None or dispatch.peer_id != peer.id:
        if inbox.find(conn, peer.id, message_id) is not None:
            return "", 0
        raise NotFoundError(f"{message_id} was neither sent to {peer.identifier} nor received")
    kept_back = select(_KEPT_BACK).where(dispatches.c.id == dispatch.id)
    if dispatch.state not in _TRAVELS or conn.execute(kept_back).scalar():
        state = dispatch.state.value.lower()
        raise ConflictError(f"{message_id} does not travel: it is {state} or waits for a held one")
    return dispatch.conversation_id, dispatch.id


def _note(
    conn: Connection,
    peer: Peer,
    kind: BundleKind,
    message_id: str,
    bundle_id: str,
    *,
    at: datetime,
    exported_at: datetime | None,
) -> None:
    own = {"peer_id": peer.id, "kind": kind, "message_id": message_id}
    noted = {"bundle_id": bundle_id, "exported_at": exported_at}
    conn.execute(insert_if_absent(conn, bundle_members), own | noted | {"noted_at": at})
    keys = [bundle_members.c[name] == value for name, value in own.items()]
    if exported_at is None:
        noted["noted_at"] = at
    conn.execute(update(bundle_members).where(*keys).values(**noted))


def _note_bundle(
    conn: Connection,
    peer: Peer,
    bundle_id: str,
    action: journal.Action,
    counts: dict[BundleKind, int],
    at: datetime,
    actor: str,
) -> None:
    journal.append(
        conn,
        at=at,
        actor=actor,
        action=action,
        subject=bundle_id,
        detail={
            "peer": peer.identifier,
            "envelopes": counts[BundleKind.ENVELOPE],
            "receipts": counts[BundleKind.RECEIPT],
        },
    )
