"""Line-down mode: envelopes and receipts travel in a signed file, by stick or by e-mail.

Exporting moves no message to another state: it is noted in journal and books, and the line may
deliver the same message at any time.  The receiver takes an envelope once, whichever way brings
it first, and answers every way with the same receipt.  A receipt that returns in a bundle is
checked like any other, and decides even what was given up.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, Final

from sqlalchemy import Connection

from gateway.errors import NotFoundError
from gateway.exchange.bundle_archive import MANIFEST_NAME, write_archive
from gateway.exchange.bundle_manifest import (
    MOST_MEMBERS,
    Manifest,
    Member,
    render_manifest,
    with_names,
)
from gateway.exchange.context import Desk
from gateway.store import BundleItem, Peer, bodies, bundles
from gateway.trust import sign

USUAL_BYTES: Final = 100_000_000
RECEIPTS_AGAIN: Final = timedelta(days=90)
"""How long back ``again`` repeats receipts; a peer that lacks one sends its envelope again."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Says what to export.

    Attributes:
        again: also what went out in an earlier bundle and is still undecided.
        message_ids: these only: messages of ours, or theirs whose receipts are wanted.
        max_bytes: bound of all members together; what does not fit is left for the next one.
    """

    again: bool = False
    message_ids: tuple[str, ...] = ()
    max_bytes: int = USUAL_BYTES


@dataclass(frozen=True, kw_only=True)
class Exported:
    """Is a bundle that was written.

    Attributes:
        left: members that did not fit.
    """

    manifest: Manifest
    left: int


def export_bundle(desk: Desk, peer: Peer, file: BinaryIO, selection: Selection) -> Exported:
    """Return what was written into ``file`` for ``peer``; nothing is noted yet.

    1. Choose receipts first, then envelopes, the most urgent first, within the bounds.
    2. Write the manifest with every digest and sign it with the gateway's key.
    3. Write the stored bytes as they are.

    Call ``note_exported`` when the file is safe: if that never happens, the next export
    repeats what this one held.

    Raises:
        NotFoundError: nothing waits for this peer, or a named message is unknown.
        ConflictError: a named message is delivered, refused or kept back.
    """
    with desk.store.read() as conn:
        chosen, left = _within(_chosen(desk, conn, peer, selection), selection.max_bytes)  # 1
    if not chosen:
        raise NotFoundError(f"nothing waits for {peer.identifier} that was not exported before")
    manifest = _manifest(desk, peer, with_names(chosen))
    signed = sign(render_manifest(manifest), desk.gateway_credential)  # 2
    write_archive(file, _contents(desk, signed, manifest))  # 3
    return Exported(manifest=manifest, left=left)


def note_exported(desk: Desk, peer: Peer, exported: Exported, *, actor: str) -> None:
    """Note in journal and books that the bundle was written."""
    manifest = exported.manifest
    with desk.store.begin() as conn:
        bundles.note_export(
            conn, peer, manifest.bundle_id, manifest.members, at=desk.clock(), actor=actor
        )


def _chosen(
    desk: Desk, conn: Connection, peer: Peer, selection: Selection
) -> tuple[BundleItem, ...]:
    if selection.message_ids:
        return bundles.named(conn, peer, tuple(dict.fromkeys(selection.message_ids)))
    since = desk.clock() - RECEIPTS_AGAIN if selection.again else None
    receipts = bundles.owed(conn, peer, since=since, limit=MOST_MEMBERS)
    envelopes = bundles.waiting(conn, peer, again=selection.again, limit=MOST_MEMBERS)
    return receipts + envelopes


def _within(items: tuple[BundleItem, ...], max_bytes: int) -> tuple[tuple[BundleItem, ...], int]:
    """Return the first items that fit, at least one, and how many do not."""
    count = total = 0
    for item in items[:MOST_MEMBERS]:
        total += item.size
        if count and total > max_bytes:
            break
        count += 1
    return items[:count], len(items) - count


def _manifest(desk: Desk, peer: Peer, members: tuple[Member, ...]) -> Manifest:
    own = desk.identity
    return Manifest(
        bundle_id=uuid.uuid4().urn,
        sender=own.identifier,
        sender_country=own.country,
        receiver=peer.identifier,
        receiver_country=peer.country,
        created_at=desk.clock(),
        test=own.test,
        members=members,
    )


def _contents(desk: Desk, signed: bytes, manifest: Manifest) -> Iterator[tuple[str, bytes]]:
    """Give the manifest, then every member from the store, one at a time."""
    yield MANIFEST_NAME, signed
    for member in manifest.members:
        with desk.store.read() as conn:
            yield member.name, bodies.get(conn, member.sha256)
