"""Circulating the directory of authorities: writing our own as a signed file, taking a peer's."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.errors import (
    BundleDamagedError,
    NotFoundError,
    SenderMismatchError,
    TestFlagError,
)
from gateway.exchange.context import Desk
from gateway.exchange.directory_file import (
    FILE_LIMITS,
    DirectoryFile,
    FiledEntry,
    claimed_sender,
    read_directory,
    render_directory,
)
from gateway.exchange.file_sender import known_sender
from gateway.exchange.receipts import sha256_of
from gateway.store import NewDirectoryEntry, directory, journal
from gateway.trust import SignerRole, sign, verify
from gateway.xml.parsing import parse

_SAID = tuple(NewDirectoryEntry.__dataclass_fields__)


@dataclass(frozen=True, kw_only=True)
class TakenDirectory:
    """Is what became of a peer's file.

    Attributes:
        new: versions of entries that were not here yet.
    """

    file: DirectoryFile
    new: int


def export_directory(desk: Desk, *, actor: str) -> bytes:
    """Return all that this gateway keeps about its own state, signed with the gateway's key.

    Raises:
        NotFoundError: nothing is entered.
        TooLargeError: no peer would read so large a file.
    """
    own, now = desk.identity, desk.clock()
    with desk.store.read() as conn:
        entries = [
            FiledEntry(
                entry=NewDirectoryEntry(**{name: getattr(entry, name) for name in _SAID}),
                picture=None if entry.picture_sha256 is None else directory.picture(conn, entry),
            )
            for entry in directory.history_of(conn, own.identifier)
            if entry.country == own.country
        ]
    if not entries:
        raise NotFoundError("nothing is entered in the directory about this state")
    written = render_directory(
        sender=own.identifier, country=own.country, test=own.test, at=now, entries=entries
    )
    signed = sign(written, desk.gateway_credential, root=parse(written, FILE_LIMITS))
    with desk.store.begin() as conn:
        journal.append(
            conn,
            at=now,
            actor=actor,
            action=journal.Action.DIRECTORY_EXPORTED,
            subject=sha256_of(signed),
            detail={"entries": len(entries)},
        )
    return signed


def import_directory(desk: Desk, raw: bytes, *, actor: str) -> TakenDirectory:
    """Return what became of a peer's file; all of it is taken, or nothing.

    1. The file is signed by the gateway of the registered, active peer that it names.
    2. It follows its schema, every specimen is a bare picture, and it is of our kind (test or
       live).
    3. Each version of an entry is stored unless it is here; one that differs from what is here
       under the same number is refused with the whole file.

    Raises:
        GatewayError: for each step; nothing was taken.
    """
    peer, trust = known_sender(desk, claimed_sender(parse(raw, FILE_LIMITS)))
    now = desk.clock()
    verified = verify(raw, trust, role=SignerRole.GATEWAY, at=now, limits=FILE_LIMITS)  # 1
    file = read_directory(verified.root)  # 2
    stated = (file.sender, file.sender_country, verified.signer.country)
    if stated != (peer.identifier, peer.country, peer.country):
        raise SenderMismatchError(f"the signed sender {file.sender} is not {peer.identifier}")
    if file.test is not desk.identity.test:
        raise TestFlagError("a directory of tests is for gateways under test alone")
    if file.created_at > now + desk.limits.clock_skew:
        raise BundleDamagedError("the directory was written in the future")
    with desk.store.begin() as conn:  # 3
        new = sum(_stored(conn, each, desk, actor) for each in file.entries)
        journal.append(
            conn,
            at=now,
            actor=actor,
            action=journal.Action.DIRECTORY_IMPORTED,
            subject=peer.identifier,
            detail={"file_sha256": sha256_of(raw), "entries": len(file.entries), "new": new},
        )
    return TakenDirectory(file=file, new=new)


def _stored(conn: Connection, filed: FiledEntry, desk: Desk, actor: str) -> bool:
    _, is_new = directory.add(conn, filed.entry, filed.picture, at=desk.clock(), actor=actor)
    return is_new
