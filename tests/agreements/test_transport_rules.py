"""Transport: one consignment, the way it takes, and the day it left."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gateway.agreements import Point
from gateway.agreements.calendar_days import add_months, add_working_days
from gateway.documents import CertificateKind
from gateway.documents.certificate_of_origin import TransportDocument
from gateway.documents.parties import Place
from tests.agreements.judging import said
from tests.factories import certificate


def with_transport(**changes):
    return certificate(transport=certificate().transport.model_copy(update=changes))


def departed(day, **changes):
    return with_transport(departed_on=day).model_copy(update=changes)


def test_V56_two_transport_documents_of_one_type_are_two_consignments():
    two = tuple(
        TransportDocument(type_code="730", number=number) for number in ("RCN-881", "RCN-882")
    )
    assert said("V56", with_transport(documents=two)) == ["warning transport.documents[1].number"]
    manifest = (two[0], TransportDocument(type_code="785", number="MAN-1"))
    assert said("V56", with_transport(documents=manifest)) == []


def test_V57_transport_without_departure_or_way_warns():
    assert said("V57", with_transport(departed_on=None)) == ["warning transport.departed_on"]
    assert said("V57", with_transport(loading_place=None)) == ["warning transport.route"]
    assert said("V57", with_transport(loading_place=None, route="Lusaka – Nakonde – Nairobi")) == []


@pytest.mark.parametrize("code", ["KENB", "KENB1", "kenbo", "UGNBO"])
def test_V57_a_place_code_that_is_none_of_the_country_warns(code):
    place = Place(unlocode=code, name="Nairobi", country="KE")
    assert said("V57", with_transport(unloading_place=place)) == [
        "warning transport.unloading_place.unlocode"
    ]
    assert said("V57", with_transport(transit=(place,))) == [
        "warning transport.transit[0].unlocode"
    ]


def test_V58_transit_outside_the_members_needs_a_through_document():
    bare = with_transport(documents=())
    assert said("V58", bare, Point.USE) == ["query transport.transit[0].country"]
    assert said("V58", bare, Point.RECEIPT) == []
    assert said("V58", certificate(), Point.USE) == []
    inside = with_transport(documents=(), transit=(Place(name="Kampala", country="UG"),))
    assert said("V58", inside, Point.USE) == []


FRIDAY = date(2026, 3, 6)


@pytest.mark.parametrize(
    ("issued_on", "tolerated", "late"),
    [(6, False, False), (7, True, False), (9, True, False), (11, True, False), (12, False, True)],
)
def test_V59_V60_three_working_days_after_exportation_are_tolerated(issued_on, tolerated, late):
    # Friday plus three working days is Wednesday the 11th.
    doc = departed(FRIDAY, issued_at=datetime(2026, 3, issued_on, 8, tzinfo=UTC))
    assert (said("V59", doc) == ["warning issued_at"]) is tolerated
    assert (said("V60", doc) == ["error kind"]) is late


def test_V60_a_retrospective_certificate_may_follow_exportation():
    late = departed(date(2026, 1, 5))
    assert said("V60", late) == ["error kind"]
    assert said("V60", late.model_copy(update={"kind": CertificateKind.RETROSPECTIVE})) == []
    assert said("V59", late) == []
    assert said("V60", with_transport(departed_on=None)) == []


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 3, date(2026, 4, 30)),
        (date(2023, 11, 30), 3, date(2024, 2, 29)),
        (date(2024, 11, 30), 3, date(2025, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 3, 9), 12, date(2027, 3, 9)),
    ],
)
def test_months_end_where_the_shorter_month_ends(day, months, expected):
    assert add_months(day, months) == expected


def test_working_days_skip_the_weekend_that_the_agreement_keeps():
    assert add_working_days(FRIDAY, 1, (6, 7)) == date(2026, 3, 9)
    assert add_working_days(FRIDAY, 1, (5, 6)) == date(2026, 3, 8)
    assert add_working_days(FRIDAY, 0, (6, 7)) == FRIDAY
