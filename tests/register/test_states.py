"""The state tables, and what every state waits for."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.documents import UtilisationStatus
from gateway.errors import ConflictError
from gateway.register.guides import GUIDES, Owner, guide
from gateway.register.states import (
    EXCHANGE_TABLE,
    FINAL_STATES,
    IMPORT_TABLE,
    ISSUE_TABLE,
    ExchangeEvent,
    ExchangeState,
    ImportEvent,
    ImportState,
    IssueEvent,
    IssueState,
    advance,
    is_final,
)
from gateway.register.steps import steps_of, walk
from gateway.store.states import FINAL_DELIVERY_STATES, DeliveryState

VIEWS = [
    (IssueState, IssueEvent, ISSUE_TABLE, IssueState.ISSUED),
    (ExchangeState, ExchangeEvent, EXCHANGE_TABLE, ExchangeState.QUEUED),
    (ImportState, ImportEvent, IMPORT_TABLE, ImportState.RECEIVED),
]
S, U = ImportState, UtilisationStatus


@pytest.mark.parametrize(("states", "happenings", "table", "first"), VIEWS)
def test_each_table_is_the_law_of_its_view(states, happenings, table, first) -> None:
    for state in states:
        for event in happenings:
            if (state, event) in table:
                assert advance(state, event) is table[state, event]
            else:
                with pytest.raises(ConflictError):
                    advance(state, event)


@pytest.mark.parametrize(("states", "happenings", "table", "first"), VIEWS)
def test_every_state_is_reached_and_every_event_is_used(states, happenings, table, first) -> None:
    reached = {first}
    for _ in states:
        reached |= {following for (state, _), following in table.items() if state in reached}
    assert reached == set(states)
    assert {event for _, event in table} == set(happenings)


def test_every_state_that_is_not_final_says_who_must_do_what_by_when() -> None:
    finals = {**FINAL_STATES, DeliveryState: FINAL_DELIVERY_STATES}
    for states, final in finals.items():
        assert set(GUIDES[states]) == set(states) - set(final)
    found = guide(ImportState.PENDING)
    assert found is not None
    since = datetime(2026, 3, 1, tzinfo=UTC)
    assert found.deadline(since, date(2026, 4, 1)) == since + timedelta(days=90)
    usable = guide(ImportState.AVAILABLE)
    assert usable is not None
    assert usable.deadline(since, date(2026, 4, 1)) == datetime(2026, 4, 2, tzinfo=UTC)
    assert guide(ImportState.UTILISED) is None


@pytest.mark.parametrize("state", [state for states in GUIDES.values() for state in states])
def test_every_guide_has_owner_deadline_and_sentences_in_three_languages(state) -> None:
    found = guide(state)
    assert found is not None
    assert found.owner in Owner
    for sentence in (found.reason, found.next_step):
        assert len({sentence.en, sentence.fr, sentence.ar}) == 3
        assert re.search("[\u0600-\u06ff]", sentence.ar)
    since = datetime(2026, 3, 1, tzinfo=UTC)
    assert found.deadline(since, date(2026, 4, 1)) > since


@pytest.mark.parametrize("state", list(ImportState))
@pytest.mark.parametrize("status", list(UtilisationStatus))
@pytest.mark.parametrize(("used", "spent"), [(False, False), (True, False), (True, True)])
def test_a_decision_is_walkable_or_refused(state, status, used, spent) -> None:
    steps = steps_of(state, status, used=used, spent=spent)
    if steps is not None:
        walk(state, steps)
    if status.uses_goods and state in (S.CANCELLED, S.REPLACED, S.EXPIRED, S.REJECTED, S.WITHDRAWN):
        assert steps is None


@pytest.mark.parametrize(
    ("state", "status", "used", "end"),
    [
        (S.RECEIVED, U.RECEIVED, False, S.AVAILABLE),
        (S.AVAILABLE, U.RECEIVED, False, S.AVAILABLE),
        (S.AVAILABLE, U.ACCEPTED, False, S.ACCEPTED),
        (S.AVAILABLE, U.ACCEPTED_MINOR, False, S.ACCEPTED_MINOR),
        (S.ACCEPTED, U.ACCEPTED, False, S.ACCEPTED),
        (S.AVAILABLE, U.PARTIAL, True, S.PARTIALLY_UTILISED),
        (S.RECEIVED, U.PARTIAL, True, S.PARTIALLY_UTILISED),
        (S.AVAILABLE, U.UNDER_QUERY, False, S.UNDER_VERIFICATION),
        (S.PRESENTED, U.PENDING, False, S.PENDING),
        (S.PENDING, U.PENDING, False, S.PENDING),
        (S.PENDING, U.ACCEPTED, False, S.ACCEPTED),
        (S.PENDING, U.REJECTED, False, S.REJECTED),
        (S.AVAILABLE, U.REJECTED, False, S.REJECTED),
        (S.UTILISED, U.UNDER_QUERY, True, S.UNDER_VERIFICATION),
        (S.UTILISED, U.WITHDRAWN, True, S.WITHDRAWN),
        (S.UNDER_VERIFICATION, U.ACCEPTED, True, S.PARTIALLY_UTILISED),
        (S.PARTIALLY_UTILISED, U.ACCEPTED, True, S.PARTIALLY_UTILISED),
        (S.PRESENTED, U.EXPIRED_UNUSED, False, S.EXPIRED),
        (S.EXPIRED, U.EXPIRED_UNUSED, False, S.EXPIRED),
    ],
)
def test_each_decision_leads_where_the_domain_model_says(state, status, used, end) -> None:
    steps = steps_of(state, status, used=used, spent=False)
    assert steps is not None
    assert walk(state, steps) is end


@pytest.mark.parametrize(
    ("state", "status", "used"),
    [
        (S.UNDER_VERIFICATION, U.PARTIAL, True),
        (S.UTILISED, U.PARTIAL, True),
        (S.AVAILABLE, U.WITHDRAWN, False),
        (S.PARTIALLY_UTILISED, U.EXPIRED_UNUSED, True),
        (S.CANCELLED, U.RECEIVED, False),
        (S.ACCEPTED, U.EXPIRED_UNUSED, False),
        (S.ACCEPTED, U.ACCEPTED_MINOR, False),
    ],
)
def test_what_the_domain_model_does_not_know_is_refused(state, status, used) -> None:
    assert steps_of(state, status, used=used, spent=False) is None


def test_an_audit_ends_used_up_where_everything_was_used() -> None:
    steps = steps_of(S.UNDER_VERIFICATION, U.ACCEPTED, used=True, spent=True)
    assert steps is not None
    assert walk(S.UNDER_VERIFICATION, steps) is S.UTILISED


def test_final_means_that_nobody_waits() -> None:
    assert is_final(ImportState.UTILISED)
    assert not is_final(ImportState.AVAILABLE)
