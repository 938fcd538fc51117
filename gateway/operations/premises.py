"""The premises: everything about one gateway home that operating it needs to know.

Built by the composition root; settings are not read here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.exchange.context import Desk
from gateway.operations.rules import RuleBook
from gateway.store import Peer
from gateway.transport import PeerEndpoint
from gateway.trust import Credential
from gateway.xml.national import FormatFault


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Says where the peer listener of this home binds."""

    host: str
    port: int


@dataclass(frozen=True, kw_only=True)
class WatchedFolder:
    """Is a folder by which national systems hand files over, as far as operating it goes.

    Attributes:
        task: the turn in which a worker looks after it.
        inbox: where files lie until they are taken; None for a folder out.
        pattern: only files with such names are taken.
    """

    name: str
    task: str
    inbox: Path | None = None
    pattern: str = "*"


@dataclass(frozen=True, kw_only=True)
class Premises:
    """Is one gateway home as its operator sees it.

    Attributes:
        credentials: own signing credentials by name (gateway, authority, customs).
        key_files: files that only their owner may read, by name.
        tls_certificate: PEM file, own TLS certificate first, then its issuers.
        own_crls: revocation lists of our own issuing CAs, which peers rely on.
        folders: folders whose file systems must have room, by name.
        watched: the folders that workers look after for national systems.
        endpoint_of: where and with which credentials a peer is reached.
        own_formats: gives name, version and SHA-256 of the national formats of the home.
        format_faults: gives the mapping files of the home that are not in force as they stand.
    """

    home: Path
    desk: Desk
    rules: RuleBook
    credentials: Mapping[str, Credential]
    key_files: Mapping[str, Path]
    tls_certificate: Path
    own_crls: tuple[Path, ...] = ()
    folders: Mapping[str, Path] = field(default_factory=dict)
    listener: Listener | None = None
    watched: tuple[WatchedFolder, ...] = ()
    endpoint_of: Callable[[Peer], PeerEndpoint]
    own_formats: Callable[[], tuple[tuple[str, str, str], ...]] = tuple
    format_faults: Callable[[], tuple[FormatFault, ...]] = tuple
