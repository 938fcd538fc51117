"""What the services of operating work with, built once at start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from gateway.errors import InputError, NotFoundError
from gateway.exchange.context import Desk
from gateway.exchange.retry_table import RetryTable
from gateway.operations.premises import Premises
from gateway.store import Peer, peers

if TYPE_CHECKING:
    from gateway.transport import PeerTransport

LONGEST_REASON = 500


def _peer_transport() -> PeerTransport:
    from gateway.transport import PeerTransport  # loads HTTP and SOAP; most pages call nobody

    return PeerTransport()


@dataclass(frozen=True, kw_only=True)
class OperatingDesk:
    """Holds the premises and the bounds within which an operator acts on them.

    Attributes:
        resend_most: messages that one order to resend queues at most.
        resend_gap: pause between two of them that become due to the same peer.
        publish: lets the peer listener know whose TLS certificates to believe from now on.
        open_transport: gives what peers are called with; closed after use.
    """

    premises: Premises
    retry: RetryTable
    resend_most: int = 500
    resend_gap: timedelta = timedelta(seconds=0.2)
    publish: Callable[[], None] = lambda: None
    open_transport: Callable[[], PeerTransport] = _peer_transport

    @property
    def desk(self) -> Desk:
        """The desk of the gateway."""
        return self.premises.desk

    def now(self) -> datetime:
        """Return the present moment."""
        return self.premises.desk.clock()


def known_peer(conn: Connection, identifier: str) -> Peer:
    """Return the peer called ``identifier``.

    Raises:
        NotFoundError: none is registered under that name.
    """
    found = peers.by_identifier(conn, identifier)
    if found is None:
        raise NotFoundError("no peer is registered under this name")
    return found


def required_reason(stated: str) -> str:
    """Return why something is done, as it will stand in the journal.

    Raises:
        InputError: no reason is given, or one that is far too long.
    """
    reason = " ".join(stated.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise InputError(f"say why, in at most {LONGEST_REASON} characters")
    return reason
