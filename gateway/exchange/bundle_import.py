"""Taking a bundle: first the file as a whole or not at all, then each member for itself.

The manifest's signature says who made the bundle and for whom; it believes nobody but the peer
registered under that name.  What an envelope or receipt in it is worth is decided by its own
signature, in the same pipelines as on the line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import BinaryIO

from lxml import etree

from gateway.documents import Verdict
from gateway.envelope import peek
from gateway.errors import (
    BundleDamagedError,
    GatewayError,
    SenderMismatchError,
    TestFlagError,
    WrongReceiverError,
)
from gateway.exchange.bundle_archive import MANIFEST_NAME, BundleArchive, open_archive
from gateway.exchange.bundle_manifest import (
    MANIFEST_LIMITS,
    Manifest,
    Member,
    claimed_sender,
    read_manifest,
)
from gateway.exchange.context import Desk
from gateway.exchange.file_sender import known_sender
from gateway.exchange.inbound import Carrier, accept_from
from gateway.exchange.proof import record_proof
from gateway.exchange.receipts import sha256_of
from gateway.store import BundleKind, Peer, bundles, inbox
from gateway.store.verdicts import Standing
from gateway.trust import PeerTrust, RegisteredSigner, Signer, SignerRole, verify
from gateway.xml.parsing import parse


@dataclass(frozen=True, kw_only=True)
class ImportedMember:
    """Is what became of one member.

    Attributes:
        verdict: ours about an envelope, the peer's in a receipt; None if it was not taken.
        repeated: it was here before, and changed nothing.
        code: wire code of why it was not taken; of an envelope the peer hears nothing then.
    """

    kind: BundleKind
    message_id: str
    verdict: Verdict | None = None
    repeated: bool = False
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, kw_only=True)
class Imported:
    """Is a bundle that was taken."""

    manifest: Manifest
    members: tuple[ImportedMember, ...]


@dataclass(frozen=True, kw_only=True)
class Inspected:
    """Is a bundle that was only looked at.

    Attributes:
        signer: who signed the manifest, where that could be verified.
        code: wire code of why importing it here would be refused; None if it would not.
    """

    manifest: Manifest
    signer: Signer | None
    code: str | None


def import_bundle(desk: Desk, file: BinaryIO, *, actor: str) -> Imported:
    """Return what became of every member of the bundle in ``file``.

    1. The archive has the one form that is read; nothing in it is unpacked.
    2. The manifest is signed by the gateway of the registered, active peer that it names.
    3. It is addressed to us, of our kind (test or live).
    4. Archive and manifest agree on every name, size and digest.
    5. Receipts are owed for its envelopes from now on, whatever happens next.
    6. Each envelope is accepted, each receipt recorded, as if the line had brought it.

    Importing the same bundle again changes nothing, but its receipts are owed once more.

    Raises:
        GatewayError: for steps 1 to 4; nothing was taken.
    """
    with open_archive(file) as archive:  # 1
        signed = archive.read(MANIFEST_NAME)
        peer, trust = _sender(desk, signed)
        manifest, signer = _verified(desk, signed, trust)  # 2
        _require_sender(manifest, signer, peer)
        _require_for_us(desk, manifest)  # 3
        _require_agreement(archive, manifest)  # 4
        with desk.store.begin() as conn:  # 5
            bundles.note_import(
                conn,
                peer,
                manifest.bundle_id,
                [(member.kind, member.message_id) for member in manifest.members],
                at=desk.clock(),
                actor=actor,
            )
        taken = [_take(desk, peer, archive, member, actor) for member in manifest.members]  # 6
    return Imported(manifest=manifest, members=tuple(taken))


def inspect_bundle(desk: Desk, file: BinaryIO) -> Inspected:
    """Return what the bundle in ``file`` says, and whether it could be imported here.

    Raises:
        GatewayError: the archive or its manifest cannot be read at all.
    """
    with open_archive(file) as archive:
        signed = archive.read(MANIFEST_NAME)
        claimed = read_manifest(_unsigned(signed))
        own = claimed.sender == desk.identity.identifier
        try:
            trust = _own_trust(desk) if own else _sender(desk, signed)[1]
            manifest, signer = _verified(desk, signed, trust)
        except GatewayError as exc:
            return Inspected(manifest=claimed, signer=None, code=exc.code)
        try:
            _require_agreement(archive, manifest)
            _require_for_us(desk, manifest)
        except GatewayError as exc:
            return Inspected(manifest=manifest, signer=signer, code=exc.code)
    return Inspected(manifest=manifest, signer=signer, code=None)


def _sender(desk: Desk, signed: bytes) -> tuple[Peer, PeerTrust]:
    return known_sender(desk, claimed_sender(parse(signed, MANIFEST_LIMITS)))


def _verified(desk: Desk, signed: bytes, trust: PeerTrust) -> tuple[Manifest, Signer]:
    verified = verify(
        signed, trust, role=SignerRole.GATEWAY, at=desk.clock(), limits=MANIFEST_LIMITS
    )
    return read_manifest(verified.root), verified.signer


def _require_sender(manifest: Manifest, signer: Signer, peer: Peer) -> None:
    stated = (manifest.sender, manifest.sender_country, signer.country)
    if stated != (peer.identifier, peer.country, peer.country):
        raise SenderMismatchError(f"the signed sender {manifest.sender} is not {peer.identifier}")


def _require_for_us(desk: Desk, manifest: Manifest) -> None:
    own = desk.identity
    if (manifest.receiver, manifest.receiver_country) != (own.identifier, own.country):
        raise WrongReceiverError(f"addressed to {manifest.receiver}, but this is {own.identifier}")
    if manifest.test is not own.test:
        kind = "test" if manifest.test else "live"
        raise TestFlagError(f"a {kind} bundle cannot be taken by this gateway")


def _require_agreement(archive: BundleArchive, manifest: Manifest) -> None:
    if archive.sizes != {member.name: member.size for member in manifest.members}:
        raise BundleDamagedError("the archive does not hold what its manifest names")
    for member in manifest.members:
        if sha256_of(archive.read(member.name)) != member.sha256:
            raise BundleDamagedError(f"{member.name} is not what the manifest was signed over")


def _take(
    desk: Desk, peer: Peer, archive: BundleArchive, member: Member, actor: str
) -> ImportedMember:
    result = ImportedMember(kind=member.kind, message_id=member.message_id)
    raw = archive.read(member.name)
    try:
        if member.kind is BundleKind.RECEIPT:
            verdict, standing = record_proof(desk, peer, member.message_id, raw, actor=actor)
            return _recorded(result, verdict, standing)
        return _accepted(desk, peer, raw, result)
    except GatewayError as exc:
        return replace(result, code=exc.code, detail=exc.detail)


def _recorded(result: ImportedMember, verdict: Verdict, standing: Standing) -> ImportedMember:
    if standing is Standing.CONTRADICTS:
        detail = f"an earlier receipt says {verdict}; both are kept, and the first one decides"
        return replace(result, verdict=verdict, code=standing.value, detail=detail)
    return replace(result, verdict=verdict, repeated=standing is Standing.KNOWN)


def _accepted(desk: Desk, peer: Peer, raw: bytes, result: ImportedMember) -> ImportedMember:
    if peek(parse(raw)).message_id != result.message_id:
        raise BundleDamagedError("the envelope has another message id than the manifest states")
    with desk.store.read() as conn:
        before = inbox.find(conn, peer.id, result.message_id)
    accept_from(desk, raw, Carrier(peer=peer))
    with desk.store.read() as conn:
        arrival = inbox.find(conn, peer.id, result.message_id)
    verdict = None if arrival is None else arrival.verdict
    return replace(result, verdict=verdict, repeated=before is not None)


def _unsigned(signed: bytes) -> etree._Element:
    root = parse(signed, MANIFEST_LIMITS)
    claimed_sender(root)
    return root


def _own_trust(desk: Desk) -> PeerTrust:
    """Return whom to believe about a bundle that this gateway itself wrote."""
    credential, country = desk.gateway_credential, desk.identity.country
    own = RegisteredSigner(
        fingerprint=credential.fingerprint, country=country, role=SignerRole.GATEWAY
    )
    return replace(desk.own_trust, anchors=credential.chain[-1:], signers=(own,))
