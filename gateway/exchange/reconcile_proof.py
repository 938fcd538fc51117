"""The agreed balance as evidence: both signed statements, checked again from their bytes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.documents import BooksOutcome, BooksStatement, BooksStatus
from gateway.documents.books_statement import StatedMessage
from gateway.envelope import Header, peek, unwrap
from gateway.errors import ConflictError, NotFoundError
from gateway.exchange.context import Desk
from gateway.exchange.reconcile_heal import own_gateway_trust
from gateway.store import Balance, BooksSide, bodies, peers
from gateway.trust import PeerTrust, SignerRole, verify
from gateway.xml.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Is an agreed balance: what the sender stated and how the receiver agreed to it.

    Attributes:
        statement_bytes, answer_bytes: the signed envelopes as they travelled.
    """

    statement: BooksStatement
    answer: BooksStatement
    statement_bytes: bytes
    answer_bytes: bytes


def proof_of(desk: Desk, conn: Connection, balance: Balance) -> Proof:
    """Return the two signed documents of an agreed balance after verifying all of both.

    1. Envelope and document of each are signed by the gateway that they name.
    2. The answer refers to the statement and says AGREED.
    3. Both state the same messages with the same digests and verdicts.

    Raises:
        NotFoundError: the balance is not agreed.
        GatewayError: the proof does not hold.
    """
    if balance.statement_sha256 is None or balance.answer_sha256 is None:
        raise NotFoundError(f"part {balance.part} of {balance.day} is not agreed")
    peer = desk.trust_cache.of(conn, peers.get(conn, balance.peer_id))
    ours = own_gateway_trust(desk)
    stating, answering = (ours, peer) if balance.side is BooksSide.SENT else (peer, ours)
    stated = bodies.get(conn, balance.statement_sha256)
    answered = bodies.get(conn, balance.answer_sha256)
    header, statement = _read(desk, stated, stating)  # 1
    _, answer = _read(desk, answered, answering)
    if (answer.answers, answer.status) != (header.message_id, BooksStatus.AGREED):  # 2
        raise NotFoundError(f"part {balance.part} of {balance.day} is not agreed")
    same = _facts(statement) == _facts(answer)
    if not same or any(m.outcome is not BooksOutcome.MATCHED for m in answer.messages):  # 3
        raise ConflictError("statement and answer do not state the same messages")
    return Proof(statement=statement, answer=answer, statement_bytes=stated, answer_bytes=answered)


def _read(desk: Desk, raw: bytes, trust: PeerTrust) -> tuple[Header, BooksStatement]:
    at = peek(parse(raw)).created_at
    header, payload = unwrap(verify(raw, trust, role=SignerRole.GATEWAY, at=at).root)
    verified = verify(payload, trust, role=SignerRole.GATEWAY, at=at)
    desk.schemas.require_valid(verified.root)
    document = desk.tables[header.document_type].read(verified.root)
    if not isinstance(document, BooksStatement):
        raise ConflictError(f"{header.message_id} is no statement of books")
    return header, document


def _facts(document: BooksStatement) -> list[StatedMessage]:
    left_out = {"outcome": None, "copy_of_envelope": None}
    return [entry.model_copy(update=left_out) for entry in document.messages]
