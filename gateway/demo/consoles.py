"""The consoles of the demonstration: people of every role on both sides, and a server for each.

Everything here is what two operators would do by hand with ``eco organisation add``,
``eco user add`` and ``eco serve console``; passwords are made anew each time and told once.
"""

from __future__ import annotations

import http.client
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from gateway.app import Gateway, system_clock
from gateway.console_side import people_desk
from gateway.demo.cast import CAST, Actor
from gateway.demo.stage import READY_SECONDS, Stage, started
from gateway.errors import UnreachableError
from gateway.services.people import directory, sessions, signing_in
from gateway.services.people.desk import Origin, PeopleDesk
from gateway.services.people.directory import PersonOrder
from gateway.services.people.secrets import new_code
from gateway.store import NewOrganisation, Organisation, OrganisationKind, PersonRole, clients

_ACTOR: Final = "user:demo"
_HERE: Final = Origin(network="127.0.0.1/32", agent="eco demo")
_SEAT_OF: Final[Mapping[PersonRole, OrganisationKind]] = {
    PersonRole.ISSUING_ADMINISTRATOR: OrganisationKind.ISSUING_AUTHORITY,
    PersonRole.ISSUING_OFFICER: OrganisationKind.ISSUING_AUTHORITY,
    PersonRole.CUSTOMS_OFFICER: OrganisationKind.CUSTOMS,
    PersonRole.ORIGIN_UNIT: OrganisationKind.CUSTOMS,
    PersonRole.OPERATOR: OrganisationKind.SINGLE_WINDOW,
    PersonRole.AUDITOR: OrganisationKind.AUDITOR,
    PersonRole.SECRETARIAT: OrganisationKind.AUDITOR,
}
"""In which organisation of the demonstration each role is held."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Is a person of the demonstration who can sign in."""

    login: str
    name: str
    role: PersonRole
    organisation: str
    password: str

    def __repr__(self) -> str:
        return f"Account({self.login})"


@dataclass(frozen=True, kw_only=True)
class Console:
    """Is where the people of one state work.

    Attributes:
        url: as a browser on this machine opens it.
    """

    country: str
    url: str
    port: int
    accounts: tuple[Account, ...]


@contextmanager
def consoles(stage: Stage, language: str) -> Iterator[tuple[Console, ...]]:
    """Serve the console of each state, with people of every role, while the context lasts.

    Args:
        language: of the pages, until somebody chooses another.

    Raises:
        UnreachableError: one did not start.
    """
    opened = tuple(_furnished(stage.gateways[actor.country], actor, language) for actor in CAST)
    homes = [stage.home(each.country) for each in opened]
    with started((home, "serve console") for home in homes) as processes:
        _wait_until_ready(stage, opened, processes)
        yield opened


def authority_of_tls(stage: Stage) -> Path:
    """Return the file of the CA that a browser has to trust for both consoles."""
    return stage.pki.root_path


def _furnished(gateway: Gateway, actor: Actor, language: str) -> Console:
    desk = people_desk(gateway)
    with gateway.store.begin() as conn:
        owners = {
            new.kind: clients.add(conn, new, at=system_clock(), actor=_ACTOR)
            for new in _organisations(actor)
        }
    accounts = tuple(
        _account(desk, owners[_SEAT_OF[role]], role, name, language)
        for role, name in actor.people.items()
    )
    port = gateway.settings.console.port
    return Console(
        country=actor.country, url=f"https://localhost:{port}/", port=port, accounts=accounts
    )


def _organisations(actor: Actor) -> Iterator[NewOrganisation]:
    """Yield who works at the console; customs signs under the code that its key stands for."""
    customs, country = actor.customs, actor.country
    yield NewOrganisation(
        code=f"{customs.code}-ORIGIN",
        name=f"{customs.name}, Certificates of Origin",
        kind=OrganisationKind.ISSUING_AUTHORITY,
        country=country,
        authority_code=customs.code,
    )
    for kind, code, name in (
        (OrganisationKind.CUSTOMS, customs.code, f"{customs.name}, Customs"),
        (OrganisationKind.SINGLE_WINDOW, actor.identifier, actor.name),
        (OrganisationKind.AUDITOR, f"{country}-AUDIT", f"Auditor General ({country})"),
    ):
        yield NewOrganisation(code=code, name=name, kind=kind, country=country)


def _account(
    desk: PeopleDesk, owner: Organisation, role: PersonRole, name: str, language: str
) -> Account:
    """Enter a person who has used the one-time code already, so that the password is enough."""
    order = PersonOrder(
        login=name.lower().replace(" ", "."),
        name=name,
        role=role,
        administers=role is PersonRole.ISSUING_ADMINISTRATOR,
        language=language,
    )
    invitation = directory.enter(desk, owner, order, actor=_ACTOR)
    password = new_code().lower()
    entry = signing_in.welcome(desk, order.login, invitation.code, password, _HERE)
    sessions.sign_out(desk, entry.visitor)
    return Account(
        login=order.login, name=name, role=role, organisation=owner.name, password=password
    )


def _wait_until_ready(
    stage: Stage, opened: Sequence[Console], processes: Sequence[subprocess.Popen[bytes]]
) -> None:
    context = ssl.create_default_context(cafile=str(authority_of_tls(stage)))
    deadline = time.monotonic() + READY_SECONDS
    for console in opened:
        while not _answers(console, context):
            if time.monotonic() > deadline or any(p.poll() is not None for p in processes):
                raise UnreachableError(
                    f"the console of {console.country} did not start; see console.log in "
                    f"{stage.home(console.country)}"
                )
            time.sleep(0.1)


def _answers(console: Console, context: ssl.SSLContext) -> bool:
    link = http.client.HTTPSConnection("localhost", console.port, context=context, timeout=10)
    try:
        link.request("GET", "/sign-in")
        return link.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()
