"""The ledger at the issuing side: responses lost, late, doubled, contradictory are survived."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from gateway.documents import UtilisationStatus
from gateway.documents.base import Quantity
from gateway.documents.customs_response import UtilisedItem
from gateway.errors import InvalidDocumentError
from gateway.register import register
from gateway.register.ledger import LedgerOutcome, apply_response
from gateway.store import Peer, ResponseStanding, Side, Store, certificates, events, utilisation
from tests.register.helpers import (
    FULL,
    PARTIAL,
    SERIAL,
    add_peer,
    cancellation,
    carriage,
    coo,
    received,
    response,
)

U = UtilisationStatus


@pytest.fixture
def peer(store: Store) -> Peer:
    """Gives Kenya, to which ``coo()`` with two items was sent."""
    kenya = add_peer(store, "KE-GW")
    with store.begin() as conn:
        register.record_issued(conn, coo({1: 12_000, 2: 500}), carriage(kenya))
    return kenya


def arrive(store: Store, peer: Peer, document: object, **changes: object) -> LedgerOutcome:
    with store.begin() as conn:
        return apply_response(conn, received(document, peer, **changes))  # type: ignore[arg-type]


def used(outcome: LedgerOutcome) -> dict[int, Decimal]:
    return {item.number: item.used for item in outcome.items}


def told(store: Store) -> list[str]:
    with store.read() as conn:
        return [str(event.kind) for event in events.newest(conn, limit=100)][::-1]


def test_a_response_brings_totals_and_status(store: Store, peer: Peer) -> None:
    outcome = arrive(store, peer, response(1, {1: 6000}))
    assert used(outcome) == {1: 6000, 2: 0}
    row = outcome.certificate
    assert (row.reported_status, row.last_sequence, row.missing_responses) == (PARTIAL, 1, 0)
    assert (row.contradicted, row.over_used, outcome.findings) == (False, False, ())
    assert "RESPONSE_RECEIVED" in told(store)


def test_the_same_response_again_changes_nothing(store: Store, peer: Peer) -> None:
    first = arrive(store, peer, response(1, {1: 6000}))
    before = told(store)
    again = arrive(store, peer, response(1, {1: 6000}))
    assert (again.repeated, again.response) == (True, first.response)
    assert told(store) == before


def test_a_lost_response_leaves_right_totals_and_a_noted_gap(store: Store, peer: Peer) -> None:
    arrive(store, peer, response(1, {1: 1000}))
    outcome = arrive(store, peer, response(3, {1: 3000}))
    assert used(outcome)[1] == 3000
    assert outcome.certificate.missing_responses == 1
    assert "GAP" in told(store)
    healed = arrive(store, peer, response(2, {1: 2000}))
    assert healed.response.standing is ResponseStanding.LATE
    assert (used(healed)[1], healed.certificate.missing_responses) == (3000, 0)
    assert not healed.certificate.contradicted


def test_a_late_response_does_not_turn_the_status_back(store: Store, peer: Peer) -> None:
    arrive(store, peer, response(2, {1: 12_000, 2: 500}, status=FULL))
    outcome = arrive(store, peer, response(1, {1: 6000}))
    assert outcome.certificate.reported_status is FULL
    assert outcome.certificate.last_sequence == 2


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_every_order_of_arrival_gives_the_same_books(
    store: Store, peer: Peer, order: tuple[int, ...]
) -> None:
    sent = [
        response(1, {1: 1000}),
        response(2, {1: 4000, 2: 100}),
        response(3, {1: 4000, 2: 100}, status=U.UNDER_QUERY),
        response(4, {1: 9000, 2: 500}),
    ]
    for number in order:
        outcome = arrive(store, peer, sent[number])
    assert used(outcome) == {1: 9000, 2: 500}
    row = outcome.certificate
    assert (row.reported_status, row.missing_responses, row.contradicted) == (PARTIAL, 0, False)
    with store.read() as conn:
        lines = utilisation.entries(conn, row.id)
    assert sum(line.quantity for line in lines) == 9500


def test_another_response_under_the_same_sequence_is_kept_and_flagged(
    store: Store, peer: Peer
) -> None:
    arrive(store, peer, response(1, {1: 6000}))
    outcome = arrive(store, peer, response(1, {1: 9000}, number="KE-RES-OTHER"))
    assert outcome.response.standing is ResponseStanding.CONTRADICTING
    assert used(outcome)[1] == 6000
    assert outcome.certificate.contradicted
    assert "CONTRADICTION" in told(store)
    with store.read() as conn:
        assert len(utilisation.responses(conn, outcome.certificate.id)) == 2
    assert arrive(store, peer, response(1, {1: 9000}, number="KE-RES-OTHER")).repeated


def test_a_response_number_used_for_other_content_is_flagged(store: Store, peer: Peer) -> None:
    arrive(store, peer, response(1, {1: 6000}))
    outcome = arrive(store, peer, response(2, {1: 7000}, number="ke-res-1"))
    assert (used(outcome)[1], outcome.certificate.contradicted) == (7000, True)


def test_a_falling_total_is_flagged_and_never_lowers(store: Store, peer: Peer) -> None:
    arrive(store, peer, response(1, {1: 6000}))
    outcome = arrive(store, peer, response(2, {1: 5000}))
    assert (used(outcome)[1], outcome.certificate.contradicted) == (6000, True)
    assert [finding.rule for finding in outcome.findings] == ["V89"]


def test_a_late_response_above_a_later_total_raises_it_and_is_flagged(
    store: Store, peer: Peer
) -> None:
    arrive(store, peer, response(2, {1: 5000}))
    outcome = arrive(store, peer, response(1, {1: 6000}))
    assert (used(outcome)[1], outcome.certificate.contradicted) == (6000, True)


def test_only_a_withdrawal_lowers_a_total(store: Store, peer: Peer) -> None:
    arrive(store, peer, response(1, {1: 6000}))
    outcome = arrive(store, peer, response(2, {1: 0}, status=U.WITHDRAWN))
    assert (used(outcome)[1], outcome.certificate.contradicted) == (0, False)
    assert outcome.certificate.reported_status is U.WITHDRAWN
    with store.read() as conn:
        kinds = [str(line.kind) for line in utilisation.entries(conn, outcome.certificate.id)]
    assert kinds == ["USE", "REVERSAL"]


def test_a_withdrawal_that_comes_late_still_explains_the_fall(store: Store, peer: Peer) -> None:
    arrive(store, peer, response(1, {1: 6000}))
    fallen = arrive(store, peer, response(3, {1: 500}))
    assert fallen.certificate.contradicted
    outcome = arrive(store, peer, response(2, {1: 0}, status=U.WITHDRAWN))
    assert (used(outcome)[1], outcome.certificate.contradicted) == (500, False)


def test_over_use_is_flagged_and_never_refused(store: Store, peer: Peer) -> None:
    outcome = arrive(store, peer, response(1, {2: 501}))
    assert (used(outcome)[2], outcome.certificate.over_used) == (501, True)
    assert [finding.rule for finding in outcome.findings] == ["V89"]
    assert {str(f.severity) for f in outcome.findings} == {"WARNING"}
    assert told(store).count("OVER_USE") == 1
    arrive(store, peer, response(2, {2: 502}))
    assert told(store).count("OVER_USE") == 1


def test_an_unknown_item_or_a_wrong_unit_is_flagged_and_counts_for_nothing(
    store: Store, peer: Peer
) -> None:
    tonnes = Quantity(value=Decimal(3), unit="TNE")
    strange = response(1, {9: 1}).model_copy(
        update={
            "items": (
                *response(1, {9: 1}).items,
                UtilisedItem(number=1, quantity=tonnes, cumulative=tonnes),
            )
        }
    )
    outcome = arrive(store, peer, strange)
    assert used(outcome) == {1: 0, 2: 0}
    assert outcome.certificate.contradicted
    assert len(outcome.findings) == 2


def test_a_response_to_an_unknown_certificate_is_refused_with_v87(store: Store) -> None:
    kenya = add_peer(store, "KE-GW")
    with pytest.raises(InvalidDocumentError) as caught:
        arrive(store, kenya, response(1, {1: 1}))
    assert caught.value.findings[0].rule == "V87"


def test_only_the_state_that_got_the_certificate_may_answer(store: Store, peer: Peer) -> None:
    sudan = add_peer(store, "SD-GW")
    with pytest.raises(InvalidDocumentError) as caught:
        arrive(store, sudan, response(1, {1: 1}))
    assert caught.value.findings[0].rule == "V87"
    with store.read() as conn:
        row = certificates.find(conn, Side.ISSUED, "ZM", SERIAL)
    assert row is not None
    assert row.last_sequence == 0


def test_a_use_reported_after_cancellation_counts_and_is_flagged(store: Store, peer: Peer) -> None:
    with store.begin() as conn:
        register.record_issued(conn, cancellation(), carriage(None))
    outcome = arrive(store, peer, response(1, {1: 10}))
    assert (used(outcome)[1], outcome.certificate.contradicted) == (10, True)
    assert outcome.certificate.state == "CANCELLED"
    late = arrive(store, peer, response(2, {1: 10}))
    assert late.certificate.contradicted
