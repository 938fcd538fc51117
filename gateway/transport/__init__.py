"""Carrying envelope bytes to a peer and its answer back, over SOAP or REST.

Only ``TransportError`` leaves come out of here.  What the bytes mean, whether the answer is a
genuine receipt, and when to try again is decided in ``gateway.exchange``.
"""

from gateway.transport.answers import plain_text
from gateway.transport.channels import PeerTransport
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
    SoapVersion,
    StatusAnswer,
    Transport,
    WaitingEnvelope,
)
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
    "RestTransport",
    "SoapTransport",
    "SoapVersion",
    "StatusAnswer",
    "Transport",
    "WaitingEnvelope",
    "plain_text",
]
