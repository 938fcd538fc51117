"""The ledger at the importing side: nothing is used twice, whoever asks at whatever time."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.documents import UtilisationStatus
from gateway.documents.base import Quantity
from gateway.errors import ConflictError, GatewayError, InvalidDocumentError, NotFoundError
from gateway.register import register
from gateway.register.ledger import (
    CustomsDecision,
    DrawnItem,
    LedgerOutcome,
    UsePolicy,
    decide,
    write_off,
)
from gateway.store import ImportState, Side, Store, certificates, events, journal, utilisation
from tests.factories import customs_response
from tests.register.helpers import (
    FULL,
    MANY,
    NOW,
    ONCE,
    PARTIAL,
    SERIAL,
    add_peer,
    after,
    carriage,
    coo,
    decision,
    kilograms,
)

U, S = UtilisationStatus, ImportState


@pytest.fixture
def books(store: Store) -> Store:
    """Gives a store of Kenya that received ``coo()`` with two items from Zambia."""
    peer = add_peer(store)
    with store.begin() as conn:
        register.record_received(conn, coo({1: 12_000, 2: 500}), carriage(peer))
    return store


def enter(store: Store, what: CustomsDecision, policy: UsePolicy = MANY) -> LedgerOutcome:
    with store.begin() as conn:
        return decide(conn, what, policy, at=NOW)


def rules(caught: pytest.ExceptionInfo[InvalidDocumentError]) -> list[str]:
    return [finding.rule for finding in caught.value.findings]


def totals(store: Store) -> dict[int, Decimal]:
    with store.read() as conn:
        row = certificates.find(conn, Side.RECEIVED, "ZM", SERIAL)
        assert row is not None
        return {item.number: item.used for item in certificates.items(conn, row.id)}


def test_a_write_off_is_numbered_and_states_cumulative_totals(books: Store) -> None:
    first = enter(books, decision(PARTIAL, {1: 6000}))
    second = enter(books, decision(PARTIAL, {1: 1000, 2: 500}))
    assert (first.sequence_number, second.sequence_number) == (1, 2)
    assert first.certificate.state is second.certificate.state is S.PARTIALLY_UTILISED
    stated = {item.number: item for item in second.utilised_items}
    assert (stated[1].quantity, stated[1].cumulative) == (kilograms(1000), kilograms(7000))
    assert (stated[2].quantity, stated[2].cumulative) == (kilograms(500), kilograms(500))
    assert totals(books) == {1: 7000, 2: 500}


def test_writing_off_the_last_of_every_item_is_full_use(books: Store) -> None:
    enter(books, decision(PARTIAL, {1: 12_000}))
    last = enter(books, decision(PARTIAL, {2: 500}))
    assert (last.status, last.certificate.state) == (FULL, S.UTILISED)


def test_full_use_without_items_writes_everything_off(books: Store) -> None:
    enter(books, decision(PARTIAL, {1: 5000}))
    outcome = enter(books, decision(FULL))
    assert totals(books) == {1: 12_000, 2: 500}
    assert outcome.certificate.state is S.UTILISED


def test_a_remainder_within_tolerance_counts_as_fully_used(books: Store) -> None:
    policy = UsePolicy(partial=True, tolerance_percent=Decimal(1))
    outcome = enter(books, decision(PARTIAL, {1: 11_900, 2: 495}), policy)
    assert (outcome.status, outcome.certificate.state) == (FULL, S.UTILISED)


def test_over_use_is_refused_with_v89(books: Store) -> None:
    enter(books, decision(PARTIAL, {1: 11_999}))
    with pytest.raises(InvalidDocumentError) as caught:
        enter(books, decision(PARTIAL, {1: 2}))
    assert rules(caught) == ["V89"]
    assert "2 KGM" in caught.value.findings[0].message.en
    assert totals(books)[1] == 11_999


def test_tolerance_never_allows_more_than_certified(books: Store) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        policy = UsePolicy(partial=True, tolerance_percent=Decimal(5))
        enter(books, decision(PARTIAL, {1: 12_001}), policy)
    assert rules(caught) == ["V89"]


def test_lines_on_one_item_are_added_before_they_are_judged(books: Store) -> None:
    lines = tuple(DrawnItem(number=2, quantity=kilograms(300)) for _ in range(2))
    with pytest.raises(InvalidDocumentError) as caught:
        enter(books, decision(PARTIAL, items=lines))
    assert rules(caught) == ["V89"]


def test_calling_a_use_full_while_goods_remain_is_refused_with_v89(books: Store) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        enter(books, decision(FULL, {1: 12_000}))
    assert "500 KGM of item 2 remain" in caught.value.findings[0].message.en


def test_a_second_use_where_one_is_allowed_is_refused_with_v90(books: Store) -> None:
    first = enter(books, decision(PARTIAL, {1: 100}), ONCE)
    assert (first.status, first.certificate.state) == (PARTIAL, S.UTILISED)
    with pytest.raises(InvalidDocumentError) as caught:
        enter(books, decision(PARTIAL, {1: 100}), ONCE)
    assert "V90" in rules(caught)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (DrawnItem(number=9, quantity=kilograms(1)), "items[0].number"),
        (
            DrawnItem(number=1, quantity=Quantity(value=Decimal(1), unit="TNE")),
            "items[0].quantity.unit",
        ),
        (DrawnItem(number=1, quantity=kilograms(0)), "items[0].quantity.value"),
        (DrawnItem(number=1, quantity=kilograms(-5)), "items[0].quantity.value"),
    ],
)
def test_an_unknown_item_a_wrong_unit_or_nothing_is_refused_with_v89(
    books: Store, line: DrawnItem, path: str
) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        enter(books, decision(PARTIAL, items=(line,)))
    assert ("V89", path) in [(f.rule, f.path) for f in caught.value.findings]


def test_a_partial_use_of_nothing_is_refused_with_v89(books: Store) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        enter(books, decision(PARTIAL))
    assert rules(caught) == ["V89"]


def test_an_unknown_certificate_is_refused_with_v87(books: Store) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        enter(books, decision(PARTIAL, {1: 1}, serial_number="ZM-NONE"))
    assert rules(caught) == ["V87"]


def test_use_after_validity_is_refused_with_v73_unless_exceptional(books: Store) -> None:
    late = coo().valid_until.replace(year=2028)
    with pytest.raises(InvalidDocumentError) as caught:
        enter(books, decision(PARTIAL, {1: 1}, presented_on=late))
    assert rules(caught) == ["V73"]
    granted = decision(PARTIAL, {1: 1}, presented_on=late, exceptional=True)
    assert enter(books, granted).status is PARTIAL


@pytest.mark.parametrize("end", [U.REJECTED, U.EXPIRED_UNUSED, U.UNDER_QUERY, U.PENDING])
def test_what_is_rejected_expired_or_in_doubt_cannot_be_used(books: Store, end) -> None:
    enter(books, decision(end))
    with pytest.raises(InvalidDocumentError) as caught:
        enter(books, decision(PARTIAL, {1: 1}))
    assert rules(caught) == ["STATE"]


def test_a_decision_without_use_that_names_quantities_is_refused(books: Store) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        enter(books, decision(U.ACCEPTED, {1: 1}))
    assert rules(caught) == ["STATE"]
    with pytest.raises(ValueError, match="writes nothing off"), books.begin() as conn:
        write_off(conn, decision(U.ACCEPTED), MANY, at=NOW)


def test_a_query_repeats_the_totals_and_opens_grounds(books: Store) -> None:
    enter(books, decision(PARTIAL, {1: 6000}))
    outcome = enter(books, decision(U.UNDER_QUERY, reason_codes=("R03",)))
    assert [(item.quantity, item.cumulative) for item in outcome.utilised_items] == [
        (kilograms(0), kilograms(6000))
    ]
    with books.read() as conn:
        known = register.known(conn, "ZM", SERIAL, side=Side.RECEIVED)
    assert known is not None
    assert (known.open_grounds, known.state) == (("R03",), "UNDER_VERIFICATION")
    enter(books, decision(U.ACCEPTED))
    with books.read() as conn:
        known = register.known(conn, "ZM", SERIAL, side=Side.RECEIVED)
    assert known is not None
    assert (known.open_grounds, known.state) == ((), "PARTIALLY_UTILISED")


def test_a_withdrawn_preference_gives_the_quantities_back_and_ends(books: Store) -> None:
    enter(books, decision(PARTIAL, {1: 6000}))
    outcome = enter(books, decision(U.WITHDRAWN))
    assert outcome.certificate.state is S.WITHDRAWN
    assert [(i.quantity, i.cumulative) for i in outcome.utilised_items] == [
        (kilograms(0), kilograms(0))
    ]
    with books.read() as conn:
        kinds = [(e.kind, e.quantity) for e in utilisation.entries(conn, outcome.certificate.id)]
    assert kinds == [("USE", Decimal(6000)), ("REVERSAL", Decimal(-6000))]
    with pytest.raises(InvalidDocumentError):
        enter(books, decision(PARTIAL, {1: 1}))


def test_the_same_decision_again_is_the_same_response(books: Store) -> None:
    what = decision(PARTIAL, {1: 6000})
    first, again = enter(books, what), enter(books, what)
    assert (first.repeated, again.repeated) == (False, True)
    assert again.response == first.response
    assert totals(books)[1] == 6000
    with pytest.raises(ConflictError):
        enter(books, replace(what, items=()))


def test_a_refused_decision_leaves_the_transaction_usable(books: Store) -> None:
    with books.begin() as conn:
        with pytest.raises(InvalidDocumentError):
            decide(conn, decision(PARTIAL, {1: 99_999}), MANY, at=NOW)
        assert decide(conn, decision(PARTIAL, {1: 1}), MANY, at=NOW).sequence_number == 1


def test_of_twenty_draws_on_the_last_quantity_one_succeeds(books: Store) -> None:
    enter(books, decision(PARTIAL, {1: 11_000, 2: 500}))
    results: list[str] = []

    def draw() -> None:
        try:
            enter(books, decision(PARTIAL, {1: 1000}))
            results.append("drawn")
        except GatewayError as exc:
            results.append(exc.code)

    threads = [threading.Thread(target=draw) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["INVALID_DOCUMENT"] * 19 + ["drawn"]
    assert totals(books) == {1: 12_000, 2: 500}


def test_of_twenty_equal_requests_one_draws_and_all_are_answered(books: Store) -> None:
    what = decision(PARTIAL, {1: 1000})
    results: list[LedgerOutcome] = []
    threads = [
        threading.Thread(target=lambda: results.append(enter(books, what))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(not outcome.repeated for outcome in results) == 1
    assert {outcome.sequence_number for outcome in results} == {1}
    assert totals(books)[1] == 1000


def test_a_decision_is_journalled_and_told(books: Store) -> None:
    enter(books, decision(PARTIAL, {1: 6000}))
    with books.read() as conn:
        told = [event.kind for event in events.newest(conn, subject=SERIAL)]
        entries = {entry.action: entry for entry in journal.page(conn, subject=SERIAL)}
    assert {"UTILISATION_CHANGED", "CERTIFICATE_CHANGED", "CERTIFICATE_AVAILABLE"} <= set(told)
    drawn = entries[journal.Action.UTILISATION_DRAWN]
    assert (drawn.actor, drawn.detail["drawn"]) == ("officer:KE-KRA-O-112", {"1": "6000"})


def document_of(outcome: LedgerOutcome, **changes: Any) -> Any:
    values = {
        "sequence_number": outcome.sequence_number,
        "status": outcome.status,
        "items": outcome.utilised_items,
    }
    return customs_response(**(values | changes))


def test_the_signed_response_is_attached_once(books: Store) -> None:
    outcome = enter(books, decision(PARTIAL, {1: 6000}))
    what = {"payload": b"<signed/>", "message_id": "urn:uuid:1", "at": NOW}
    with books.begin() as conn:
        sent = register.record_response_sent(conn, document_of(outcome), **what)
        assert register.record_response_sent(conn, document_of(outcome), **what) == sent
        with pytest.raises(ConflictError):
            register.record_response_sent(
                conn, document_of(outcome), **(what | {"message_id": "urn:uuid:2"})
            )
        found = utilisation.response_of_message(conn, "urn:uuid:1")
    assert found == sent
    assert sent.standing == "SENT"


def test_a_response_that_says_something_else_is_not_attached(books: Store) -> None:
    outcome = enter(books, decision(PARTIAL, {1: 6000}))
    what = {"payload": b"<signed/>", "message_id": "urn:uuid:1", "at": NOW}
    with books.begin() as conn:
        with pytest.raises(ConflictError):
            register.record_response_sent(conn, document_of(outcome, items=()), **what)
        with pytest.raises(NotFoundError):
            other = document_of(outcome, sequence_number=7)
            register.record_response_sent(conn, other, **what)


def test_what_expires_can_be_reopened_with_a_reason(books: Store) -> None:
    enter(books, decision(PARTIAL, {1: 6000}))
    last_day = coo().valid_until
    with books.begin() as conn:
        assert register.expire_overdue(conn, last_day, at=after(1)) == ()
        (expired,) = register.expire_overdue(conn, last_day.replace(year=2029), at=after(1))
        assert register.expire_overdue(conn, last_day.replace(year=2029), at=after(1)) == ()
        assert expired.state is S.EXPIRED
        who = {"at": after(2), "actor": "officer:x", "reason": "the ship was delayed"}
        reopened = register.reopen(conn, expired.id, **who)
        assert reopened.state is S.PARTIALLY_UTILISED
        with pytest.raises(ConflictError):
            register.reopen(conn, expired.id, **who)


def test_what_is_used_up_or_in_doubt_does_not_expire(books: Store) -> None:
    enter(books, decision(FULL))
    with books.begin() as conn:
        assert register.expire_overdue(conn, coo().valid_until.replace(year=2029), at=NOW) == ()
