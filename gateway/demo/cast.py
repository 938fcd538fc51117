"""The cast of the demonstration: two states, their gateways, authorities and offices."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.documents.customs_response import Officer
from gateway.documents.parties import Authority


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Is one member state of the demonstration.

    Attributes:
        channel: how this state reaches the other; one uses SOAP, the other REST.
    """

    country: str
    identifier: str
    name: str
    channel: str
    customs: Authority
    officer: Officer

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
    ),
    Actor(
        country="KE",
        identifier="KE-SW",
        name="Kenya TradeNet Single Window",
        channel="REST",
        customs=Authority(code="KE-KRA", name="Kenya Revenue Authority", country="KE"),
        officer=Officer(identifier="KE-KRA-O-112", name="A. Otieno", role="Releasing officer"),
    ),
)


def actor_of(country: str) -> Actor:
    """Return the actor of ``country``."""
    return next(actor for actor in CAST if actor.country == country)
