"""The composition root of operating: premises, recipients and couriers out of settings.

Apart from ``gateway.app`` so that neither grows with the other; it starts where that ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.app import Gateway, endpoint_book, open_gateway, system_clock
from gateway.config import Settings, secret_from
from gateway.config_operations import WebhookSection
from gateway.documents.codes import Language
from gateway.exchange.context import SIGNING_ROLE, Clock
from gateway.exchange.looking_in import LOOK_IN, LOOK_IN_PERIOD, look_in
from gateway.jobs import Job
from gateway.operations.alerting import AlertDesk, Recipient
from gateway.operations.letters import Courier
from gateway.operations.mail import MailCourier, MailSecurity, MailServer
from gateway.operations.notifying import Office, notify
from gateway.operations.premises import Listener, Premises, WatchedFolder
from gateway.operations.reach import hasty
from gateway.operations.rules import RuleBook
from gateway.operations.turns import NOTIFY, NOTIFY_PERIOD, WATCH, WATCH_PERIOD
from gateway.operations.watch import watch
from gateway.operations.webhook import Webhook, WebhookCourier
from gateway.store import AlertLevel

if TYPE_CHECKING:  # a worker watches too, and serves nobody
    from flask import Flask

    from gateway.web.serving import ServerSettings

_SQLITE = "sqlite:///"


def premises_of(gateway: Gateway) -> Premises:
    """Return the premises of an opened gateway.

    Raises:
        ConfigError: the home's own alert rules cannot be used.
    """
    settings, desk = gateway.settings, gateway.desk
    own_rules = settings.alerts.rules
    listen = settings.listen
    return Premises(
        home=settings.home,
        desk=desk,
        rules=RuleBook.load(None if own_rules is None else settings.resolve(own_rules)),
        credentials={
            "gateway": desk.gateway_credential,
            **{SIGNING_ROLE[kind].value.lower(): each for kind, each in desk.signers.items()},
        },
        key_files=dict(_key_files(settings)),
        tls_certificate=settings.resolve(settings.tls.certificate),
        own_crls=tuple(settings.resolve(path) for path in settings.watch.crls),
        folders=dict(_folders(settings)),
        listener=Listener(host=listen.host, port=listen.port) if listen.port else None,
        watched=tuple(_watched(settings)),
        endpoint_of=endpoint_book(gateway),
        own_formats=lambda: gateway.national.own_versions,
        format_faults=lambda: gateway.national.faults,
    )


def office_of(settings: Settings, rules: RuleBook) -> Office:
    """Return who is told of alerts and by which courier.

    Raises:
        ConfigError: a secret's environment variable is not set.
    """
    told = (*_by_mail(settings), *_by_webhook(settings))
    desk = AlertDesk(
        rules=rules,
        recipients=tuple(recipient for recipient, _ in told),
        digest=timedelta(minutes=settings.alerts.digest_minutes),
        keep=timedelta(days=settings.alerts.keep_days),
    )
    return Office(desk=desk, couriers={one.address: courier for one, courier in told})


def watching_jobs(gateway: Gateway, worker: str) -> list[Job]:
    """Return the jobs that a worker runs beside delivery: watching, and telling recipients."""
    premises = premises_of(gateway)
    office = office_of(gateway.settings, premises.rules)

    def look() -> None:
        watch(premises, office.desk, worker)

    def tell() -> None:
        notify(premises, office)

    jobs = [Job(name=WATCH, seconds=WATCH_PERIOD.total_seconds() / 6, run=look)]
    jobs.append(_looking_in(gateway, worker))
    if office.couriers:
        jobs.append(Job(name=NOTIFY, seconds=NOTIFY_PERIOD.total_seconds(), run=tell))
    return jobs


def _looking_in(gateway: Gateway, worker: str) -> Job:
    from gateway.transport import PeerTransport  # loads HTTP and SOAP; most processes call nobody

    endpoint_of = endpoint_book(gateway)

    def ask() -> None:
        transport = PeerTransport()
        try:
            look_in(gateway.desk, lambda peer: hasty(endpoint_of(peer)), transport, worker)
        finally:
            transport.close()

    return Job(name=LOOK_IN, seconds=LOOK_IN_PERIOD.total_seconds() / 10, run=ask)


def operations_app(home: Path, *, clock: Clock = system_clock) -> Flask:
    """Return the WSGI app that serves health and metrics of the gateway at ``home``."""
    from gateway.web.operations import create_operations_app

    return create_operations_app(premises_of(open_gateway(home, clock=clock)))


def operations_server(settings: Settings) -> ServerSettings:
    """Return where health and metrics of this home are served; plain HTTP."""
    from gateway.web.serving import ServerSettings

    return ServerSettings(
        host=settings.watch.host,
        port=settings.watch.port,
        tls=None,
        threads=4,
        connections=64,
        name=f"eco watch {settings.gateway.identifier}",
    )


def _key_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    keys = settings.keys
    named = {"gateway": keys.gateway, "authority": keys.authority, "customs": keys.customs}
    for name, section in named.items():
        path = None if section is None else section.key or section.pkcs12
        if path is not None:
            yield name, settings.resolve(path)
    yield "tls", settings.resolve(settings.tls.key)


def _folders(settings: Settings) -> Iterator[tuple[str, Path]]:
    yield "home", settings.home
    if settings.store_url.startswith(_SQLITE):
        yield "database", Path(settings.store_url.removeprefix(_SQLITE)).parent
    for path in settings.watch.folders:
        yield path.name, settings.resolve(path)


def _watched(settings: Settings) -> Iterator[WatchedFolder]:
    for inbox in settings.files.inboxes:
        folder = settings.resolve(inbox.folder)
        yield WatchedFolder(
            name=inbox.name,
            task=f"files in {inbox.name}",
            inbox=folder,
            pattern=inbox.pattern,
        )
    for outbox in settings.files.outboxes:
        yield WatchedFolder(name=outbox.name, task=f"files out {outbox.name}")


def _by_mail(settings: Settings) -> Iterator[tuple[Recipient, Courier]]:
    mail = settings.alerts.mail
    if mail is None:
        return
    password = secret_from(mail.password_env)
    server = MailServer(
        host=mail.host,
        port=mail.port,
        security=MailSecurity(mail.security),
        sender=mail.sender,
        username=mail.username,
        password=None if password is None else password.decode(),
        ca=None if mail.ca is None else settings.resolve(mail.ca),
    )
    for each in settings.alerts.recipients:
        recipient = Recipient(
            address=f"mail:{each.address}",
            language=Language(each.language),
            minimum=AlertLevel(each.minimum),
        )
        yield recipient, MailCourier(server, each.address)


def _by_webhook(settings: Settings) -> Iterator[tuple[Recipient, Courier]]:
    for each in settings.alerts.webhooks:
        recipient = Recipient(
            address=f"webhook:{each.name}",
            language=Language(each.language),
            minimum=AlertLevel(each.minimum),
        )
        yield recipient, WebhookCourier(_webhook(settings, each))


def _webhook(settings: Settings, section: WebhookSection) -> Webhook:
    return Webhook(
        url=section.url,
        secret=secret_from(section.secret_env) or b"",
        networks=tuple(ip_network(network) for network in section.networks),
        ca=None if section.ca is None else settings.resolve(section.ca),
    )
