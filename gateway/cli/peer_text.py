"""How a peer and its X.509 certificates are shown to the operator who must compare them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cryptography import x509
from sqlalchemy import Connection

from gateway.cli.opening import Books
from gateway.cli.output import minute
from gateway.cli.views import credential_view, crl_view, peer_view, sighting_view
from gateway.errors import NotFoundError
from gateway.store import (
    NewCredential,
    Peer,
    PeerChannel,
    PeerCredential,
    PeerCrl,
    PeerState,
    Sighting,
    peers,
    sightings,
)

_WORDS = {
    "TLS": "TLS certificate",
    "SERVER_CA": "anchor of its TLS certificate",
    "ANCHOR": "CA of its signers",
    "GATEWAY": "signs envelopes",
    "ISSUING_AUTHORITY": "signs certificates of origin",
    "CUSTOMS": "signs customs responses",
    "EXPORTER": "signs as exporter",
}


def known_peer(conn: Connection, identifier: str) -> Peer:
    """Return the peer called ``identifier``.

    Raises:
        NotFoundError: none is registered under that name; the detail lists those that are.
    """
    found = peers.by_identifier(conn, identifier)
    if found is None:
        names = ", ".join(peer.identifier for peer in peers.every(conn)) or "none"
        raise NotFoundError(f"no peer is registered as {identifier!r}; registered: {names}")
    return found


def peer_and_papers(conn: Connection, found: Peer) -> tuple[dict[str, Any], list[str]]:
    """Return a peer, when it was seen, its certificates and revocation lists: value and lines."""
    credentials, crls = peers.credentials(conn, found.id), peers.crls(conn, found.id)
    seen = sightings.find(conn, found.id)
    value = {
        "peer": peer_view(found),
        "seen": sighting_view(seen),
        "credentials": [credential_view(credential) for credential in credentials],
        "crls": [crl_view(crl) for crl in crls],
    }
    lines = (_peer_lines(found), _seen(seen), credential_lines(credentials), _crl_lines(crls))
    return value, [line for part in lines for line in part]


def _peer_lines(found: Peer) -> Iterator[str]:
    test = ", TEST" if found.test else ""
    yield f"{found.identifier}  {found.name} ({found.country}), {found.state.value}{test}"
    version = f" {found.soap_version}" if found.channel == "SOAP" else ""
    if found.channel is PeerChannel.COLLECT:
        yield "  cannot be called: it collects what waits for it here"
    else:
        yield f"  reached by      {found.channel.value}{version} at {found.url}"
    if found.collect:
        yield "  collected       our workers fetch what waits for us there"
    yield f"  takes           {', '.join(kind.value for kind in found.document_types)}"
    yield f"  signatures      {found.algorithms.value}, revocation {found.revocation.value}"
    if found.live_from is not None:
        yield f"  live from       {minute(found.live_from)} UTC"


def _seen(seen: Sighting | None) -> Iterator[str]:
    if seen is None:
        return
    yield f"  last seen       {minute(seen.seen_at)} UTC, {seen.software}"
    yield from (f"  works by        {version}" for version in seen.versions)


def credential_lines(credentials: Sequence[PeerCredential | NewCredential]) -> Iterator[str]:
    """Yield subject, end and SHA-256 fingerprint of each certificate."""
    for credential in credentials:
        cert = x509.load_pem_x509_certificate(credential.pem.encode())
        word = _WORDS[credential.role or credential.use]
        yield f"  {word}: {cert.subject.rfc4514_string()}"
        yield f"    valid until   {minute(cert.not_valid_after_utc)}"
        if credential.valid_until is not None:
            yield f"    ENDED         registered until {minute(credential.valid_until)}"
        yield f"    SHA-256       {grouped(credential.fingerprint)}"


def _crl_lines(crls: Iterable[PeerCrl]) -> Iterator[str]:
    for crl in crls:
        due = "" if crl.next_update is None else f", next due {minute(crl.next_update)}"
        yield f"  revocation list of {crl.issuer}"
        yield f"    made          {minute(crl.this_update)}{due}"


def grouped(digest: str) -> str:
    """Return a fingerprint in groups that two people can read to each other."""
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def ungrouped(text: str) -> str:
    """Return a fingerprint as stored, however a person grouped it."""
    return "".join(text.replace(":", " ").split()).lower()


def advice_on(found: Peer, books: Books) -> list[str]:
    """Return what the operator must do before a suspended newcomer may exchange."""
    if found.state is not PeerState.SUSPENDED:
        return []
    resume = f'eco peer resume {found.identifier} --reason "fingerprint compared with …"'
    return [
        f"{found.identifier} is SUSPENDED until you have compared the card's fingerprint with its",
        "operator by another way (telephone, letter): everything rests on it. Then:",
        f"  {resume} --home {books.settings.home}",
    ]
