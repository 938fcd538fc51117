"""The commands by which gateways get to know each other: the card, and taking one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import click

from gateway.cli.main import Invocation, common
from gateway.cli.opening import FILE, Books, actor, content, present, the_books, the_gateway
from gateway.cli.peer_text import (
    advice_on,
    grouped,
    peer_and_papers,
    ungrouped,
)
from gateway.config import Settings
from gateway.documents import from_json
from gateway.errors import ConflictError, SignerUntrustedError
from gateway.exchange.peer_card import PeerCard
from gateway.exchange.peering import PeerTerms, own_card, register_peer
from gateway.store import AlgorithmLevel, Peer, PeerChannel, RevocationLevel, peers

UNCOMPARED = "registered from a card whose fingerprint was not compared yet"
MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])
FINGERPRINT = click.option(
    "--fingerprint",
    help="SHA-256 of the card as its operator told you by another way; spaces do not matter.",
)


def terms_options(*, defaults: bool) -> Callable[[Any], Any]:
    """Give a command the options that say how we exchange with a peer."""

    def decorated(command: Any) -> Any:
        options = (
            (
                "--channel",
                PeerChannel,
                "SOAP",
                "How we reach the peer; COLLECT if it cannot be called and fetches from us.",
            ),
            ("--soap-version", ("1.1", "1.2"), "1.2", "SOAP version that we send."),
            (
                "--algorithms",
                AlgorithmLevel,
                "STRICT",
                "COMPATIBLE also reads what the JDK and .NET sign by default.",
            ),
            (
                "--revocation",
                RevocationLevel,
                "WHEN_KNOWN",
                "REQUIRE refuses signers that no fresh revocation list covers.",
            ),
        )
        for name, choices, default, text in reversed(options):
            command = click.option(
                name,
                type=click.Choice([str(choice) for choice in choices]),
                default=default if defaults else None,
                show_default=defaults,
                help=text,
            )(command)
        command = click.option(
            "--collect/--no-collect",
            default=False if defaults else None,
            help="Our workers fetch what waits for us at the peer: we cannot be called.",
        )(command)
        return click.option(
            "--live-from", type=MOMENT, help="Nothing is sent to the peer before this (UTC)."
        )(command)

    return decorated


@click.command()
@click.option(
    "--crl",
    "crls",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Revocation list (PEM) of our CA beside those in the home's crls/; may be given again.",
)
@common
def card(call: Invocation, crls: tuple[Path, ...]) -> None:
    """Print the card that introduces us.

    It is JSON and holds no secret.  Its fingerprint goes to standard error: tell it to the
    peer's operator by another way (telephone, letter) than the card itself.
    """
    from gateway.app import tls_certificates
    from gateway.homes import revocation_lists

    with the_gateway(call) as gateway:
        settings = gateway.settings
        files = [*revocation_lists(settings.home), *crls]
        found = own_card(
            gateway.desk,
            public_url=settings.listen.public_url,
            tls=tls_certificates(settings),
            authority_codes=settings.authority_codes,
            crls=list(dict.fromkeys(content(path).decode("ascii", "replace") for path in files)),
        )
    click.echo(found.model_dump_json(indent=2))
    call.output.note(f"fingerprint of this card: {grouped(found.fingerprint)}")


@click.command()
@click.argument("file", type=FILE)
@FINGERPRINT
@terms_options(defaults=True)
@common
def add(call: Invocation, file: Path, fingerprint: str | None, **terms: Any) -> None:
    """Register a peer from its card FILE.

    Without --fingerprint the peer stays SUSPENDED until `eco peer resume`: first compare the
    card's fingerprint with the peer's operator by another way (telephone, letter), because
    everything rests on it.
    """
    introduction = compared(file, fingerprint)
    at, by = present(), actor()
    with the_books(call) as books:
        own = books.settings.gateway.identifier
        with books.store.begin() as conn:
            _require_same_world(introduction, books.settings)
            known = peers.by_identifier(conn, introduction.identifier)
            if known is not None:
                raise ConflictError(
                    f"{known.identifier} is registered already ({known.state.value}); "
                    "`eco peer update` takes up a new card of a registered peer"
                )
            found = register_peer(conn, introduction, agreed_terms(terms), own=own, at=at, actor=by)
            if fingerprint is None:
                found = peers.suspend(conn, found.id, at=at, actor=by, reason=UNCOMPARED)
            value, lines = peer_and_papers(conn, found)
        tell_listener(books)
        told = [*lines, f"fingerprint of the card: {grouped(introduction.fingerprint)}"]
        call.output.result(
            {**value, "card_fingerprint": introduction.fingerprint},
            [*told, *advice_on(found, books)],
        )


def compared(file: Path, fingerprint: str | None) -> PeerCard:
    """Return the card in ``file``, which must have the fingerprint if one is given.

    Raises:
        InvalidDocumentError: it is no card.
        SignerUntrustedError: it has another fingerprint.
    """
    introduction = from_json(PeerCard, content(file))
    if fingerprint is not None and ungrouped(fingerprint) != introduction.fingerprint:
        raise SignerUntrustedError(
            "the card does not have the fingerprint given; "
            "do not use this card until its operator explains"
        )
    return introduction


def _require_same_world(introduction: PeerCard, own: Settings) -> None:
    if introduction.test is not own.gateway.test:
        words = {True: "a test gateway", False: "live"}
        raise ConflictError(
            f"{introduction.identifier} is {words[introduction.test]}, "
            f"{own.gateway.identifier} is {words[own.gateway.test]}: they may not exchange"
        )


def agreed_terms(terms: dict[str, Any], known: Peer | None = None) -> PeerTerms:
    """Return the terms given; what is not given stays as it is for a known peer."""
    given = {
        name: getattr(known, name) if value is None and known is not None else value
        for name, value in terms.items()
    }
    if given["live_from"] is not None:
        given["live_from"] = given["live_from"].replace(tzinfo=UTC)
    return PeerTerms(
        channel=PeerChannel(given["channel"]),
        soap_version=given["soap_version"],
        algorithms=AlgorithmLevel(given["algorithms"]),
        revocation=RevocationLevel(given["revocation"]),
        live_from=given["live_from"],
        collect=given["collect"],
    )


def tell_listener(books: Books) -> None:
    """Let the listener know whose TLS certificates to believe from now on."""
    from gateway.app import write_client_ca

    write_client_ca(books.settings, books.store)
