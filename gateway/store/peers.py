"""Queries about peers, the X.509 certificates registered for them and their lanes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, update

from gateway.documents.codes import DocumentType
from gateway.errors import ConflictError, NotFoundError
from gateway.store import events, journal
from gateway.store.dialects import insert_if_absent
from gateway.store.rows import Lane, NewCredential, Peer, PeerCredential, PeerCrl, PeerProfile
from gateway.store.statements import Statement
from gateway.store.states import CredentialUse, EventKind, PeerState
from gateway.store.tables import lanes, peer_credentials, peer_crls
from gateway.store.tables import peers as table

_PROFILE = tuple(PeerProfile.__dataclass_fields__)
_BY_ID = Statement(select(table).where(table.c.id == bindparam("own")))
_BY_IDENTIFIER = Statement(select(table).where(table.c.identifier == bindparam("identifier")))
_BY_COUNTRY = Statement(
    select(table).where(table.c.country == bindparam("country")).order_by(table.c.identifier)
)
_BY_TLS = Statement(
    select(table)
    .join(peer_credentials, peer_credentials.c.peer_id == table.c.id)
    .where(
        peer_credentials.c.use == CredentialUse.TLS,
        peer_credentials.c.fingerprint == bindparam("fingerprint"),
    )
)
_ID_BY_TLS = Statement(
    select(peer_credentials.c.peer_id).where(
        peer_credentials.c.use == CredentialUse.TLS,
        peer_credentials.c.fingerprint == bindparam("fingerprint"),
    )
)
_LANE = Statement(select(lanes).where(lanes.c.peer_id == bindparam("own")))


def add(conn: Connection, profile: PeerProfile, *, at: datetime, actor: str) -> Peer:
    """Register a peer, ACTIVE, and return it.

    Raises:
        ConflictError: the identifier is taken.
    """
    values = _values(profile) | {
        "state": PeerState.ACTIVE,
        "revision": 1,
        "created_at": at,
        "updated_at": at,
    }
    row = conn.execute(insert_if_absent(conn, table, *table.c), values).one_or_none()
    if row is None:
        raise ConflictError(f"the peer {profile.identifier} is registered already")
    conn.execute(insert(lanes).values(peer_id=row.id, failures=0))
    journal.append(
        conn,
        at=at,
        actor=actor,
        action=journal.Action.PEER_ADDED,
        subject=profile.identifier,
        detail={"country": profile.country, "channel": profile.channel, "url": profile.url},
    )
    return _peer(row)


def change(
    conn: Connection, peer_id: int, profile: PeerProfile, *, at: datetime, actor: str
) -> Peer:
    """Replace the profile of a peer and return it; the identifier stays.

    Raises:
        NotFoundError: there is no such peer.
        ConflictError: the profile names another peer.
    """
    present = get(conn, peer_id)
    if present.identifier != profile.identifier:
        raise ConflictError(f"{present.identifier} cannot be renamed to {profile.identifier}")
    row = conn.execute(
        update(table)
        .where(table.c.id == peer_id)
        .values(**_values(profile), **_touched(at))
        .returning(table)
    ).one()
    changed = [name for name in _PROFILE if getattr(present, name) != getattr(profile, name)]
    journal.append(
        conn,
        at=at,
        actor=actor,
        action=journal.Action.PEER_CHANGED,
        subject=profile.identifier,
        detail={"changed": sorted(changed)},
    )
    return _peer(row)


def get(conn: Connection, peer_id: int) -> Peer:
    """Return the peer with this key.

    Raises:
        NotFoundError: there is none.
    """
    row = _BY_ID.first(conn, own=peer_id)
    if row is None:
        raise NotFoundError(f"no peer has the key {peer_id}")
    return _peer(row)


def by_identifier(conn: Connection, identifier: str) -> Peer | None:
    """Return the peer with this identifier, suspended or not."""
    row = _BY_IDENTIFIER.first(conn, identifier=identifier)
    return None if row is None else _peer(row)


def by_country(conn: Connection, country: str) -> tuple[Peer, ...]:
    """Return the peers of a state, by identifier."""
    return tuple(_peer(row) for row in _BY_COUNTRY.all(conn, country=country))


def by_tls_fingerprint(
    conn: Connection, fingerprint: str, *, at: datetime | None = None
) -> Peer | None:
    """Return the peer whose registered TLS certificate has this SHA-256, in any case of hex.

    Args:
        at: judge the registration's validity at this time; None ignores it.
    """
    row = _BY_TLS.first(conn, fingerprint=fingerprint.lower())
    if row is None:
        return None
    peer = _peer(row)
    if at is None:
        return peer
    shown = credentials(conn, peer.id, CredentialUse.TLS, at=at)
    return peer if any(one.fingerprint == fingerprint.lower() for one in shown) else None


def holds_tls(conn: Connection, peer: Peer, fingerprint: str) -> bool:
    """Return whether a TLS certificate with this SHA-256 is registered for ``peer``."""
    held = _ID_BY_TLS.all(conn, fingerprint=fingerprint.lower())
    return any(row.peer_id == peer.id for row in held)


def every(conn: Connection) -> tuple[Peer, ...]:
    """Return every peer by country and identifier; there are as many as states."""
    query = select(table).order_by(table.c.country, table.c.identifier)
    return tuple(_peer(row) for row in conn.execute(query))


def suspend(conn: Connection, peer_id: int, *, at: datetime, actor: str, reason: str) -> Peer:
    """Stop the exchange with a peer and return it; what is queued stays queued."""
    action = journal.Action.PEER_SUSPENDED
    return _set_state(conn, peer_id, PeerState.SUSPENDED, action, at=at, actor=actor, reason=reason)


def resume(conn: Connection, peer_id: int, *, at: datetime, actor: str, reason: str) -> Peer:
    """Take up the exchange with a peer again and return it; its lane opens at once."""
    conn.execute(
        update(lanes).where(lanes.c.peer_id == peer_id).values(parked_until=None, failures=0)
    )
    action = journal.Action.PEER_RESUMED
    return _set_state(conn, peer_id, PeerState.ACTIVE, action, at=at, actor=actor, reason=reason)


def add_credential(
    conn: Connection, peer_id: int, credential: NewCredential, *, at: datetime, actor: str
) -> None:
    """Register an X.509 certificate for a peer; the same one again changes nothing.

    Raises:
        ConflictError: this TLS certificate belongs to another peer.
    """
    fingerprint = credential.fingerprint.lower()
    values = {**vars(credential), "fingerprint": fingerprint, "peer_id": peer_id, "created_at": at}
    known = peer_credentials
    statement = insert_if_absent(conn, known, known.c.id)
    if conn.execute(statement, values).one_or_none() is None:
        _require_same_owner(conn, peer_id, credential.use, fingerprint)
        return
    journal.append(
        conn,
        at=at,
        actor=actor,
        action=journal.Action.CREDENTIAL_ADDED,
        subject=_touch(conn, peer_id, at),
        detail={"use": credential.use, "fingerprint": fingerprint, "role": credential.role},
    )


def end_credential(
    conn: Connection, credential_id: int, *, until: datetime, at: datetime, actor: str
) -> None:
    """Let a registration hold until ``until`` only; what it proved before stays proved.

    Raises:
        NotFoundError: there is no such registration.
    """
    known = peer_credentials
    row = conn.execute(
        update(known)
        .where(known.c.id == credential_id)
        .values(valid_until=until)
        .returning(known.c.peer_id, known.c.use, known.c.fingerprint)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"no X.509 certificate is registered under the key {credential_id}")
    journal.append(
        conn,
        at=at,
        actor=actor,
        action=journal.Action.CREDENTIAL_ENDED,
        subject=_touch(conn, row.peer_id, at),
        detail={"use": row.use, "fingerprint": row.fingerprint, "until": until.isoformat()},
    )


def credentials(
    conn: Connection, peer_id: int, use: CredentialUse | None = None, *, at: datetime | None = None
) -> tuple[PeerCredential, ...]:
    """Return what is registered for a peer, oldest first.

    Args:
        at: only registrations that hold then; None returns the ended ones too, because a
            signature is judged as of its own date.
    """
    known = peer_credentials
    query = select(known).where(known.c.peer_id == peer_id).order_by(known.c.id)
    if use is not None:
        query = query.where(known.c.use == use)
    if at is not None:
        query = query.where(_holds(at))
    return tuple(PeerCredential(**row._mapping) for row in conn.execute(query))


def store_crl(conn: Connection, crl: PeerCrl, *, actor: str) -> bool:
    """Keep a revocation list unless a newer one of the same issuer is there; say if kept."""
    own = and_(peer_crls.c.peer_id == crl.peer_id, peer_crls.c.issuer == crl.issuer)
    present = conn.execute(select(peer_crls.c.this_update).where(own).with_for_update()).scalar()
    if present is not None and present >= crl.this_update:
        return False
    conn.execute(delete(peer_crls).where(own))
    conn.execute(insert(peer_crls).values(**vars(crl)))
    journal.append(
        conn,
        at=crl.stored_at,
        actor=actor,
        action=journal.Action.CRL_STORED,
        subject=_touch(conn, crl.peer_id, crl.stored_at),
        detail={"issuer": crl.issuer, "this_update": crl.this_update.isoformat()},
    )
    return True


def crls(conn: Connection, peer_id: int) -> tuple[PeerCrl, ...]:
    """Return the newest revocation list of each issuer of a peer."""
    query = select(peer_crls).where(peer_crls.c.peer_id == peer_id).order_by(peer_crls.c.issuer)
    names = PeerCrl.__dataclass_fields__
    return tuple(
        PeerCrl(**{name: row._mapping[name] for name in names}) for row in conn.execute(query)
    )


def lane(conn: Connection, peer_id: int) -> Lane:
    """Return the state of the way to a peer.

    Raises:
        NotFoundError: there is no such peer.
    """
    row = _LANE.first(conn, own=peer_id)
    if row is None:
        raise NotFoundError(f"no peer has the key {peer_id}")
    return Lane(**row._asdict())


def _touched(at: datetime) -> dict[str, Any]:
    return {"updated_at": at, "revision": table.c.revision + 1}


def _touch(conn: Connection, peer_id: int, at: datetime) -> str:
    """Mark a peer as changed and return its identifier."""
    own = table.c.id == peer_id
    statement = update(table).where(own).values(**_touched(at)).returning(table.c.identifier)
    identifier: str = conn.execute(statement).scalar_one()
    return identifier


def _holds(at: datetime) -> Any:
    known = peer_credentials.c
    return and_(
        or_(known.valid_from.is_(None), known.valid_from <= at),
        or_(known.valid_until.is_(None), known.valid_until > at),
    )


def _require_same_owner(
    conn: Connection, peer_id: int, use: CredentialUse, fingerprint: str
) -> None:
    known = peer_credentials.c
    owner = conn.execute(
        select(known.peer_id)
        .where(known.use == use, known.fingerprint == fingerprint)
        .where(known.peer_id == peer_id)
    ).scalar()
    if owner is None:
        raise ConflictError(f"the TLS certificate {fingerprint} belongs to another peer")


def _set_state(
    conn: Connection,
    peer_id: int,
    state: PeerState,
    action: journal.Action,
    *,
    at: datetime,
    actor: str,
    reason: str,
) -> Peer:
    row = conn.execute(
        update(table)
        .where(table.c.id == peer_id)
        .values(state=state, **_touched(at))
        .returning(table)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"no peer has the key {peer_id}")
    detail = {"reason": reason}
    journal.append(conn, at=at, actor=actor, action=action, subject=row.identifier, detail=detail)
    suspended = state is PeerState.SUSPENDED
    events.append(
        conn,
        at=at,
        kind=EventKind.PEER_SUSPENDED if suspended else EventKind.PEER_RESUMED,
        subject=row.identifier,
        data={"peer": row.identifier},
        audience=events.EVERYBODY,
    )
    return _peer(row)


def _values(profile: PeerProfile) -> dict[str, Any]:
    values = {name: getattr(profile, name) for name in _PROFILE}
    values["document_types"] = [str(kind) for kind in profile.document_types]
    values["retry"] = dict(profile.retry)
    return values


def _peer(row: Any) -> Peer:
    values = row._asdict()
    values["document_types"] = tuple(DocumentType(kind) for kind in values["document_types"])
    return Peer(**values)
