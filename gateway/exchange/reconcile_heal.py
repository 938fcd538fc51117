"""Healing: what each side does by itself about a difference between two books.

Signed bytes decide.  What a peer lacks is queued again, byte for byte; what we lost is taken
back from the peer only if our own signature stands on it; a verdict is what the stored receipt
says.  Different bytes under one id, or a signed verdict against another, are for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from gateway.documents import (
    BooksOutcome,
    CertificateOfOrigin,
    CustomsResponse,
    Verdict,
    document_number_of,
)
from gateway.documents.books_statement import StatedMessage
from gateway.envelope import Header, peek, unwrap
from gateway.errors import ConflictError, DigestMismatchError, GatewayError
from gateway.exchange.context import Desk
from gateway.exchange.receipts import read_receipt, sha256_of
from gateway.exchange.reconcile_books import Entries
from gateway.register import register
from gateway.register.recovery import recover_response_sent
from gateway.store import DeliveryState, NewDispatch, Peer, inbox, outbox
from gateway.trust import (
    COMPATIBLE,
    PeerTrust,
    RegisteredSigner,
    RevocationPolicy,
    SignerRole,
    verify,
)
from gateway.xml.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Is one entry that does not match, with what the peer says about it.

    Attributes:
        entry: the peer's entry; None where it says nothing about the message.
    """

    message_id: str
    outcome: BooksOutcome
    entry: StatedMessage | None


def heal_sent(
    desk: Desk, conn: Connection, peer: Peer, differences: Iterable[Difference]
) -> tuple[str, ...]:
    """Do what the sending side can about ``differences``; return the ids that need a person."""
    now = desk.clock()
    return tuple(d.message_id for d in differences if not _heal_one(desk, conn, peer, d, now))


def correct_arrived(desk: Desk, conn: Connection, peer: Peer, own: Entries) -> Entries:
    """Return ``own`` with each verdict as the receipt says that we signed for the message."""
    corrected = dict(own)
    for message_id, entry in own.items():
        arrival = inbox.find(conn, peer.id, message_id)
        if arrival is None:
            continue
        signed = _verdict(desk, arrival.receipt, own_gateway_trust(desk), desk.clock())
        if signed is not None and signed is not entry.verdict:
            inbox.set_verdict(conn, arrival, signed, at=desk.clock())
            corrected[message_id] = entry.model_copy(update={"verdict": signed})
    return corrected


def own_gateway_trust(desk: Desk) -> PeerTrust:
    """Return whom we believe where our own gateway is said to have signed: our present key."""
    credential = desk.gateway_credential
    return PeerTrust(
        country=desk.identity.country,
        anchors=credential.chain[-1:] or (credential.signing_cert,),
        signers=(
            RegisteredSigner(
                fingerprint=credential.fingerprint,
                country=desk.identity.country,
                role=SignerRole.GATEWAY,
            ),
        ),
        crls=(),
        policy=COMPATIBLE,
        revocation=RevocationPolicy.WHEN_KNOWN,
    )


def _heal_one(
    desk: Desk, conn: Connection, peer: Peer, difference: Difference, now: datetime
) -> bool:
    message_id, entry = difference.message_id, difference.entry
    if difference.outcome is BooksOutcome.UNKNOWN_HERE:
        return _send_again(conn, message_id, now, "the peer does not hold it")
    if difference.outcome is BooksOutcome.OTHER_VERDICT:
        return _heal_verdict(desk, conn, peer, message_id, now)
    if difference.outcome is BooksOutcome.MISSING_THERE and entry is not None:
        return _take_back(desk, conn, peer, entry, now)
    return False


def _send_again(conn: Connection, message_id: str, now: datetime, reason: str) -> bool:
    """Queue a finished message again; one under way or held comes to its end by itself."""
    dispatch = outbox.dispatch(conn, message_id)
    if dispatch is not None and dispatch.state.is_final:
        outbox.send_again(conn, message_id, at=now, reason=reason)
    return True


def _heal_verdict(desk: Desk, conn: Connection, peer: Peer, message_id: str, now: datetime) -> bool:
    receipt = outbox.receipt(conn, message_id)
    if receipt is None:
        return _send_again(conn, message_id, now, "its receipt is missing")
    signed = _verdict(desk, receipt, desk.trust_cache.of(conn, peer), now)
    dispatch = outbox.dispatch(conn, message_id)
    if signed is None or dispatch is None:
        return False
    refused = signed is Verdict.REFUSED
    state = DeliveryState.REFUSED if refused else DeliveryState.DELIVERED
    if (dispatch.verdict, dispatch.state) == (signed, state):
        return False
    outbox.set_verdict(conn, message_id, signed, at=now)
    return True


def _verdict(desk: Desk, receipt: bytes, trust: PeerTrust, now: datetime) -> Verdict | None:
    """Return what a stored receipt says; None where its signature does not hold."""
    try:
        return read_receipt(desk, receipt, trust, now)[1].verdict
    except GatewayError:
        return None


def _take_back(
    desk: Desk, conn: Connection, peer: Peer, entry: StatedMessage, now: datetime
) -> bool:
    """Enter a message of our own that our books lost, from the copy the peer returned.

    1. The copy has the digest stated, and our own signature; it went to this peer.
    2. The register learns what the document did.
    3. It is queued; the peer answers the same bytes with the receipt it once gave.
    """
    if entry.copy_of_envelope is None or outbox.dispatch(conn, entry.message_id) is not None:
        return False
    try:
        header, payload = _own_message(desk, peer, entry, entry.copy_of_envelope, now)  # 1
        number = _register_again(desk, conn, peer, header, payload)  # 2
    except GatewayError:
        return False
    new = NewDispatch(
        message_id=header.message_id,
        peer_id=peer.id,
        document_type=header.document_type,
        document_number=number,
        conversation_id=header.conversation_id,
        refers_to=header.refers_to,
        envelope=entry.copy_of_envelope,
        payload=payload,
        created_at=header.created_at,
        due_at=now,
        test=header.test,
    )
    outbox.enqueue(conn, new)  # 3
    return True


def _own_message(
    desk: Desk, peer: Peer, entry: StatedMessage, raw: bytes, now: datetime
) -> tuple[Header, bytes]:
    if sha256_of(raw) != entry.envelope_sha256:
        raise DigestMismatchError(f"the copy of {entry.message_id} has another digest than stated")
    at = min(peek(parse(raw)).created_at, now)
    verified = verify(raw, own_gateway_trust(desk), role=SignerRole.GATEWAY, at=at)
    header, payload = unwrap(verified.root)
    claimed = (header.message_id, header.sender, header.receiver)
    if claimed != (entry.message_id, desk.identity.identifier, peer.identifier):
        raise ConflictError(f"the copy of {entry.message_id} is another message")
    return header, payload


def _register_again(
    desk: Desk, conn: Connection, peer: Peer, header: Header, payload: bytes
) -> str:
    document = desk.tables[header.document_type].read(parse(payload))
    if isinstance(document, CertificateOfOrigin):
        carriage = register.Carriage(
            payload=payload,
            message_id=header.message_id,
            conversation_id=header.conversation_id,
            peer_id=peer.id,
            at=header.created_at,
        )
        register.record_issued(conn, document, carriage)
    elif isinstance(document, CustomsResponse):
        recover_response_sent(
            conn,
            document,
            payload=payload,
            message_id=header.message_id,
            at=desk.clock(),
        )
    return document_number_of(document)


def differences_of(
    outcomes: Mapping[str, BooksOutcome], answer: Iterable[StatedMessage]
) -> tuple[Difference, ...]:
    """Return the entries that do not match, each with the peer's entry about it, by id."""
    said = {entry.message_id: entry for entry in answer}
    return tuple(
        Difference(message_id=message_id, outcome=outcome, entry=said.get(message_id))
        for message_id, outcome in sorted(outcomes.items())
        if outcome is not BooksOutcome.MATCHED
    )
