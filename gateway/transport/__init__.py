"""Carrying envelope bytes to a peer and its answer back, over SOAP or REST.

Only ``TransportError`` leaves come out of here.  What the bytes mean, whether the answer is a
genuine receipt, and when to try again is decided in ``gateway.exchange``.
"""

from gateway.transport.channels import PeerTransport
from gateway.transport.port import (
    Channel,
    Collected,
    CollectTransport,
    Confirmed,
    PeerEndpoint,
    PingAnswer,
    SoapVersion,
    StatusAnswer,
    Transport,
    WaitingEnvelope,
)
from gateway.transport.rest import RestTransport
from gateway.transport.soap import SoapTransport

__all__ = [
    "Channel",
    "CollectTransport",
    "Collected",
    "Confirmed",
    "PeerEndpoint",
    "PeerTransport",
    "PingAnswer",
    "RestTransport",
    "SoapTransport",
    "SoapVersion",
    "StatusAnswer",
    "Transport",
    "WaitingEnvelope",
]
