"""The peers' entrance: SOAP and REST in front of one desk.

Here bytes are bounded, frames are opened and errors are worded.  Whether a message is
authentic, fitting and acceptable is decided behind the desk (``gateway.exchange``).
"""

from gateway.web.peer.app import create_peer_app
from gateway.web.peer.desk import PeerAppSettings, PeerDesk, ProxyTrust
from gateway.web.pressure import Pressure

__all__ = ["PeerAppSettings", "PeerDesk", "Pressure", "ProxyTrust", "create_peer_app"]
