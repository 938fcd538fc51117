"""The cast of the demonstration: two states, their gateways, authorities, offices and people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.documents.customs_response import Officer
from gateway.documents.parties import Authority
from gateway.store import PersonRole


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Is one member state of the demonstration.

    Attributes:
        channel: how this state reaches the other; one uses SOAP, the other REST.
        people: who sits at the console, by role.
    """

    country: str
    identifier: str
    name: str
    channel: str
    customs: Authority
    officer: Officer
    people: Mapping[PersonRole, str]

    def office(self, code: str) -> Authority:
        """Return the customs authority of this state acting through the office ``code``."""
        return self.customs.model_copy(update={"office_code": code, "office_name": code})


CAST = (
    Actor(
        country="ZM",
        identifier="ZM-SW",
        name="Zambia Electronic Single Window",
        channel="SOAP",
        customs=Authority(code="ZM-ZRA", name="Zambia Revenue Authority", country="ZM"),
        officer=Officer(identifier="ZM-ZRA-O-041", name="C. Phiri", role="Releasing officer"),
        people={
            PersonRole.ISSUING_ADMINISTRATOR: "Mary Banda",
            PersonRole.ISSUING_OFFICER: "Joseph Mwansa",
            PersonRole.CUSTOMS_OFFICER: "Chanda Phiri",
            PersonRole.ORIGIN_UNIT: "Grace Tembo",
            PersonRole.OPERATOR: "Peter Zulu",
            PersonRole.AUDITOR: "Ruth Sakala",
            PersonRole.SECRETARIAT: "Daniel Lungu",
        },
    ),
    Actor(
        country="KE",
        identifier="KE-SW",
        name="Kenya TradeNet Single Window",
        channel="REST",
        customs=Authority(code="KE-KRA", name="Kenya Revenue Authority", country="KE"),
        officer=Officer(identifier="KE-KRA-O-112", name="A. Otieno", role="Releasing officer"),
        people={
            PersonRole.ISSUING_ADMINISTRATOR: "Wanjiru Kamau",
            PersonRole.ISSUING_OFFICER: "Brian Mutua",
            PersonRole.CUSTOMS_OFFICER: "Achieng Otieno",
            PersonRole.ORIGIN_UNIT: "Hassan Ali",
            PersonRole.OPERATOR: "Faith Chebet",
            PersonRole.AUDITOR: "Samuel Kiprono",
            PersonRole.SECRETARIAT: "Esther Njoroge",
        },
    ),
)


def actor_of(country: str) -> Actor:
    """Return the actor of ``country``."""
    return next(actor for actor in CAST if actor.country == country)
