"""The documentation of the rules is what the rules say of themselves."""

from __future__ import annotations

from pathlib import Path

from gateway.agreements.rule_table import NOT_JUDGED_HERE, render_rule_table
from gateway.agreements.rulebook import all_rules

ROOT = Path(__file__).resolve().parents[2]

FIX = "run: python -m gateway.agreements.rule_table > docs/rules.md"


def test_the_table_of_rules_in_the_documentation_is_current():
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == render_rule_table(), FIX


def test_every_rule_of_the_list_is_judged_or_says_why_not():
    judged = {rule.id for rule in all_rules()} - {"CODE"}
    assert judged | set(NOT_JUDGED_HERE) == {f"V{number}" for number in range(1, 101)}
    assert judged.isdisjoint(NOT_JUDGED_HERE)


def test_every_rule_says_in_one_sentence_what_it_demands():
    for rule in all_rules():
        assert rule.summary.endswith("."), rule.id
