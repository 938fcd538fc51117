"""The tables of rules, checks and metrics are complete, and the documentation names each entry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gateway.errors import ConfigError
from gateway.operations.checks import Check, Outcome, check_texts
from gateway.operations.metric_names import METRICS, MetricKind
from gateway.operations.rules import RuleBook
from gateway.store import AlertLevel, EventKind
from tests.operations.scene import RULES

ROOT = Path(__file__).resolve().parents[2]
CODE = "\n".join(path.read_text() for path in (ROOT / "gateway/operations").glob("*.py"))


def test_every_rule_is_watched_and_every_watched_thing_has_a_rule():
    standing = {rule_id for rule_id, rule in RULES.rules.items() if rule.event is None}
    written = set(re.findall(r'rule="([a-z-]+)"', CODE))
    dated = {f"{use}-expiry" for use in ("signing", "tls", "ca", "crl")}
    assert written | dated == standing


def test_every_event_that_is_an_alert_is_an_event_of_the_feed():
    assert set(RULES.by_event()) == {
        EventKind.CONTRADICTION,
        EventKind.OVER_USE,
        EventKind.SERIAL_REUSED,
        EventKind.MESSAGE_ID_REUSED,
        EventKind.BOOKS_ASK_PERSON,
        EventKind.BOOKS_RESTORED,
        EventKind.WEBHOOK_STOPPED,
    }


@pytest.mark.parametrize("rule_id", ["signing-expiry", "tls-expiry", "ca-expiry", "crl-expiry"])
def test_the_ladder_before_each_end_has_all_its_rungs(rule_id: str):
    assert [step.at for step in RULES.rules[rule_id].steps] == [90, 60, 30, 14, 7, 3, 1, 0]


def test_a_rung_beyond_half_of_the_lifetime_is_left_out():
    ladder = RULES.rules["crl-expiry"]
    assert ladder.step_for(6, lifetime=7) is None
    assert ladder.step_for(3, lifetime=7).at == 3
    assert ladder.step_for(6, lifetime=365).at == 7


def test_every_check_has_sentences_and_every_sentence_a_check():
    written = set(re.findall(r'Check\(\s*id="([a-z-]+)"', CODE))
    written |= set(re.findall(r'visit\.check\(\s*"([a-z-]+)"', CODE))
    written |= {"ping", "client-certificate"}
    assert written == set(check_texts())


def test_a_check_that_is_well_has_no_remedy():
    check = Check(id="dead-letters", outcome=Outcome.OK, facts={"count": "0"})
    assert check.remedy("en") is None
    bad = Check(id="dead-letters", outcome=Outcome.FAIL, facts={"count": "2"})
    assert "2" in bad.says("ar")
    assert "eco resend" in (bad.remedy("fr") or "")


def test_a_home_replaces_single_rules_and_no_unknown_one(tmp_path: Path):
    shipped = yaml.safe_load((ROOT / "mappings/operations/alerts.yaml").read_text())["rules"]
    rule = shipped["queue-age"] | {"steps": [{"at": 5, "level": "CRITICAL"}]}
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump({"rules": {"queue-age": rule}}))
    changed = RuleBook.load(own)
    assert changed.threshold("queue-age", AlertLevel.WARNING) == 5
    assert len(changed.rules) == len(RULES.rules)
    own.write_text(yaml.safe_dump({"rules": {"moon-phase": rule}}))
    with pytest.raises(ConfigError, match="moon-phase"):
        RuleBook.load(own)


def test_a_rule_whose_steps_do_not_rise_is_refused(tmp_path: Path):
    shipped = yaml.safe_load((ROOT / "mappings/operations/alerts.yaml").read_text())["rules"]
    steps = [{"at": 9, "level": "INFO"}, {"at": 5, "level": "WARNING"}]
    own = tmp_path / "own.yaml"
    own.write_text(
        yaml.safe_dump({"rules": {"queue-age": shipped["queue-age"] | {"steps": steps}}})
    )
    with pytest.raises(ConfigError, match="least to the most urgent"):
        RuleBook.load(own)


# --- documentation and Prometheus ---------------------------------------------------------------


def exposed_names() -> set[str]:
    suffix = {MetricKind.COUNTER: "_total"}
    return {metric.name + suffix.get(metric.kind, "") for metric in METRICS.values()}


def test_the_documentation_names_every_metric_with_its_labels_and_no_other():
    text = (ROOT / "docs/operations/monitoring.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `(eco_\w+)` \| \w+ \| ([^|]*) \|", text, flags=re.M))
    assert set(documented) == exposed_names()
    for metric in METRICS.values():
        suffix = "_total" if metric.kind is MetricKind.COUNTER else ""
        labels = re.findall(r"`(\w+)`", documented[metric.name + suffix])
        assert tuple(labels) == metric.labels, metric.name


def test_the_documentation_names_every_alert_rule():
    text = (ROOT / "docs/operations/alerts.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z-]+)` \|", text, flags=re.M)) == set(RULES.rules)


def test_the_documentation_names_every_check():
    text = (ROOT / "docs/operations/doctor.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z-]+)` \|", text, flags=re.M)) == set(check_texts())


def test_the_prometheus_rules_ask_for_metrics_that_exist_and_say_what_to_do():
    text = (ROOT / "deploy/prometheus/eco-alerts.yaml").read_text(encoding="utf-8")
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    assert rules
    histogram = {"eco_delivery_seconds_bucket", "eco_delivery_seconds_count"}
    for rule in rules:
        asked = set(re.findall(r"\beco_\w+", rule["expr"]))
        assert asked <= exposed_names() | histogram, rule
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["action"]
