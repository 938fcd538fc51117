"""The engine: collects, orders, limits, names box, article and remedy, and never raises."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.agreements import (
    Facts,
    Level,
    Point,
    RegistryFacts,
    SignatureFacts,
    WireFacts,
    check,
    check_at_each,
)
from gateway.agreements.engine import MAX_FINDINGS, MAX_PER_RULE
from gateway.agreements.rulebook import all_rules, rules_for
from gateway.documents import CertificateKind, CertificateOfOrigin, CustomsResponse, Severity
from gateway.documents.codes import Purpose
from tests.agreements.judging import COMESA, SADC, bent, known, known_item, register, said
from tests.factories import NOW, certificate, customs_response, goods_item
from tests.xml import strategies


def facts(point, **changes):
    return Facts(**({"point": point, "now": NOW, "own_country": "KE"} | changes))


@pytest.mark.parametrize("point", list(Point))
@pytest.mark.parametrize(
    "document", [certificate(), customs_response()], ids=["certificate", "response"]
)
def test_the_good_documents_have_no_findings_at_any_point(document, point):
    assert check(document, COMESA, facts(point)) == ()


@pytest.mark.parametrize("point", list(Point))
def test_the_good_certificate_stays_good_when_everything_is_known(point):
    everything = facts(
        point,
        wire=WireFacts("ZM", "KE", "KE", "ZM", NOW, destination_live=True),
        signature=SignatureFacts(None, "ZM", "CN=ZRA", True, True, True, True),
        register=register(same_serial=known(), subject=known()),
        registry=RegistryFacts(known=True, name="Kafue Textiles Ltd"),
    )
    assert check(certificate(), COMESA, everything) == ()


def test_all_breaches_are_collected_in_the_order_of_the_rule_table():
    bad = certificate(
        agreement="EAC",
        destination_country="ZM",
        items=(goods_item(2, hs_code="98"), goods_item(2, country_of_origin="CN")),
    )
    rules = [finding.rule for finding in check(bad, COMESA, facts(Point.ISSUE))]
    assert rules == sorted(rules, key=lambda rule: int(rule[1:]))
    assert {"V1", "V5", "V6", "V7", "V29", "V32", "V33"} <= set(rules)


def test_every_finding_says_where_why_and_what_to_do_in_three_languages():
    bad = certificate(kind=CertificateKind.RETROSPECTIVE, serial_number="X", items=())
    found = check(bad, COMESA, facts(Point.ISSUE))
    assert len(found) >= 4
    for finding in found:
        for text in (finding.message, finding.remedy):
            assert len({text.en, text.fr, text.ar}) == 3
            assert "{" not in text.en + text.fr + text.ar


def test_a_rule_falls_silent_after_its_fiftieth_breach():
    many = certificate(items=tuple(goods_item(n + 1, hs_code="1") for n in range(300)))
    found = check(many, COMESA, facts(Point.ISSUE))
    assert sum(finding.rule == "V33" for finding in found) == MAX_PER_RULE


def test_a_verdict_holds_what_an_acknowledgement_can_carry_and_keeps_the_gravest(monkeypatch):
    monkeypatch.setattr("gateway.agreements.engine.MAX_FINDINGS", 3)
    bad = certificate(
        valid_from=datetime(2026, 1, 1, tzinfo=UTC).date(),
        items=(),
        kind=CertificateKind.RETROSPECTIVE,
    )
    found = check(bad, COMESA, facts(Point.ISSUE))
    assert [finding.severity for finding in found] == [Severity.ERROR] * 3
    assert MAX_FINDINGS == 500


def test_ten_thousand_wild_items_are_judged_in_bounded_time():
    wild = certificate(
        items=tuple(goods_item(1, hs_code="1", country_of_origin="XX") for _ in range(10_000))
    )
    started = time.perf_counter()
    found = check(wild, COMESA, facts(Point.RECEIPT))
    assert time.perf_counter() - started < 5
    assert len(found) <= MAX_FINDINGS


def test_a_five_item_certificate_is_judged_in_well_under_a_millisecond():
    five = certificate(
        items=tuple(goods_item(n + 1) for n in range(5)),
        total_gross_weight=None,
        total_packages=2500,
    )
    at_issue = facts(Point.ISSUE)
    assert check(five, COMESA, at_issue) == ()
    fastest = min(_seconds(lambda: check(five, COMESA, at_issue)) for _ in range(50))
    assert fastest < 0.001


def _seconds(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def test_a_profile_may_change_the_level_of_a_rule_at_one_point(tmp_path):
    levels = {"V33": {"ISSUE": "WARNING", "SEND": "QUERY", "RECEIPT": "IGNORE"}}
    changed = bent(tmp_path, levels=levels)
    bad = certificate(items=(goods_item(hs_code="1"),))
    assert said("V33", bad, Point.ISSUE, changed) == ["warning items[0].hs_code"]
    assert said("V33", bad, Point.SEND, changed) == ["query items[0].hs_code"]
    assert said("V33", bad, Point.RECEIPT, changed) == []
    assert said("V33", bad, Point.USE, changed) == []


def test_a_profile_may_change_the_level_of_one_variant(tmp_path):
    changed = bent(
        tmp_path, levels={"V18.date": {"ISSUE": "WARNING"}, "V53.undated": {"ISSUE": "IGNORE"}}
    )
    assert said("V18", certificate(serial_number="ZM-20260310-000123"), Point.ISSUE, changed) == [
        "warning serial_number"
    ]
    assert said("V18", certificate(serial_number="ZW-20260309-000123"), Point.ISSUE, changed) == [
        "error serial_number"
    ]
    undated = certificate(
        items=(
            goods_item(invoices=(goods_item().invoices[0].model_copy(update={"issued_on": None}),)),
        )
    )
    assert said("V53", undated, Point.ISSUE, changed) == []


def test_a_lesser_breach_never_outweighs_its_rule(tmp_path):
    changed = bent(tmp_path, levels={"V72": {"ISSUE": "WARNING"}})
    reversed_dates = certificate(valid_until=datetime(2020, 1, 1, tzinfo=UTC).date())
    assert set(said("V72", reversed_dates, Point.ISSUE, changed)) == {"warning valid_until"}


def test_rules_are_indexed_once_per_type_and_point():
    first = rules_for(CertificateOfOrigin, Point.RECEIPT, COMESA.overrides_at(Point.RECEIPT))
    again = rules_for(CertificateOfOrigin, Point.RECEIPT, COMESA.overrides_at(Point.RECEIPT))
    assert first is again
    assert all(
        CustomsResponse in rule.documents for rule, _ in rules_for(CustomsResponse, Point.USE, ())
    )


def test_a_rule_judges_a_document_type_once():
    pairs = [(rule.id, document) for rule in all_rules() for document in rule.documents]
    assert len(pairs) == len(set(pairs))


def test_the_levels_are_the_severities_and_one_more():
    assert {level.severity for level in Level} == {*Severity, None}


_known = st.builds(
    lambda used, dead, same, sequence: replace(
        known(
            items=(
                known_item(used=used),
                known_item(number=2, certified=Decimal(0), unit="X", hs_code=None),
            )
        ),
        state=dead,
        same_content=same,
        last_sequence=sequence,
    ),
    st.decimals(0, 10**15 - 1, places=6, allow_nan=False),
    st.sampled_from(["AVAILABLE", "CANCELLED", "NO_SUCH_STATE"]),
    st.booleans(),
    st.integers(0, 99_999),
)
_maybe = st.none() | _known
_facts = st.builds(
    Facts,
    point=st.sampled_from(Point),
    now=st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    own_country=st.just("KE"),
    wire=st.none()
    | st.just(WireFacts("ZM", "KE", "UG", None, NOW - timedelta(days=99), message_id_reused=True)),
    signature=st.none() | st.builds(SignatureFacts, error_code=st.none() | st.text(max_size=90)),
    register=st.none()
    | st.builds(register, same_serial=_maybe, original=_maybe, replaced=_maybe, subject=_maybe),
    registry=st.none()
    | st.builds(RegistryFacts, known=st.booleans(), name=st.none() | st.text(max_size=200)),
)


@given(
    document=strategies.documents(), known_facts=_facts, agreement=st.sampled_from([COMESA, SADC])
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_document_makes_the_engine_raise(document, known_facts, agreement):
    for finding in check(document, agreement, known_facts):
        assert finding.message.ar
        assert finding.remedy.fr


@given(
    document=strategies.documents(),
    known_facts=_facts,
    points=st.lists(st.sampled_from(Point), min_size=1, max_size=3),
)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_several_points_find_what_each_of_them_finds_and_nothing_twice(
    document, known_facts, points
):
    found = check_at_each(document, COMESA, known_facts, points)
    one_by_one = {}
    for point in points:
        for finding in check(document, COMESA, replace(known_facts, point=point)):
            one_by_one.setdefault((finding.rule, finding.path), finding)
    assert found == tuple(one_by_one.values())


def test_a_rule_judges_a_document_once_for_all_points(monkeypatch):
    judged = []
    rule = next(rule for rule in all_rules() if rule.id == "CODE")
    counting = replace(rule, judge=lambda document, case: judged.append(1) or ())
    monkeypatch.setattr(
        "gateway.agreements.engine.rules_for", lambda *_: ((counting, Severity.ERROR),)
    )
    check_at_each(certificate(), COMESA, facts(Point.ISSUE), (Point.ISSUE, Point.SEND))
    assert judged == [1]


@given(
    known_facts=_facts,
    kind=st.sampled_from(CertificateKind),
    purpose=st.sampled_from(Purpose),
    items=st.lists(strategies.goods_items, max_size=3).map(tuple),
)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_bent_good_certificate_makes_the_engine_raise(known_facts, kind, purpose, items):
    check(certificate(kind=kind, purpose=purpose, items=items), COMESA, known_facts)
