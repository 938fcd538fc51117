"""The composition root: builds a gateway from its home, once, with nothing hidden.

Every entry point (listener, worker, command line, demonstration) starts here.  Tests pass
their own clock and transport; everything else is real.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from cryptography import x509

from gateway.agreements import Agreement, load_agreements
from gateway.config import KeySection, Settings, load_settings, secret_from
from gateway.documents import DocumentType, Severity
from gateway.documents.hs import import_hs
from gateway.errors import ConfigError, ConflictError
from gateway.exchange.answers import PeerEntrance
from gateway.exchange.context import SIGNING_ROLE, Clock, Desk, Identity, Limits
from gateway.exchange.delivery import Worker
from gateway.exchange.fetching import Collector
from gateway.exchange.peering import pem
from gateway.exchange.priorities import PriorityTable
from gateway.exchange.retry import RetryPolicy
from gateway.exchange.retry_table import RetryTable
from gateway.store import CredentialUse, Peer, PeerChannel, PeerCredential, Store, peers
from gateway.transport import Channel, CollectTransport, PeerEndpoint, SoapVersion, Transport
from gateway.trust import (
    COMPATIBLE,
    Credential,
    PeerTrust,
    RegisteredSigner,
    RevocationPolicy,
)
from gateway.xml.mapping import load_tables
from gateway.xml.national import FormatCatalogue, load_national_formats
from gateway.xml.national.catalogue import FormatChange, FormatNews
from gateway.xml.schema import SchemaSet

if TYPE_CHECKING:  # most commands serve nobody: what serves is imported by what makes it
    from flask import Flask

    from gateway.web.peer import ProxyTrust
    from gateway.web.serving import ServerSettings

log = structlog.get_logger(__name__)

CLIENT_CA_FILE = Path("run/client-ca.pem")
KEPT_FORMATS = Path("run/formats")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def system_clock() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """Is one gateway, ready to work."""

    settings: Settings
    desk: Desk

    @cached_property
    def national(self) -> FormatCatalogue:
        """The formats of national systems, loaded by the first document in one of them."""
        return catalogue_of(self.settings)

    @property
    def store(self) -> Store:
        """The books of this gateway."""
        return self.desk.store

    def close(self) -> None:
        """Close the database connections."""
        self.desk.store.close()


def open_gateway(home: Path, *, clock: Clock = system_clock) -> Gateway:
    """Return the gateway whose home is ``home``.

    Raises:
        ConfigError: settings, keys, profiles or mapping tables cannot be used.
    """
    settings = load_settings(home)
    desk = Desk(
        identity=_identity(settings),
        store=Store.open(settings.store_url, lock_wait_seconds=settings.store.lock_wait_seconds),
        tables=load_tables(),
        schemas=SchemaSet.load(),
        agreements=_agreements(settings),
        gateway_credential=_credential(settings, settings.keys.gateway),
        signers=_signers(settings),
        own_trust=_own_trust(settings),
        limits=Limits(
            max_age=timedelta(days=settings.limits.max_age_days),
            clock_skew=timedelta(minutes=settings.limits.clock_skew_minutes),
            max_message_bytes=settings.limits.max_message_bytes,
        ),
        clock=clock,
        priorities=PriorityTable.load(settings.resolve_own(settings.delivery.priority_table)),
        hs=tuple(import_hs(settings.resolve(path)) for path in settings.code_lists.hs),
    )
    return Gateway(settings=settings, desk=desk)


def peer_app(home: Path, *, clock: Clock = system_clock) -> Flask:
    """Return the WSGI app that serves peers; built in each worker after the fork."""
    from gateway.web.peer import PeerAppSettings, Pressure, create_peer_app

    gateway = open_gateway(home, clock=clock)
    settings = gateway.settings
    return create_peer_app(
        PeerEntrance(gateway.desk, retry_policy_of(settings)),
        PeerAppSettings(
            max_envelope_bytes=settings.limits.max_message_bytes,
            public_url=settings.listen.public_url,
            proxy=_proxy_trust(settings),
            pressure=Pressure.for_threads(
                settings.listen.threads,
                per_minute=settings.limits.messages_per_minute,
                burst=settings.limits.messages_at_once,
            ),
        ),
    )


def server_settings(settings: Settings) -> ServerSettings:
    """Return where and how the peer listener of this home is served.

    Raises:
        ConfigError: it would be plain, for a proxy, at an address that others reach.
    """
    from gateway.web.serving import ServerSettings, ServerTls

    listen = settings.listen
    tls = ServerTls(
        cert=settings.resolve(settings.tls.certificate),
        key=settings.resolve(settings.tls.key),
        client_ca=settings.resolve(CLIENT_CA_FILE),
    )
    if settings.proxy is not None and listen.host not in LOOPBACK:
        raise ConfigError("[proxy] serves without TLS: [listen] host must be 127.0.0.1 or ::1")
    _proxy_trust(settings)  # a missing secret ends the start, not each worker
    return ServerSettings(
        host=listen.host,
        port=listen.port,
        threads=listen.threads,
        tls=tls if settings.proxy is None else None,
        name=f"eco {settings.gateway.identifier}",
    )


def catalogue_of(settings: Settings) -> FormatCatalogue:
    """Return the national formats that ship, and those of the home."""
    return FormatCatalogue(
        load_national_formats,
        folder=settings.resolve(settings.formats.folder),
        kept=settings.resolve(KEPT_FORMATS),
        tell=_log_format,
    )


def _log_format(news: FormatNews) -> None:
    if not structlog.is_configured():  # a command: its standard output belongs to its answer
        return
    version = (
        {} if news.mark is None else {"version": news.mark.version, "sha256": news.mark.sha256}
    )
    if news.change is not FormatChange.REFUSED:
        log.info("national format changed", file=news.file, change=news.change.value, **version)
        return
    errors = [str(each) for each in news.mistakes if each.severity is Severity.ERROR]
    log.error(
        "national format refused, the version before stays in force",
        file=news.file,
        mistakes=len(errors),
        first=errors[0] if errors else "",
        **{f"in_force_{name}": value for name, value in version.items()},
    )


def write_client_ca(settings: Settings, store: Store) -> Path:
    """Write the anchors of all peers' TLS certificates where the listener reads them.

    The listener notices the change by itself.  A home without peers gets its own TLS
    certificate, so that the file is never empty and still lets nobody in.
    """
    with store.read() as conn:
        found = [
            credential.pem.strip()
            for peer in peers.every(conn)
            for credential in peers.credentials(
                conn, peer.id, use=CredentialUse.SERVER_CA, at=system_clock()
            )
        ]
    if not found:
        found = [pem(tls_certificates(settings)[0]).strip()]
    path = settings.resolve(CLIENT_CA_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".new")
    written.write_text("\n".join(dict.fromkeys(found)) + "\n", encoding="ascii")
    written.replace(path)
    return path


def tls_certificates(settings: Settings) -> list[x509.Certificate]:
    """Return the TLS certificate of this gateway, then its issuers.

    Raises:
        ConfigError: the file is missing or holds none.
    """
    path = settings.resolve(settings.tls.certificate)
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as exc:
        raise ConfigError(_unusable("tls", path, exc)) from exc


def worker_of(gateway: Gateway, transport: Transport, *, name: str) -> Worker:
    """Return a worker that delivers the due messages of ``gateway``."""
    delivery = gateway.settings.delivery
    return Worker(
        name=name,
        desk=gateway.desk,
        transport=transport,
        endpoint_of=endpoint_book(gateway),
        retry=retry_policy_of(gateway.settings),
        lease_seconds=delivery.lease_seconds,
        batch=delivery.batch,
    )


def retry_policy_of(settings: Settings) -> RetryPolicy:
    """Return when to try again, by the settings and the home's table.

    Raises:
        ConfigError: the table is wrong.
    """
    delivery = settings.delivery
    return RetryPolicy(
        first=timedelta(seconds=delivery.first_retry_seconds),
        longest=timedelta(seconds=delivery.longest_retry_seconds),
        give_up_after=timedelta(hours=delivery.give_up_after_hours),
        table=retry_table_of(settings),
    )


def collector_of(gateway: Gateway, transport: CollectTransport, *, name: str) -> Collector:
    """Return what fetches the messages that wait for ``gateway`` at its peers."""
    return Collector(
        name=name, desk=gateway.desk, transport=transport, endpoint_of=endpoint_book(gateway)
    )


def endpoint_book(gateway: Gateway) -> Callable[[Peer], PeerEndpoint]:
    """Return the function that says where and with which credentials a peer is reached."""
    settings = gateway.settings
    kept: dict[int, tuple[int, tuple[PeerCredential, ...]]] = {}

    def anchors_of(peer: Peer) -> tuple[PeerCredential, ...]:
        """Return the server anchors of a peer, read again only when its row has changed."""
        revision, anchors = kept.get(peer.id, (None, ()))
        if revision != peer.revision:
            with gateway.store.read() as conn:
                anchors = peers.credentials(conn, peer.id, use=CredentialUse.SERVER_CA)
            kept[peer.id] = peer.revision, anchors
        now = gateway.desk.clock()
        return tuple(anchor for anchor in anchors if anchor.holds_at(now))

    def endpoint_of(peer: Peer) -> PeerEndpoint:
        if peer.channel is PeerChannel.COLLECT:
            raise ConflictError(f"{peer.identifier} cannot be called; it collects from us")
        anchors = anchors_of(peer)
        return PeerEndpoint(
            channel=Channel(peer.channel.value),
            url=peer.url,
            soap_version=SoapVersion(peer.soap_version),
            server_ca_pem="\n".join(anchor.pem for anchor in anchors).encode("ascii"),
            client_cert=settings.resolve(settings.tls.certificate),
            client_key=settings.resolve(settings.tls.key),
            connect_timeout=settings.delivery.connect_timeout_seconds,
            read_timeout=settings.delivery.read_timeout_seconds,
            total_timeout=settings.delivery.lease_seconds / 2,
        )

    return endpoint_of


def retry_table_of(settings: Settings) -> RetryTable:
    """Return what follows which failure at this home.

    Raises:
        ConfigError: the home's own table is broken.
    """
    return RetryTable.load(settings.resolve_own(settings.delivery.retry_table))


def _proxy_trust(settings: Settings) -> ProxyTrust | None:
    from gateway.web.peer import ProxyTrust

    if settings.proxy is None:
        return None
    return ProxyTrust(secret=(secret_from(settings.proxy.secret_env) or b"").decode())


def _identity(settings: Settings) -> Identity:
    own = settings.gateway
    return Identity(identifier=own.identifier, name=own.name, country=own.country, test=own.test)


def _agreements(settings: Settings) -> Mapping[str, Agreement]:
    known = load_agreements()
    missing = [name for name in settings.gateway.agreements if name not in known]
    if missing:
        raise ConfigError(f"[gateway] agreements: no profile is called {', '.join(missing)}")
    return {name: known[name] for name in settings.gateway.agreements}


def _signers(settings: Settings) -> Mapping[DocumentType, Credential]:
    sections = {
        DocumentType.CERTIFICATE_OF_ORIGIN: settings.keys.authority,
        DocumentType.CUSTOMS_RESPONSE: settings.keys.customs,
    }
    return {
        document_type: _credential(settings, section)
        for document_type, section in sections.items()
        if section is not None
    }


def _own_trust(settings: Settings) -> PeerTrust:
    signers = _signers(settings)
    return PeerTrust(
        country=settings.gateway.country,
        anchors=tuple(
            anchor for credential in signers.values() for anchor in credential.chain[-1:]
        ),
        signers=tuple(
            RegisteredSigner(
                fingerprint=credential.fingerprint,
                country=settings.gateway.country,
                role=SIGNING_ROLE[document_type],
            )
            for document_type, credential in signers.items()
        ),
        crls=(),
        policy=COMPATIBLE,
        revocation=RevocationPolicy.WHEN_KNOWN,
    )


def _credential(settings: Settings, section: KeySection) -> Credential:
    password = secret_from(section.password_env)
    try:
        if section.pem is not None:
            key, certificate = (settings.resolve(path).read_bytes() for path in section.pem)
            return Credential.from_pem(key, certificate, password)
        pkcs12 = settings.resolve(section.pkcs12 or Path())
        return Credential.from_pkcs12(pkcs12.read_bytes(), password)
    except OSError as exc:
        raise ConfigError(_unusable("keys", Path(exc.filename), exc)) from exc


def _unusable(section: str, path: Path, exc: Exception) -> str:
    if not isinstance(exc, FileNotFoundError):
        return f"[{section}] {path} cannot be read: {getattr(exc, 'strerror', None) or exc}"
    if path.with_name(path.name.replace(".cert.", ".csr.")).is_file():
        return (
            f"[{section}] {path} is not there yet: put the certificate there that your CA returns"
        )
    return f"[{section}] {path} is not there"
