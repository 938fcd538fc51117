"""The commands about peers: introduce, register, show, suspend, reach."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click
from cryptography import x509

from gateway.app import Gateway, endpoint_book, open_gateway, write_client_ca
from gateway.cli.main import Invocation, common
from gateway.cli.output import table
from gateway.documents import from_json
from gateway.errors import NotFoundError
from gateway.exchange.peer_card import PeerCard
from gateway.exchange.peering import PeerTerms, fingerprint, own_card, register_peer
from gateway.store import (
    AlgorithmLevel,
    Peer,
    PeerChannel,
    PeerCredential,
    RevocationLevel,
    peers,
)
from gateway.transport import PeerTransport


@click.group()
def peer() -> None:
    """Register, show, suspend and reach peers."""


@peer.command()
@click.option(
    "--crl",
    "crls",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Revocation list (PEM) of an issuing CA; may be given again.",
)
@common
def card(call: Invocation, crls: tuple[Path, ...]) -> None:
    """Print the card that introduces this gateway to a peer (JSON, no secret in it)."""
    gateway = open_gateway(call.home)
    settings = gateway.settings
    tls = x509.load_pem_x509_certificates(settings.resolve(settings.tls.certificate).read_bytes())
    found = own_card(
        gateway.desk,
        public_url=settings.listen.public_url,
        tls=tls,
        crls=[path.read_text(encoding="ascii") for path in crls],
    )
    click.echo(found.model_dump_json(indent=2))


@peer.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--channel",
    type=click.Choice([c.value for c in PeerChannel]),
    default="SOAP",
    show_default=True,
    help="How we reach the peer.",
)
@click.option("--soap-version", type=click.Choice(["1.1", "1.2"]), default="1.2", show_default=True)
@click.option(
    "--algorithms",
    type=click.Choice([a.value for a in AlgorithmLevel]),
    default="STRICT",
    show_default=True,
    help="COMPATIBLE also reads what the JDK and .NET sign by default.",
)
@click.option(
    "--revocation",
    type=click.Choice([r.value for r in RevocationLevel]),
    default="WHEN_KNOWN",
    show_default=True,
    help="REQUIRE refuses signers that no fresh revocation list covers.",
)
@click.option(
    "--live-from",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    help="Nothing is sent to the peer before this day.",
)
@common
def add(
    call: Invocation,
    file: Path,
    channel: str,
    soap_version: str,
    algorithms: str,
    revocation: str,
    live_from: datetime | None,
) -> None:
    """Register the peer that the card FILE introduces.

    Compare the fingerprints printed with the peer's operator by another way before any
    message is exchanged: everything rests on them.
    """
    gateway = open_gateway(call.home)
    terms = PeerTerms(
        channel=PeerChannel(channel),
        soap_version=soap_version,
        algorithms=AlgorithmLevel(algorithms),
        revocation=RevocationLevel(revocation),
        live_from=None if live_from is None else live_from.astimezone(),
    )
    introduction = from_json(PeerCard, file.read_bytes())
    with gateway.store.begin() as conn:
        found = register_peer(
            conn,
            introduction,
            terms,
            own=gateway.desk.identity.identifier,
            at=gateway.desk.clock(),
            actor=f"user:{getpass.getuser()}",
        )
    write_client_ca(gateway.settings, gateway.store)
    show_peer(call, gateway, found)


@peer.command("list")
@common
def list_peers(call: Invocation) -> None:
    """List the registered peers."""
    gateway = open_gateway(call.home)
    with gateway.store.read() as conn:
        found = peers.every(conn)
    call.output.result(
        found,
        table(
            ("peer", "country", "state", "channel", "address"),
            [(p.identifier, p.country, p.state.value, p.channel.value, p.url) for p in found],
        ),
    )


@peer.command()
@click.argument("identifier")
@common
def show(call: Invocation, identifier: str) -> None:
    """Show one peer with the fingerprints of its certificates."""
    gateway = open_gateway(call.home)
    show_peer(call, gateway, known_peer(gateway, identifier))


@peer.command()
@click.argument("identifier")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def suspend(call: Invocation, identifier: str, reason: str) -> None:
    """Stop exchanging with a peer; its messages are turned away until `peer resume`."""
    gateway = open_gateway(call.home)
    found = known_peer(gateway, identifier)
    with gateway.store.begin() as conn:
        changed = peers.suspend(
            conn,
            found.id,
            at=gateway.desk.clock(),
            actor=f"user:{getpass.getuser()}",
            reason=reason,
        )
    call.output.result(changed, [f"{identifier} is suspended"])


@peer.command()
@click.argument("identifier")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def resume(call: Invocation, identifier: str, reason: str) -> None:
    """Exchange with a suspended peer again; what waited is delivered."""
    gateway = open_gateway(call.home)
    found = known_peer(gateway, identifier)
    with gateway.store.begin() as conn:
        changed = peers.resume(
            conn,
            found.id,
            at=gateway.desk.clock(),
            actor=f"user:{getpass.getuser()}",
            reason=reason,
        )
    call.output.result(changed, [f"{identifier} is active"])


@peer.command()
@click.argument("identifier")
@common
def ping(call: Invocation, identifier: str) -> None:
    """Ask a peer who it is, over the channel and TLS that messages take."""
    gateway = open_gateway(call.home)
    found = known_peer(gateway, identifier)
    transport = PeerTransport()
    try:
        answer = transport.ping(endpoint_book(gateway)(found))
    finally:
        transport.close()
    skew = (answer.time - gateway.desk.clock()).total_seconds()
    call.output.result(
        answer.model_dump(mode="json") | {"clock_skew_seconds": round(skew, 1)},
        [
            f"{answer.identifier} ({answer.country}) answers over {found.channel.value}",
            f"  software        {answer.software_version}",
            f"  takes           {', '.join(answer.document_types)}",
            f"  clock differs   {skew:+.1f} s",
        ],
    )


def known_peer(gateway: Gateway, identifier: str) -> Peer:
    """Return the peer called ``identifier``.

    Raises:
        NotFoundError: none is registered under that name.
    """
    with gateway.store.read() as conn:
        found = peers.by_identifier(conn, identifier)
    if found is None:
        raise NotFoundError(f"no peer is registered as {identifier!r}; see `eco peer list`")
    return found


def show_peer(call: Invocation, gateway: Gateway, found: Peer) -> None:
    """Print a peer and the fingerprints that the two operators compare."""
    with gateway.store.read() as conn:
        credentials = peers.credentials(conn, found.id)
    call.output.result(
        {"peer": found, "credentials": credentials},
        [
            f"{found.identifier}  {found.name} ({found.country}), {found.state.value}",
            f"  reached by      {found.channel.value} at {found.url}",
            f"  takes           {', '.join(kind.value for kind in found.document_types)}",
            f"  signatures      {found.algorithms.value}, revocation {found.revocation.value}",
            "  fingerprints (SHA-256), to be compared with the peer's operator:",
            *_fingerprints(credentials),
        ],
    )


def _fingerprints(credentials: Iterable[PeerCredential]) -> Iterable[str]:
    for credential in credentials:
        what = credential.role or ""
        yield f"    {credential.use.value:<10}{what:<18}{_grouped(fingerprint(credential.pem))}"


def _grouped(digest: str) -> str:
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))
