"""The commands by which a peer's X.509 certificates and revocation lists roll over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from gateway.cli.introducing import (
    FINGERPRINT,
    MOMENT,
    agreed_terms,
    compared,
    tell_listener,
    terms_options,
)
from gateway.cli.main import Invocation, common
from gateway.cli.opening import FILE, actor, content, present, the_books
from gateway.cli.output import minute
from gateway.cli.peer_text import (
    credential_lines,
    grouped,
    known_peer,
    peer_and_papers,
    ungrouped,
)
from gateway.cli.views import credential_view, crl_view
from gateway.errors import InputError
from gateway.exchange.card_changes import (
    CardChanges,
    changes_of,
    end_registrations,
    genuine_list,
    take_up,
)
from gateway.exchange.peer_card import PeerCard
from gateway.store import Peer, peers

SHORTEST_PREFIX = 8


@click.command()
@click.argument("file", type=FILE)
@FINGERPRINT
@terms_options(defaults=False)
@common
def update(call: Invocation, file: Path, fingerprint: str | None, **terms: Any) -> None:
    """Take up a new card of a registered peer.

    It may bring new certificates, addresses and revocation lists.  Without --fingerprint this
    only shows what would change.  Certificates that the new card no longer names stay
    registered until `eco peer end-credential`, because messages signed with them may be on
    their way.  Terms that are not given stay as they are.
    """
    introduction = compared(file, fingerprint)
    with the_books(call) as books:
        with books.store.begin() as conn:
            found = known_peer(conn, introduction.identifier)
            agreed = agreed_terms(terms, found)
            changes = changes_of(conn, found, introduction, agreed, at=present())
            if fingerprint is not None:
                found = take_up(conn, found, changes, at=present(), actor=actor())
        tell_listener(books)
    taken = fingerprint is not None
    value = {
        "peer": found.identifier,
        "card_fingerprint": introduction.fingerprint,
        "taken": taken,
        "changed": changes.changed,
        "new": [_offer(new) for new in changes.new],
        "gone": [credential_view(gone) for gone in changes.gone],
        "crls": [crl_view(crl) for crl in changes.crls],
    }
    call.output.result(value, _change_lines(found, changes, introduction, taken=taken))


@click.command("end-credential")
@click.argument("identifier")
@click.argument("fingerprint")
@click.option("--until", type=MOMENT, help="Last moment it counts (UTC); now unless given.")
@common
def end_credential(
    call: Invocation, identifier: str, fingerprint: str, until: datetime | None
) -> None:
    """End one certificate of a peer.

    It is named by FINGERPRINT or its first eight digits.  What it proved before that moment
    stays proved.
    """
    moment = present() if until is None else until.replace(tzinfo=UTC)
    with the_books(call) as books:
        with books.store.begin() as conn:
            found = known_peer(conn, identifier)
            chosen = end_registrations(
                conn, found, _prefix(fingerprint), until=moment, at=present(), actor=actor()
            )
            value, lines = peer_and_papers(conn, known_peer(conn, identifier))
        tell_listener(books)
    call.output.result(value, [*lines, f"ended with {minute(moment)} UTC: {chosen}"])


@click.command()
@click.argument("identifier")
@click.argument("file", type=FILE)
@common
def crl(call: Invocation, identifier: str, file: Path) -> None:
    """Store a revocation list of a peer's CA.

    It is kept if it is newer than the one stored.  The CA's own signature proves it, so nothing
    needs to be compared.
    """
    text = content(file).decode("ascii", "replace")
    with the_books(call) as books, books.store.begin() as conn:
        found = known_peer(conn, identifier)
        fresh = genuine_list(conn, found, text, at=present())
        kept = peers.store_crl(conn, fresh, actor=actor())
    state = "is stored" if kept else "is not newer than the one stored"
    line = f"the revocation list of {fresh.issuer} made {minute(fresh.this_update)} UTC {state}"
    call.output.result({**crl_view(fresh), "stored": kept}, [line])


def _prefix(fingerprint: str) -> str:
    prefix = ungrouped(fingerprint)
    if len(prefix) < SHORTEST_PREFIX:
        raise InputError(f"{fingerprint!r} is too short; give at least eight digits")
    return prefix


def _offer(new: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(new).items() if name != "country"}


def _change_lines(
    found: Peer, changes: CardChanges, introduction: PeerCard, *, taken: bool
) -> list[str]:
    if not changes.anything and not changes.gone:
        return [f"the card says nothing new of {found.identifier}"]
    lines = [f"{found.identifier}: {'taken up' if taken else 'would be taken up'}"]
    lines += [f"  {name}: {getattr(changes.profile, name)}" for name in changes.changed]
    if changes.new:
        lines += ["new certificates:", *credential_lines(changes.new)]
    lines += [f"newer revocation list of {fresh.issuer}" for fresh in changes.crls]
    if changes.gone:
        lines += ["no longer on the card, still registered:", *credential_lines(changes.gone)]
        lines.append("end them with `eco peer end-credential` when nothing signed by them is due")
    if not taken:
        lines += [
            f"fingerprint of the card: {grouped(introduction.fingerprint)}",
            "nothing is changed yet: compare it with the peer's operator by another way,",
            "then repeat with --fingerprint",
        ]
    return lines
