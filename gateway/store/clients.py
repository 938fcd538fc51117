"""Queries about the organisations of the national side and their API keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from gateway.errors import ConflictError, NotFoundError
from gateway.store import journal
from gateway.store.dialects import insert_if_absent
from gateway.store.roles import OrganisationState
from gateway.store.rows import ApiKey, NewApiKey, NewOrganisation, Organisation
from gateway.store.tables import api_keys, organisations

_USE_NOTED_EVERY = timedelta(minutes=1)


def add(conn: Connection, new: NewOrganisation, *, at: datetime, actor: str) -> Organisation:
    """Enter an organisation, ACTIVE, and return it.

    Raises:
        ConflictError: the code is taken.
    """
    values = {**vars(new), "state": OrganisationState.ACTIVE, "created_at": at, "updated_at": at}
    statement = insert_if_absent(conn, organisations, *organisations.c)
    row = conn.execute(statement, values).one_or_none()
    if row is None:
        raise ConflictError(f"the organisation {new.code} is entered already")
    journal.append(
        conn,
        at=at,
        actor=actor,
        action=journal.Action.ORGANISATION_ADDED,
        subject=new.code,
        detail={"kind": new.kind, "country": new.country, "authority_code": new.authority_code},
    )
    return Organisation(**row._mapping)


def every(conn: Connection) -> tuple[Organisation, ...]:
    """Return every organisation by its code."""
    query = select(organisations).order_by(organisations.c.code)
    return tuple(Organisation(**row._mapping) for row in conn.execute(query))


def by_code(conn: Connection, code: str) -> Organisation:
    """Return the organisation with this code.

    Raises:
        NotFoundError: there is none.
    """
    query = select(organisations).where(organisations.c.code == code)
    row = conn.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(f"no organisation has the code {code!r}")
    return Organisation(**row._mapping)


def by_id(conn: Connection, organisation_id: int) -> Organisation:
    """Return the organisation with this key, which there must be."""
    query = select(organisations).where(organisations.c.id == organisation_id)
    return Organisation(**conn.execute(query).one()._mapping)


def set_state(
    conn: Connection, code: str, state: OrganisationState, *, at: datetime, actor: str, reason: str
) -> Organisation:
    """Suspend an organisation or take it up again, and return it.

    Raises:
        NotFoundError: there is none with this code.
    """
    found = by_code(conn, code)
    row = conn.execute(
        update(organisations)
        .where(organisations.c.id == found.id)
        .values(state=state, updated_at=at)
        .returning(organisations)
    ).one()
    journal.append(
        conn,
        at=at,
        actor=actor,
        action=journal.Action.ORGANISATION_CHANGED,
        subject=code,
        detail={"state": state, "reason": reason},
    )
    return Organisation(**row._mapping)


def add_key(conn: Connection, new: NewApiKey, *, organisation: str, actor: str) -> ApiKey:
    """Enter an API key and return it.

    Args:
        organisation: code of the organisation, for the journal.
    """
    values = {**vars(new), "scopes": list(new.scopes)}
    row = conn.execute(insert(api_keys).values(**values).returning(api_keys)).one()
    journal.append(
        conn,
        at=new.created_at,
        actor=actor,
        action=journal.Action.API_KEY_MADE,
        subject=new.key_id,
        detail={
            "organisation": organisation,
            "scopes": list(new.scopes),
            "expires_at": new.expires_at.isoformat(),
            "replaces": new.replaces,
        },
    )
    return _key(row)


def key_with_owner(conn: Connection, key_id: str) -> tuple[ApiKey, Organisation] | None:
    """Return the API key with this visible part and whose it is, ended or not."""
    row = conn.execute(select(api_keys).where(api_keys.c.key_id == key_id)).one_or_none()
    if row is None:
        return None
    query = select(organisations).where(organisations.c.id == row.organisation_id)
    return _key(row), Organisation(**conn.execute(query).one()._mapping)


def keys(conn: Connection, organisation_id: int | None = None) -> tuple[ApiKey, ...]:
    """Return the API keys of one organisation, or of all, as made."""
    query = select(api_keys).order_by(api_keys.c.id)
    if organisation_id is not None:
        query = query.where(api_keys.c.organisation_id == organisation_id)
    return tuple(_key(row) for row in conn.execute(query))


def revoke_key(
    conn: Connection, key_id: str, *, ends_at: datetime, at: datetime, actor: str, reason: str
) -> ApiKey:
    """Let an API key open nothing from ``ends_at`` on, and return it; never later than said.

    Raises:
        NotFoundError: there is none.
    """
    found = key_with_owner(conn, key_id)
    if found is None:
        raise NotFoundError(f"no API key is called {key_id!r}")
    said = found[0].revoked_at
    row = conn.execute(
        update(api_keys)
        .where(api_keys.c.key_id == key_id)
        .values(revoked_at=ends_at if said is None else min(said, ends_at))
        .returning(api_keys)
    ).one()
    journal.append(
        conn,
        at=at,
        actor=actor,
        action=journal.Action.API_KEY_REVOKED,
        subject=key_id,
        detail={"ends_at": row.revoked_at.isoformat(), "reason": reason},
    )
    return _key(row)


def is_use_due(key: ApiKey, now: datetime) -> bool:
    """Return whether the last use that is noted lies a minute or more back."""
    return key.last_used_at is None or key.last_used_at <= now - _USE_NOTED_EVERY


def note_use(conn: Connection, key: ApiKey, *, at: datetime) -> None:
    """Note when a key was used, at most once a minute however many processes do."""
    used = api_keys.c.last_used_at
    conn.execute(
        update(api_keys)
        .where(api_keys.c.id == key.id, or_(used.is_(None), used <= at - _USE_NOTED_EVERY))
        .values(last_used_at=at)
    )


def _key(row: Row[Any]) -> ApiKey:
    values = dict(row._mapping)
    return ApiKey(**{**values, "scopes": tuple(values["scopes"])})
