"""Carrying envelope bytes to a peer and its answer back, over SOAP or REST.

Only ``TransportError`` leaves come out of here.  What the bytes mean, whether the answer is a
genuine receipt, and when to try again is decided in ``gateway.exchange``.

The carriers themselves load when they are first named: most commands send nothing, and the
HTTP and SOAP libraries take a tenth of their start.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from gateway.transport.answers import plain_text
from gateway.transport.port import (
    MOST_DETAIL,
    Channel,
    Collected,
    CollectTransport,
    Confirmed,
    Decline,
    Declined,
    PeerEndpoint,
    PingAnswer,
    Planned,
    SoapVersion,
    StatusAnswer,
    Transport,
    WaitingEnvelope,
)

if TYPE_CHECKING:
    from gateway.transport.channels import PeerTransport
    from gateway.transport.rest import RestTransport
    from gateway.transport.soap import SoapTransport

__all__ = [
    "MOST_DETAIL",
    "Channel",
    "CollectTransport",
    "Collected",
    "Confirmed",
    "Decline",
    "Declined",
    "PeerEndpoint",
    "PeerTransport",
    "PingAnswer",
    "Planned",
    "RestTransport",
    "SoapTransport",
    "SoapVersion",
    "StatusAnswer",
    "Transport",
    "WaitingEnvelope",
    "plain_text",
]

_CARRIERS: Final = {
    "PeerTransport": "gateway.transport.channels",
    "RestTransport": "gateway.transport.rest",
    "SoapTransport": "gateway.transport.soap",
}


def __getattr__(name: str) -> Any:
    """Return the carrier called ``name``, loading its module."""
    if name not in _CARRIERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_CARRIERS[name]), name)
