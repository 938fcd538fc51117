"""The composition root of the console: what people need, its pages and its server, out of settings.

Apart from ``gateway.national_side`` because a worker needs that and serves nobody.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from flask import Flask

from gateway.app import (
    Gateway,
    open_gateway,
    retry_table_of,
    system_clock,
    write_client_ca,
)
from gateway.config import Settings
from gateway.documents import Language
from gateway.exchange.context import Clock
from gateway.national_side import counter_of
from gateway.services.home_key import load_home_key
from gateway.services.operating.desk import OperatingDesk
from gateway.services.people.desk import PeopleDesk, SessionTerms
from gateway.services.people.openid import OpenIdTerms, load_client_secret
from gateway.services.people.openid_provider import OpenIdProvider
from gateway.services.people.secrets import Secrets
from gateway.store import Store
from gateway.watching import premises_of
from gateway.web.console import ConsoleSettings, create_console_app
from gateway.web.pressure import Pressure
from gateway.web.serving import ServerSettings, ServerTls


def console_app(home: Path, *, clock: Clock = system_clock) -> Flask:
    """Return the WSGI app of the console; built in each worker after the fork."""
    gateway = open_gateway(home, clock=clock)
    return create_console_app(
        counter_of(gateway),
        people_desk(gateway),
        console_settings(gateway.settings),
        operating_desk(gateway),
    )


def operating_desk(gateway: Gateway) -> OperatingDesk:
    """Return what the services of operating work with.

    Raises:
        ConfigError: the home's own retry classes or alert rules cannot be used.
    """
    settings = gateway.settings
    return OperatingDesk(
        premises=premises_of(gateway),
        retry=retry_table_of(settings),
        resend_most=settings.delivery.resend_most,
        resend_gap=timedelta(seconds=1 / settings.delivery.resend_per_second),
        publish=lambda: _publish(settings, gateway.store),
    )


def _publish(settings: Settings, store: Store) -> None:
    write_client_ca(settings, store)


def people_desk(gateway: Gateway) -> PeopleDesk:
    """Return what the services about people work with."""
    settings = gateway.settings
    own = settings.console
    key = load_home_key(settings.resolve(own.secret), "console")
    return PeopleDesk(
        store=gateway.desk.store,
        clock=gateway.desk.clock,
        secrets=Secrets(key=key, issuer=f"eCO {settings.gateway.identifier}"),
        terms=SessionTerms(
            idle=timedelta(minutes=own.idle_minutes),
            whole=timedelta(hours=own.session_hours),
            needs_factor=own.second_factor,
        ),
        provider=_provider(settings),
    )


def _provider(settings: Settings) -> OpenIdProvider | None:
    """Return the identity provider of the console, None where none is configured."""
    own = settings.console.oidc
    if own is None:
        return None
    terms = OpenIdTerms(
        issuer=own.issuer,
        name=own.name,
        client_id=own.client_id,
        client_secret=load_client_secret(settings.resolve(own.client_secret)),
        console=own.public_url,
        ca=settings.resolve_own(own.ca),
        scopes=own.scopes,
        algorithms=frozenset(own.algorithms),
        factor_acr=own.factor_acr,
        factor_amr=own.factor_amr,
        skew=timedelta(seconds=own.clock_skew_seconds),
        local_accounts=own.local_accounts,
    )
    return OpenIdProvider(terms)


def console_settings(settings: Settings) -> ConsoleSettings:
    """Return what the console is told."""
    own = settings.console
    return ConsoleSettings(
        name=settings.gateway.name,
        language=Language(settings.gateway.language),
        max_body_bytes=own.max_upload_bytes,
        behind_proxy=own.behind_proxy,
        public=own.public,
        pressure=Pressure.for_threads(own.threads, per_minute=1200, burst=200),
        public_pressure=Pressure.for_threads(
            own.threads, per_minute=own.public_per_minute, burst=own.public_per_minute
        ),
        four_eyes=own.four_eyes,
    )


def console_server(settings: Settings) -> ServerSettings:
    """Return where and how the console is served."""
    own = settings.console
    tls = ServerTls(
        cert=settings.resolve(own.certificate or settings.tls.certificate),
        key=settings.resolve(own.key or settings.tls.key),
        client_ca=None,
    )
    return ServerSettings(
        host=own.host,
        port=own.port,
        threads=own.threads,
        tls=None if own.behind_proxy else tls,
        name=f"eco console {settings.gateway.identifier}",
    )
