"""The group ``eco peer``: list, show, suspend, resume and reach peers; introductions beside."""

from __future__ import annotations

import click

from gateway.cli.introducing import add, card
from gateway.cli.main import Invocation, OrderedGroup, common
from gateway.cli.opening import actor, present, the_books, the_gateway
from gateway.cli.output import table
from gateway.cli.peer_text import known_peer, peer_and_papers
from gateway.cli.rollover import crl, end_credential, update
from gateway.cli.views import peer_view
from gateway.errors import BadAnswerError
from gateway.store import peers


@click.group(cls=OrderedGroup)
def peer() -> None:
    """Introduce, register, show, suspend and reach peers."""


peer.add_command(card)
peer.add_command(add)


@peer.command("list")
@common
def list_peers(call: Invocation) -> None:
    """List the registered peers."""
    with the_books(call) as books, books.store.read() as conn:
        found = peers.every(conn)
    rows = [(p.identifier, p.country, p.state.value, p.channel.value, p.url) for p in found]
    lines = table(("peer", "country", "state", "channel", "address"), rows)
    call.output.result(
        [peer_view(one) for one in found],
        lines if found else ["no peer is registered; `eco peer add` registers one from its card"],
    )


@peer.command()
@click.argument("identifier")
@common
def show(call: Invocation, identifier: str) -> None:
    """Show a peer and its certificates."""
    with the_books(call) as books, books.store.read() as conn:
        value, lines = peer_and_papers(conn, known_peer(conn, identifier))
    call.output.result(value, lines)


@peer.command()
@click.argument("identifier")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def suspend(call: Invocation, identifier: str, reason: str) -> None:
    """Stop exchanging with a peer.

    Until `eco peer resume` its messages are turned away, ours wait in the queue.
    """
    with the_books(call) as books, books.store.begin() as conn:
        found = known_peer(conn, identifier)
        changed = peers.suspend(conn, found.id, at=present(), actor=actor(), reason=reason)
    call.output.result(peer_view(changed), [f"{identifier} is suspended"])


@peer.command()
@click.argument("identifier")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def resume(call: Invocation, identifier: str, reason: str) -> None:
    """Exchange with a suspended peer.

    What waited in the queue is delivered.
    """
    with the_books(call) as books, books.store.begin() as conn:
        found = known_peer(conn, identifier)
        changed = peers.resume(conn, found.id, at=present(), actor=actor(), reason=reason)
    call.output.result(peer_view(changed), [f"{identifier} is active"])


@peer.command()
@click.argument("identifier")
@common
def ping(call: Invocation, identifier: str) -> None:
    """Ask a peer who it is.

    The question goes over the channel and TLS that messages take.  Its answer ends an outage,
    and `eco peer show` shows from then on what the peer works by.
    """
    from gateway.app import endpoint_book
    from gateway.exchange.sighting import note_answer
    from gateway.transport import PeerTransport

    with the_gateway(call) as gateway:
        with gateway.store.read() as conn:
            found = known_peer(conn, identifier)
        transport = PeerTransport()
        try:
            answer = transport.ping(endpoint_book(gateway)(found))
        finally:
            transport.close()
        is_the_peer = note_answer(gateway.desk, found, answer)
    if not is_the_peer:
        raise BadAnswerError(f"{answer.identifier!r} answers at {found.url}, not {identifier}")
    skew = (answer.time - present()).total_seconds()
    call.output.result(
        answer.model_dump(mode="json") | {"clock_skew_seconds": round(skew, 1)},
        [
            f"{answer.identifier} ({answer.country}) answers over {found.channel.value}",
            f"  software        {answer.software_version}",
            f"  takes           {', '.join(answer.document_types)}",
            f"  clock differs   {skew:+.1f} s",
            *(f"  works by        {version}" for version in answer.versions),
        ],
    )


peer.add_command(update)
peer.add_command(end_credential)
peer.add_command(crl)
