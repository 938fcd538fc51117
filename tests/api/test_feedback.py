"""What customs reported: urgent first, page by page, on both databases without a scan."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.documents import UtilisationStatus
from gateway.errors import InputError
from gateway.services.access import by_folder
from gateway.services.customs_feedback import customs_feedback
from gateway.store import Store, certificates, clients, feedback
from gateway.store.feedback import Urgency
from gateway.store.search import Visible
from tests.api.conftest import Border
from tests.api.test_search import explained, register, scans
from tests.factories import NOW

STATUS = UtilisationStatus
TOLD = (
    (1, STATUS.PARTIAL, {}),
    (2, STATUS.REJECTED, {}),
    (3, STATUS.WITHDRAWN, {}),
    (4, None, {}),
    (5, STATUS.PENDING, {}),
    (6, STATUS.FULL, {"over_used": True}),
    (7, STATUS.REJECTED, {"contradicted": True}),
    (8, STATUS.UNDER_QUERY, {"contradicted": True}),
    (9, STATUS.ACCEPTED, {}),
)
IN_ORDER = [7, 2, 8, 6, 3, 5, 9, 1]
OWN = Visible(issued=True, received=False)


@pytest.fixture
def told(store: Store) -> Store:
    """Gives a store in which customs reported something about eight of nine certificates."""
    with store.begin() as conn:
        for number, status, flags in TOLD:
            register(conn, number)
            row = certificates.by_message(conn, f"urn:test:{number}")
            at = NOW + timedelta(minutes=number)
            certificates.change(conn, row, at=at, reported_status=status, **flags)
    return store


def read_through(store: Store, visible: Visible, *, limit: int, urgencies=tuple(Urgency)):
    found, after = [], None
    with store.read() as conn:
        while True:
            page = feedback.page(conn, visible, urgencies, after=after, limit=limit)
            assert len(page.certificates) <= limit
            found += [int(row.serial_number[-6:]) for _, row in page.certificates]
            if page.go_on is None:
                return found
            after = page.go_on


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_refusals_come_first_and_the_newest_of_each_urgency(told: Store, limit: int) -> None:
    assert read_through(told, OWN, limit=limit) == IN_ORDER


def test_one_urgency_is_shown_by_itself(told: Store) -> None:
    assert read_through(told, OWN, limit=2, urgencies=(Urgency.OVER_USED,)) == [8, 6, 3]


def test_feedback_about_certificates_of_others_is_not_found(told: Store) -> None:
    for visible in (
        Visible(issued=True, received=False, authority="ZM-OTHER"),
        Visible(issued=False, received=True),
        Visible(issued=True, received=False, country="MW"),
    ):
        assert read_through(told, visible, limit=2) == []


def test_a_walk_through_certificates_of_others_ends_and_goes_on(
    told: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback, "WALK", 2)
    assert read_through(told, OWN, limit=1) == IN_ORDER
    assert read_through(told, Visible(issued=True, received=False, country="MW"), limit=1) == []


@pytest.mark.parametrize("urgency", Urgency)
def test_no_page_of_feedback_scans_a_table_or_sorts(told: Store, urgency: Urgency) -> None:
    with told.read() as conn:
        after = feedback.FeedbackPosition(urgency=urgency, at=NOW, certificate_id=5)
        for start in (None, after):
            plan = explained(conn, feedback._walk(urgency, start))
            assert not scans(plan, inner=False), "\n".join(plan)
            assert any(f"ix_certificates_{urgency.name.lower()}" in line for line in plan), plan


@pytest.mark.parametrize("cursor", ["x", "W10", "W251bGwsIjIwMjYiLDFd", "é", "A" * 5000, "\x00"])
def test_a_cursor_of_another_list_is_refused(border: Border, cursor: str) -> None:
    with border.zm.desk.store.read() as conn:
        owner = clients.every(conn)[0]
    with pytest.raises(InputError):
        customs_feedback(border.zm.counter, by_folder(owner, "x"), cursor=cursor, limit=5)
