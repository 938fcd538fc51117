"""The composition root of the national side: counter, entrance and server out of settings.

Apart from ``gateway.app`` so that neither grows with the other; it starts where that ends.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.app import Gateway, open_gateway, system_clock
from gateway.config import Settings
from gateway.config_api import OauthSection
from gateway.config_files import InboxSection, OutboxSection
from gateway.documents import Language
from gateway.errors import ConfigError
from gateway.exchange.context import Clock
from gateway.files import FileClerk, InboxPlan, OutboxPlan
from gateway.files.handing_out import Outbox
from gateway.files.taking import Inbox
from gateway.jobs import Job
from gateway.services.access import Scope
from gateway.services.batches import BatchLimits, BatchWorker, sweep
from gateway.services.counter import Counter, long_polls_of
from gateway.services.provider import Provider
from gateway.services.token_keys import KeyRing
from gateway.services.tokens import TokenRules, Tokens
from gateway.services.webhook_desk import HookDesk, HookSecrets
from gateway.services.webhook_sending import Patience, Teller

if TYPE_CHECKING:  # a worker tells webhooks, and serves nobody
    from flask import Flask

    from gateway.web.api import ApiSettings
    from gateway.web.serving import ServerSettings


def counter_of(gateway: Gateway) -> Counter:
    """Return the counter at which systems of the national side are served."""
    return Counter(
        desk=gateway.desk,
        national=gateway.national,
        hooks=hook_desk(gateway.settings),
        long_polls=long_polls_of(gateway.settings.api.threads),
        batches=batch_limits(gateway.settings),
        check_address=gateway.settings.paper.check_address,
    )


def hook_desk(settings: Settings) -> HookDesk:
    """Return what webhooks of this home are made with."""
    own = settings.webhooks
    return HookDesk(
        secrets=HookSecrets(file=settings.resolve(own.key)),
        networks=tuple(ip_network(network) for network in own.networks),
        plain_hosts=frozenset(host.lower() for host in own.plain_hosts),
        ports=frozenset(own.ports),
        ca=settings.resolve_own(own.ca),
        seconds=float(own.timeout_seconds),
    )


def teller_of(gateway: Gateway) -> Teller:
    """Return what tells the webhooks of ``gateway``."""
    settings = gateway.settings
    hours = settings.webhooks.give_up_after_hours
    return Teller(
        desk=gateway.desk,
        hooks=hook_desk(settings),
        patience=Patience(give_up_after=timedelta(hours=hours)),
    )


def telling_job(teller: Teller) -> Job:
    """Return the job that gives webhooks their turns; it never waits for a receiver."""
    return Job(name="webhooks", seconds=1, run=teller.ring)


def batch_limits(settings: Settings) -> BatchLimits:
    """Return how much a batch may hold here."""
    own = settings.api.batches
    return BatchLimits(
        max_bytes=own.max_bytes,
        max_line_bytes=own.max_document_bytes,
        max_lines=own.max_lines,
        max_files=own.max_files,
        max_unpacked_bytes=own.max_unpacked_bytes,
        max_open=own.max_open,
        kept=timedelta(days=own.keep_days),
    )


def batch_worker(gateway: Gateway, name: str, must_stop: Callable[[], bool]) -> BatchWorker:
    """Return what works through the batches of ``gateway``."""
    return BatchWorker(
        name=name,
        counter=counter_of(gateway),
        lease_seconds=gateway.settings.delivery.lease_seconds,
        must_stop=must_stop,
    )


def batches_job(worker: BatchWorker) -> Job:
    """Return the job that works through batches, turn by turn, while any is due."""

    def work() -> None:
        worker.run()

    return Job(name="batches", seconds=1, run=work)


def batch_sweeping_job(worker: BatchWorker) -> Job:
    """Return the job that lets go of old results and broken uploads."""

    def let_go() -> None:
        sweep(worker.counter, worker.name)

    return Job(name="sweep-batches", seconds=60, run=let_go)


def clerk_of(gateway: Gateway, worker: str) -> FileClerk:
    """Return what looks after the watched folders of ``gateway``."""
    counter, own = counter_of(gateway), gateway.settings.files
    return FileClerk(
        counter=counter,
        worker=worker,
        inboxes=[
            Inbox(counter=counter, plan=_inbox_plan(gateway.settings, section))
            for section in own.inboxes
        ],
        outboxes=[
            Outbox(counter=counter, plan=_outbox_plan(gateway.settings, section))
            for section in own.outboxes
        ],
        poll=timedelta(seconds=own.poll_seconds),
        lease=timedelta(seconds=own.lease_seconds),
    )


def file_jobs(gateway: Gateway, worker: str) -> list[Job]:
    """Return the job that looks after the watched folders; none where there are none."""
    own = gateway.settings.files
    if not own.inboxes and not own.outboxes:
        return []
    clerk = clerk_of(gateway, worker)

    def look() -> None:
        clerk.ring()

    return [Job(name="files", seconds=own.poll_seconds, run=look)]


def _inbox_plan(settings: Settings, section: InboxSection) -> InboxPlan:
    folder = settings.resolve(section.folder)
    return InboxPlan(
        name=section.name,
        organisation=section.organisation,
        folder=folder,
        form=section.format,
        pattern=section.pattern,
        stable_seconds=section.stable_seconds,
        marker=section.marker,
        results=settings.resolve_own(section.results) or folder / "results",
        quarantine=settings.resolve_own(section.quarantine) or folder / "quarantine",
        most_bytes=settings.files.max_file_bytes,
        language=Language(settings.gateway.language),
    )


def _outbox_plan(settings: Settings, section: OutboxSection) -> OutboxPlan:
    return OutboxPlan(
        name=section.name,
        organisation=section.organisation,
        folder=settings.resolve(section.folder),
        kinds=frozenset(section.kinds),
        from_beginning=section.begin == "first",
        language=Language(settings.gateway.language),
    )


def api_app(home: Path, *, clock: Clock = system_clock) -> Flask:
    """Return the WSGI app of the national side; built in each worker after the fork."""
    from gateway.web.api import create_api_app

    gateway = open_gateway(home, clock=clock)
    settings = api_settings(gateway.settings)
    return create_api_app(counter_of(gateway), settings, tokens=tokens_of(gateway))


def tokens_of(gateway: Gateway) -> Tokens | None:
    """Return what recognises tokens of the identity provider, None where none is configured.

    Raises:
        ConfigError: a scope in the settings is none.
    """
    own = gateway.settings.api.oauth
    if own is None:
        return None
    resolve = gateway.settings.resolve_own
    provider = Provider(
        issuer=own.issuer,
        jwks_url=own.jwks_url,
        jwks_file=resolve(own.jwks_file),
        ca=resolve(own.ca),
    )
    return Tokens(
        rules=_token_rules(own),
        keys=KeyRing(provider.loader(), fresh=float(own.fresh_seconds)),
        store=gateway.store,
        clock=gateway.desk.clock,
    )


def _token_rules(own: OauthSection) -> TokenRules:
    known = {each.value: each for each in Scope}
    unknown = [each.scope for each in own.scopes if each.scope not in known]
    if unknown:
        raise ConfigError(f"[api.oauth.scopes] there is no scope {', '.join(unknown)}")
    return TokenRules(
        issuer=own.issuer,
        audience=own.audience,
        organisations={each.client: each.organisation for each in own.clients},
        algorithms=frozenset(own.algorithms),
        types=frozenset(own.token_types),
        client_claim=own.client_claim,
        scope_claim=own.scope_claim,
        scopes={each.token: known[each.scope] for each in own.scopes},
        skew=timedelta(seconds=own.clock_skew_seconds),
        longest=timedelta(minutes=own.longest_minutes),
    )


def api_settings(settings: Settings) -> ApiSettings:
    """Return what the entrance of the national side is told."""
    from gateway.web.api import ApiSettings
    from gateway.web.pressure import Pressure

    api = settings.api
    return ApiSettings(
        max_body_bytes=api.max_body_bytes,
        language=Language(settings.gateway.language),
        show_page=api.docs,
        issuer=None if api.oauth is None else api.oauth.issuer,
        public_url=api.public_url,
        behind_proxy=api.behind_proxy,
        pressure=Pressure.for_threads(
            api.threads, per_minute=api.requests_per_minute, burst=api.requests_at_once
        ),
    )


def api_server(settings: Settings) -> ServerSettings:
    """Return where and how the entrance of the national side is served."""
    from gateway.web.serving import ServerSettings, ServerTls

    api = settings.api
    tls = ServerTls(
        cert=settings.resolve(api.certificate or settings.tls.certificate),
        key=settings.resolve(api.key or settings.tls.key),
        client_ca=None,
    )
    return ServerSettings(
        host=api.host,
        port=api.port,
        threads=api.threads,
        tls=None if api.behind_proxy else tls,
        name=f"eco api {settings.gateway.identifier}",
    )
