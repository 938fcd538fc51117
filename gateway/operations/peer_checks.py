"""Checks of the way to a peer, layer by layer: DNS, TCP, TLS, identity, clock, agreement."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Connection

from gateway.errors import ConfigError, GatewayError, PeerFaultError, TlsError, TransportError
from gateway.exchange.sighting import note_answer
from gateway.exchange.versions import compared, own_versions
from gateway.operations import reach
from gateway.operations.checks import Check, Outcome, graded
from gateway.operations.expiry import DatedUse, dated_of_peer
from gateway.operations.home_checks import dated_check
from gateway.operations.premises import Premises
from gateway.store import (
    CredentialUse,
    Peer,
    PeerChannel,
    RevocationLevel,
    maintenance,
    measures,
    outages,
    peers,
)
from gateway.transport import PeerEndpoint, PingAnswer, Transport

_WARN_SKEW = 30.0
_REFUSES_US = frozenset({"CLIENT_CERTIFICATE", "HTTP_403"})


@dataclass(frozen=True, kw_only=True)
class _Visit:
    """Is one peer about to be looked at."""

    premises: Premises
    peer: Peer
    now: datetime

    def check(self, check_id: str, outcome: Outcome, **facts: object) -> Check:
        """Return a check about this peer."""
        written = {name: str(value) for name, value in facts.items()}
        return Check(id=check_id, outcome=outcome, subject=self.peer.identifier, facts=written)


def peer_checks(premises: Premises, peer: Peer, transport: Transport) -> tuple[Check, ...]:
    """Return every check of one peer: what our books say, then what the wire says."""
    visit = _Visit(premises=premises, peer=peer, now=premises.desk.clock())
    with premises.desk.store.read() as conn:
        known = list(_from_the_books(visit, conn))
        registered = {
            each.fingerprint
            for each in peers.credentials(conn, peer.id, use=CredentialUse.TLS, at=visit.now)
        }
    if peer.channel is PeerChannel.COLLECT:
        return tuple(known)  # it calls us; there is no way to look at
    try:
        endpoint = premises.endpoint_of(peer)
    except ConfigError as exc:
        return (*known, visit.check("ping", Outcome.FAIL, **_no_answer(exc)))
    return (*known, *_on_the_wire(visit, endpoint, registered, transport))


def _from_the_books(visit: _Visit, conn: Connection) -> Iterator[Check]:
    peer = visit.peer
    outcome = Outcome.WARN if peer.is_suspended else Outcome.OK
    yield visit.check(
        "peer-state", outcome, channel=peer.channel.value, url=peer.url, state=peer.state.value
    )
    rules = visit.premises.rules
    dated = dated_of_peer(conn, peer, visit.now)
    for each in dated:
        yield dated_check(rules, each, visit.now, peer.identifier)
    if not any(each.use is DatedUse.CRL for each in dated):
        required = peer.revocation is RevocationLevel.REQUIRE
        outcome = Outcome.FAIL if required else Outcome.WARN
        yield visit.check("crl-missing", outcome, policy=peer.revocation.value)
    yield from _announced(visit, conn)
    yield from _delivery(visit, conn)


def _announced(visit: _Visit, conn: Connection) -> Iterator[Check]:
    for each in maintenance.of(maintenance.standing(conn, visit.now), visit.peer.id):
        yield visit.check(
            "maintenance",
            Outcome.WARN if each.lasts(visit.now) else Outcome.OK,
            begins=f"{each.begins_at:%Y-%m-%d %H:%M}Z",
            until=f"{each.ends_at:%Y-%m-%d %H:%M}Z",
        )


def _delivery(visit: _Visit, conn: Connection) -> Iterator[Check]:
    lane = measures.every_lane(conn)[visit.peer.id]
    since = "–" if lane.last_success_at is None else f"{lane.last_success_at:%Y-%m-%d %H:%M}Z"
    outcome = graded(lane.failures, warn=1, fail=3)
    yield visit.check("lane", outcome, failures=lane.failures, since=since)
    newest = outages.page(conn, peer_id=visit.peer.id, limit=1)
    lasts = bool(newest) and newest[0].closed_at is None
    yield visit.check(
        "outage",
        Outcome.FAIL if lasts else Outcome.OK,
        since=f"{newest[0].opened_at:%Y-%m-%d %H:%M}Z" if newest else "–",
        code=newest[0].code if newest else "–",
        newest=f"{newest[0].opened_at:%Y-%m-%d %H:%M}Z" if newest else "–",
    )


def _on_the_wire(
    visit: _Visit, endpoint: PeerEndpoint, registered: set[str], transport: Transport
) -> Iterator[Check]:
    parts = urlsplit(endpoint.url)
    host, port = parts.hostname or "", parts.port or (443 if endpoint.is_tls else 80)
    try:
        addresses = reach.addresses_of(host, port)
    except OSError as exc:
        yield visit.check("dns", Outcome.FAIL, host=host, addresses="–", reason=_reason(exc))
        return
    shown = ", ".join(addresses[:4])
    yield visit.check("dns", Outcome.OK, host=host, addresses=shown, reason="")
    began = time.monotonic()
    try:
        reach.connect(host, port, endpoint.connect_timeout).close()
    except OSError as exc:
        facts = {"host": host, "port": port, "milliseconds": "–", "reason": _reason(exc)}
        yield visit.check("tcp", Outcome.FAIL, **facts)
        return
    yield visit.check(
        "tcp", Outcome.OK, host=host, port=port, milliseconds=_since(began), reason=""
    )
    if endpoint.is_tls:
        tls = list(_tls(visit, endpoint, registered, host, port))
        yield from tls
        if tls[0].outcome is Outcome.FAIL:
            return
    yield from _ping(visit, endpoint, transport)


def _tls(
    visit: _Visit, endpoint: PeerEndpoint, registered: set[str], host: str, port: int
) -> Iterator[Check]:
    try:
        seen = reach.handshake(endpoint, host, port)
    except OSError as exc:
        facts = {"version": "–", "cipher": "–", "days": "–", "reason": _reason(exc)}
        yield visit.check("tls", Outcome.FAIL, **facts)
        return
    days = (seen.ends_at - visit.now).days
    yield visit.check(
        "tls",
        graded(-days, warn=-30, fail=0),
        version=seen.version,
        cipher=seen.cipher,
        days=days,
        reason="",
    )
    outcome = Outcome.OK if seen.fingerprint in registered else Outcome.WARN
    yield visit.check("served-certificate", outcome, fingerprint=seen.fingerprint[:16])


def _ping(visit: _Visit, endpoint: PeerEndpoint, transport: Transport) -> Iterator[Check]:
    sent, began = visit.premises.desk.clock(), time.monotonic()
    try:
        answer = transport.ping(endpoint)
    except GatewayError as exc:
        refused = isinstance(exc, TlsError) or (
            isinstance(exc, PeerFaultError) and exc.peer_code in _REFUSES_US
        )
        check_id = "client-certificate" if refused else "ping"
        yield visit.check(check_id, Outcome.FAIL, **_no_answer(exc))
        return
    if endpoint.is_tls:
        yield visit.check("client-certificate", Outcome.OK, reason="")
    seconds = time.monotonic() - began
    yield visit.check(
        "ping",
        Outcome.OK,
        milliseconds=f"{1000 * seconds:.0f}",
        software=answer.software_version,
        reason="",
    )
    yield from _answer(visit, answer)
    skew = (answer.time - sent).total_seconds() - seconds / 2
    limit = visit.premises.desk.limits.clock_skew.total_seconds()
    yield visit.check(
        "clock-skew",
        graded(abs(skew), warn=_WARN_SKEW, fail=limit),
        seconds=f"{skew:+.1f}",
        limit=f"{limit:.0f}",
    )


def _answer(visit: _Visit, answer: PingAnswer) -> Iterator[Check]:
    peer = visit.peer
    with suppress(GatewayError):  # what is wrong with our books is a check of its own
        note_answer(visit.premises.desk, peer, answer)
    stated, registered = (f"{each.identifier} ({each.country})" for each in (answer, peer))
    outcome = Outcome.OK if stated == registered else Outcome.FAIL
    yield visit.check("identity", outcome, stated=stated, registered=registered)
    agreed = {kind.value for kind in peer.document_types}
    outcome = Outcome.OK if agreed <= set(answer.document_types) else Outcome.WARN
    types, wanted = ", ".join(answer.document_types), ", ".join(sorted(agreed))
    yield visit.check("document-types", outcome, types=types, agreed=wanted)
    for name, ours, theirs in compared(own_versions(visit.premises.desk), answer.versions):
        outcome = Outcome.OK if ours == theirs else Outcome.WARN
        yield visit.check("version", outcome, name=name, ours=ours, theirs=theirs)


def _no_answer(exc: GatewayError) -> dict[str, str]:
    code = exc.peer_code if isinstance(exc, PeerFaultError) else exc.code
    detail = exc.detail if isinstance(exc, TransportError | ConfigError) else ""
    return {"milliseconds": "–", "software": "–", "reason": f"{code}: {detail}"}


def _since(began: float) -> str:
    return f"{1000 * (time.monotonic() - began):.0f}"


def _reason(exc: OSError) -> str:
    return reach.reason_of(exc)
