"""Identities at a provider and journeys to it, on either database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.errors import ConflictError
from gateway.store import (
    Journey,
    NewOrganisation,
    NewPerson,
    OrganisationKind,
    Person,
    PersonRole,
    Store,
    clients,
    identities,
    people,
)
from tests.factories import NOW

ISSUER = "https://idp.example"


def enter(store: Store, login: str) -> Person:
    with store.begin() as conn:
        known = [each for each in clients.every(conn) if each.code == "KE-KRA"]
        new = NewOrganisation(
            code="KE-KRA", name="KRA", kind=OrganisationKind.CUSTOMS, country="KE"
        )
        owner = known[0] if known else clients.add(conn, new, at=NOW, actor="user:test")
        person = NewPerson(
            login=login, name="A B", organisation_id=owner.id, role=PersonRole.CUSTOMS_OFFICER
        )
        return people.add(conn, person, at=NOW, actor="user:test")


def test_an_identity_has_one_owner_and_an_owner_one_identity_at_a_provider(store: Store) -> None:
    mary, jane = enter(store, "mary"), enter(store, "jane")
    with store.begin() as conn:
        first, is_new = identities.link(conn, mary, issuer=ISSUER, subject="1", at=NOW)
        again, was_new = identities.link(conn, mary, issuer=ISSUER, subject="1", at=NOW)
        identities.link(conn, mary, issuer="https://other.example", subject="1", at=NOW)
        assert (is_new, was_new, first.id) == (True, False, again.id)
    for person, subject in ((jane, "1"), (mary, "2")):
        with store.begin() as conn, pytest.raises(ConflictError):
            identities.link(conn, person, issuer=ISSUER, subject=subject, at=NOW)
    with store.begin() as conn:
        found = identities.owner(conn, issuer=ISSUER, subject="1")
        assert found is not None
        assert found.login == "mary"
        assert identities.owner(conn, issuer=ISSUER, subject="2") is None
        assert set(identities.by_person(conn, ISSUER)) == {mary.id}
        assert identities.unlink(conn, jane, ISSUER) is None
        assert identities.unlink(conn, mary, ISSUER) == first
        assert identities.link(conn, jane, issuer=ISSUER, subject="1", at=NOW)[1]


def test_a_journey_ends_once_and_in_time_and_old_ones_are_forgotten(store: Store) -> None:
    until = NOW + timedelta(minutes=10)
    journey = Journey(token_mac="a" * 64, leads_to="/", person_id=None, expires_at=until)
    late = Journey(token_mac="b" * 64, leads_to="/", person_id=None, expires_at=until)
    with store.begin() as conn:
        identities.begin_journey(conn, journey, at=NOW)
        identities.begin_journey(conn, late, at=NOW)
    with store.begin() as conn:
        assert identities.end_journey(conn, journey.token_mac, at=NOW) == journey
        assert identities.end_journey(conn, journey.token_mac, at=NOW) is None
        assert identities.end_journey(conn, late.token_mac, at=until) is None
        assert identities.end_journey(conn, "c" * 64, at=NOW) is None
    new = Journey(
        token_mac="c" * 64, leads_to="/", person_id=None, expires_at=until + timedelta(minutes=10)
    )
    with store.begin() as conn:
        identities.begin_journey(conn, new, at=until)
        assert identities.end_journey(conn, late.token_mac, at=NOW) is None
        assert identities.end_journey(conn, new.token_mac, at=NOW) == new
