"""Pages of peers: list, one peer, trying the way, suspending, registering from a card."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from gateway import __version__
from gateway.errors import (
    ConflictError,
    GatewayError,
    InputError,
    NotFoundError,
    SignerUntrustedError,
)
from gateway.exchange.peering import PeerTerms
from gateway.operations.checks import Check
from gateway.services.operating import introducing, peers
from gateway.services.operating.desk import required_reason
from gateway.services.operating.introducing import Introduction
from gateway.services.operating.own_keys import own_keys
from gateway.services.operating.versions import loaded_parts
from gateway.services.people.roles import Right
from gateway.store import AlgorithmLevel, PeerChannel, PeerState, RevocationLevel
from gateway.web.console.operating import COME, GONE, flow_plot
from gateway.web.console.pages import Answer, Go, Handler, Method, Page, Shown, Visit

_SOAP: Final = ("1.2", "1.1")
_LONGEST_FINGERPRINT: Final = 200


def show_peers(visit: Visit) -> Answer:
    """List the registered peers."""
    values = {"rows": peers.every_peer(visit.operating), "now": visit.operating.now()}
    return Shown(template="peers.html", values=values)


def show_peer(visit: Visit) -> Answer:
    """Show all that is known of a peer."""
    return _peer_page(visit)


def suspend_peer(visit: Visit) -> Answer:
    """Stop exchanging with a peer."""
    return _turned(visit, PeerState.SUSPENDED)


def resume_peer(visit: Visit) -> Answer:
    """Exchange with a suspended peer again."""
    return _turned(visit, PeerState.ACTIVE)


def try_peer(visit: Visit) -> Answer:
    """Try the way to a peer layer by layer and show what was found."""
    return _peer_page(visit, checks=peers.tried(visit.operating, visit.path["identifier"]))


def show_adding(_visit: Visit) -> Answer:
    """Show the form that takes a peer card."""
    return _adding_page()


def preview_peer(visit: Visit) -> Answer:
    """Show what a card says, before anything is registered."""
    upload = visit.files.get("card")
    content = b"" if upload is None else upload.content
    try:
        found = introducing.introduced(visit.operating, content)
    except GatewayError as exc:
        return _adding_page(failure=exc)
    return _adding_page(found=found)


def register_peer(visit: Visit) -> Answer:
    """Register the peer whose card was shown."""
    content = visit.form.get("card", "").encode()
    found = None
    try:
        found = introducing.introduced(visit.operating, content)
        peer = introducing.register(
            visit.operating,
            content,
            _terms(visit),
            fingerprint=visit.form.get("fingerprint", "")[:_LONGEST_FINGERPRINT],
            actor=visit.person.actor,
        )
    except (ConflictError, InputError, SignerUntrustedError) as exc:
        return _adding_page(found=found, failure=exc)
    return Go(to=f"/operating/peers/{peer.identifier}")


def take_up_card(visit: Visit) -> Answer:
    """Take up the new card of a registered peer that was shown beside what is registered."""
    content = visit.form.get("card", "").encode()
    found = None
    try:
        found = introducing.introduced(visit.operating, content)
        peer = introducing.take_up_card(
            visit.operating,
            content,
            fingerprint=visit.form.get("fingerprint", "")[:_LONGEST_FINGERPRINT],
            actor=visit.person.actor,
        )
    except (ConflictError, InputError, NotFoundError, SignerUntrustedError) as exc:
        return _adding_page(found=found, failure=exc)
    return Go(to=f"/operating/peers/{peer.identifier}")


def end_certificate(visit: Visit) -> Answer:
    """End one registered certificate of a peer."""
    identifier = visit.path["identifier"]
    try:
        introducing.end_certificate(
            visit.operating,
            identifier,
            visit.form.get("certificate", ""),
            visit.form.get("use", ""),
            actor=visit.person.actor,
        )
    except (ConflictError, InputError, NotFoundError) as exc:
        return _peer_page(visit, failure=exc)
    return Go(to=f"/operating/peers/{identifier}")


def store_list(visit: Visit) -> Answer:
    """Store a revocation list of a peer's CA."""
    identifier, upload = visit.path["identifier"], visit.files.get("crl")
    content = b"" if upload is None else upload.content
    try:
        kept = introducing.store_list(
            visit.operating, identifier, content, actor=visit.person.actor
        )
    except (ConflictError, InputError, SignerUntrustedError) as exc:
        return _peer_page(visit, failure=exc)
    return _peer_page(visit, stored=kept)


def show_keys(visit: Visit) -> Answer:
    """Show our own signing keys as anybody may know them."""
    values = {"keys": own_keys(visit.operating), "now": visit.operating.now()}
    return Shown(template="own_keys.html", values=values)


def show_versions(visit: Visit) -> Answer:
    """Show the versions of mappings, agreement profiles, rules and national formats."""
    values = {
        "parts": loaded_parts(visit.operating),
        "software": __version__,
        "formats": visit.counter.national.states,
    }
    return Shown(template="versions.html", values=values)


def _peer_page(
    visit: Visit,
    *,
    checks: tuple[Check, ...] = (),
    failure: GatewayError | None = None,
    stored: bool | None = None,
) -> Shown:
    found = peers.known(visit.operating, visit.path["identifier"])
    values = {
        "it": found,
        "checks": checks,
        "failure": failure,
        "stored": stored,
        "now": visit.operating.now(),
        "gone": flow_plot(visit.words, found.health.hours, GONE, "operating.gone"),
        "come": flow_plot(visit.words, found.health.hours, COME, "operating.come"),
    }
    status = 200 if failure is None else failure.http_status
    return Shown(template="peer.html", values=values, status=status)


def _turned(visit: Visit, state: PeerState) -> Answer:
    identifier = visit.path["identifier"]
    try:
        reason = required_reason(visit.form.get("reason", ""))
    except InputError as exc:
        return _peer_page(visit, failure=exc)
    peers.set_state(visit.operating, identifier, state, actor=visit.person.actor, reason=reason)
    return Go(to=f"/operating/peers/{identifier}")


def _adding_page(
    *, found: Introduction | None = None, failure: GatewayError | None = None
) -> Shown:
    values = {
        "found": found,
        "failure": failure,
        "channels": tuple(PeerChannel),
        "soap_versions": _SOAP,
        "algorithms": tuple(AlgorithmLevel),
        "revocations": tuple(RevocationLevel),
    }
    status = 200 if failure is None else failure.http_status
    return Shown(template="add_peer.html", values=values, status=status)


def _terms(visit: Visit) -> PeerTerms:
    form = visit.form
    try:
        live = form.get("live_from", "")
        return PeerTerms(
            channel=PeerChannel(form.get("channel", "")),
            soap_version=form["soap_version"] if form.get("soap_version") in _SOAP else _SOAP[0],
            algorithms=AlgorithmLevel(form.get("algorithms", "")),
            revocation=RevocationLevel(form.get("revocation", "")),
            live_from=datetime.strptime(live, "%Y-%m-%d").replace(tzinfo=UTC) if live else None,
            collect=form.get("collect") == "yes",
        )
    except ValueError as exc:
        raise InputError("choose how to exchange with this peer") from exc


_AT: Final = "/operating/peers"
_ONE: Final = f"{_AT}/<identifier>"


def _deed(name: str, path: str, handler: Handler) -> Page:
    return Page(
        name=name,
        path=path,
        right=Right.OPERATE,
        handler=handler,
        method=Method.POST,
    )


PAGES: Final = (
    Page(name="peers", path=_AT, right=Right.WATCH, handler=show_peers),
    Page(name="peer", path=_ONE, right=Right.WATCH, handler=show_peer),
    _deed("suspend_peer", f"{_ONE}/suspend", suspend_peer),
    _deed("resume_peer", f"{_ONE}/resume", resume_peer),
    _deed("end_certificate", f"{_ONE}/end-certificate", end_certificate),
    _deed("store_list", f"{_ONE}/revocation-list", store_list),
    _deed("try_peer", f"{_ONE}/try", try_peer),
    Page(name="add_peer", path="/operating/add-peer", right=Right.OPERATE, handler=show_adding),
    _deed("preview_peer", "/operating/add-peer", preview_peer),
    _deed("register_peer", "/operating/add-peer/register", register_peer),
    _deed("take_up_card", "/operating/add-peer/take-up", take_up_card),
    Page(name="own_keys", path="/operating/keys", right=Right.WATCH, handler=show_keys),
    Page(name="versions", path="/operating/versions", right=Right.WATCH, handler=show_versions),
)
