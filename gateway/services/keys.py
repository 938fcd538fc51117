"""API keys: made once, shown once, recognised by a digest, exchanged with an overlap.

A key reads ``eco_<key id>_<secret>``.  The secret has 256 random bits, so a plain keyed digest
of it cannot be guessed back and no slow hash is needed at every request.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from gateway.errors import BusyError, InputError, NotAuthenticatedError, NotFoundError
from gateway.services.access import SCOPES_OF, Caller, Scope
from gateway.store import ApiKey, NewApiKey, Organisation, OrganisationState, Store, clients

LONGEST: Final = timedelta(days=730)
DEFAULT_DAYS: Final = 365
OVERLAP: Final = timedelta(days=7)
_TOKEN: Final = re.compile(r"eco_([a-z2-7]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_PURPOSE: Final = b"eco api key 1:"
PREFIX: Final = "eco_"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class MadeKey:
    """Is a new key with the text that is shown this once and stored nowhere."""

    key: ApiKey
    token: str

    def __repr__(self) -> str:
        return f"MadeKey({self.key.key_id})"


@dataclass(frozen=True, kw_only=True)
class KeyOrder:
    """Says what kind of key to make.

    Attributes:
        label: what it is for, in the words of its owner.
        scopes: None for all that the organisation may have.
        replaces: visible part of the key that it takes the place of.
    """

    label: str
    scopes: Collection[Scope] | None = None
    lifetime: timedelta = timedelta(days=DEFAULT_DAYS)
    replaces: str | None = None


def make_key(
    conn: Connection, owner: Organisation, order: KeyOrder, *, at: datetime, actor: str
) -> MadeKey:
    """Return a new key of ``owner``.

    Raises:
        InputError: a scope is none of this kind of organisation, or it would live too long.
    """
    allowed = SCOPES_OF[owner.kind]
    scopes = allowed if order.scopes is None else frozenset(order.scopes)
    if not scopes or not scopes <= allowed:
        raise InputError(
            f"a {owner.kind} may have these scopes: {', '.join(sorted(allowed))}; at least one"
        )
    if not timedelta() < order.lifetime <= LONGEST:
        raise InputError(f"a key lives from one to {LONGEST.days} days")
    key_id = base64.b32encode(secrets.token_bytes(10)).decode("ascii").lower()
    secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii").rstrip("=")
    new = NewApiKey(
        key_id=key_id,
        organisation_id=owner.id,
        label=order.label[:100],
        secret_mac=_mac(key_id, secret),
        scopes=tuple(sorted(scopes)),
        created_at=at,
        expires_at=at + order.lifetime,
        replaces=order.replaces,
    )
    stored = clients.add_key(conn, new, organisation=owner.code, actor=actor)
    return MadeKey(key=stored, token=f"{PREFIX}{key_id}_{secret}")


def rotate_key(
    conn: Connection,
    key_id: str,
    *,
    overlap: timedelta = OVERLAP,
    lifetime: timedelta = timedelta(days=DEFAULT_DAYS),
    at: datetime,
    actor: str,
) -> MadeKey:
    """Return a key like the present one, which ends after the overlap.

    Raises:
        NotFoundError: there is no such key, or it has ended.
    """
    found = clients.key_with_owner(conn, key_id)
    if found is None or not found[0].holds_at(at):
        raise NotFoundError(f"no API key that holds is called {key_id!r}")
    present, owner = found
    order = KeyOrder(
        label=present.label,
        scopes=[Scope(each) for each in present.scopes],
        lifetime=lifetime,
        replaces=key_id,
    )
    made = make_key(conn, owner, order, at=at, actor=actor)
    clients.revoke_key(
        conn,
        key_id,
        ends_at=at + overlap,
        at=at,
        actor=actor,
        reason=f"replaced by {made.key.key_id}",
    )
    return made


def authenticate(store: Store, token: str, *, now: datetime) -> Caller:
    """Return who holds this key.

    Raises:
        NotAuthenticatedError: no key that holds reads so; which of all reasons is not said.
    """
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise NotAuthenticatedError("this is no API key")
    key_id, secret = match.groups()
    with store.read() as conn:
        found = clients.key_with_owner(conn, key_id)
    shown = _mac(key_id, secret)
    kept = "0" * 64 if found is None else found[0].secret_mac
    if not hmac.compare_digest(shown, kept) or found is None:
        raise NotAuthenticatedError("no API key that holds reads so")
    key, owner = found
    if not key.holds_at(now) or owner.state is not OrganisationState.ACTIVE:
        raise NotAuthenticatedError("no API key that holds reads so")
    _note_use(store, key, now)
    ends = key.expires_at if key.revoked_at is None else min(key.expires_at, key.revoked_at)
    return Caller(
        organisation=owner,
        scopes=frozenset(Scope(each) for each in key.scopes),
        credential=key.key_id,
        expires_at=ends,
    )


def _note_use(store: Store, key: ApiKey, now: datetime) -> None:
    """Note the use, but let no request fail for that."""
    if not clients.is_use_due(key, now):
        return
    try:
        with store.begin() as conn:
            clients.note_use(conn, key, at=now)
    except BusyError as exc:
        log.warning("use of a key not noted", code=exc.code)


def _mac(key_id: str, secret: str) -> str:
    return hmac.new(_PURPOSE + key_id.encode(), secret.encode(), hashlib.sha256).hexdigest()
