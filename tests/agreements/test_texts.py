"""The sentences of the rules: complete, in three languages, with the values they need."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from gateway.agreements import rules
from gateway.agreements.rulebook import all_rules
from gateway.agreements.texts import (
    RuleText,
    RuleTexts,
    placeholders,
    render,
    rule_texts,
    text_keys,
)
from gateway.documents.findings import LocalisedText
from gateway.errors import ConfigError

SOURCES = sorted(Path(rules.__path__[0]).glob("*.py"))
# `_thresholds` serves these three rules, so their texts must take the same values.
SHARED = {"_thresholds": ("V42", "V43", "V44")}
HELPERS = {"_dating": "V53", "_total_mass": "V52", "_against_balance": "V89", "_left_over": "V89"}


def complaints():
    """Yield (rule id, variants, names of the values) of every complaint in the sources."""
    for source in SOURCES:
        for function in ast.parse(source.read_text(encoding="utf-8")).body:
            if isinstance(function, ast.FunctionDef):
                for call in ast.walk(function):
                    if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "complain":
                        yield from _read(function, call)


def _read(function, call):
    variant = call.args[1] if len(call.args) > 1 else None
    variants = (
        sorted(
            {node.value for node in ast.walk(variant) if isinstance(node, ast.Constant)}, key=str
        )
        if variant
        else [None]
    )
    variants = [one if isinstance(one, str) else None for one in variants]
    if isinstance(variant, ast.Name):  # V29 chooses its variant in a variable
        variants = [None, "order"]
    names = frozenset(keyword.arg for keyword in call.keywords) - {"severity", "box"}
    for rule_id in _rule_ids(function):
        for one in variants:
            yield rule_id, one, names


def _rule_ids(function):
    for decorator in function.decorator_list:
        return (decorator.args[0].value,)
    return SHARED.get(function.name) or (HELPERS[function.name],)


def test_every_complaint_has_a_text_that_takes_exactly_its_values():
    seen = set()
    for rule_id, variant, names in complaints():
        key = rule_id if variant is None else f"{rule_id}.{variant}"
        message, remedy = render(rule_id, variant, dict.fromkeys(names, "value"))
        wanted = placeholders(rule_texts().texts[key].message.en)
        assert wanted <= names, key
        assert names == wanted, f"{key} computes {names - wanted} for nobody"
        assert "{" not in message.ar + remedy.ar
        seen.add(key)
    assert seen == text_keys(), seen ^ text_keys()


def test_every_rule_has_a_text_and_every_text_a_rule():
    assert {rule.id for rule in all_rules()} == {key.partition(".")[0] for key in text_keys()}


@pytest.mark.parametrize("key", sorted(text_keys()))
def test_every_text_is_complete_in_three_languages(key):
    text = rule_texts().texts[key]
    for sentence in (text.message, text.remedy):
        if sentence is None:
            continue
        assert placeholders(sentence.en) == placeholders(sentence.fr) == placeholders(sentence.ar)
        assert len({sentence.en, sentence.fr, sentence.ar}) == 3
        assert re.search("[\u0600-\u06ff]{2}", sentence.ar)
        assert not re.search("[\u0600-\u06ff]", sentence.en + sentence.fr)
        assert sentence.en.endswith((".", "note}"))


def test_languages_that_disagree_about_placeholders_are_refused():
    with pytest.raises(ValueError, match="disagree"):
        RuleText(message=LocalisedText(en="{a}", fr="{b}", ar="{a}"))


def test_a_text_without_any_remedy_is_refused():
    bare = RuleText(message=LocalisedText(en="a", fr="b", ar="c"))
    with pytest.raises(ValueError, match="no remedy"):
        RuleTexts(texts={"V1": bare})


def test_a_missing_text_or_value_is_a_mistake_of_ours():
    with pytest.raises(ConfigError, match=r"no V1\.nothing"):
        render("V1", "nothing", {})
    with pytest.raises(ConfigError, match="no value for"):
        render("V1", None, {"other": 1})


def test_a_long_or_odd_value_is_cut_and_kept_on_one_line():
    message, _ = render(
        "V1", None, {"value": "a\nb {expected} " + "x" * 4000, "expected": "COMESA"}
    )
    assert "a b {expected} xxx" in message.en
    assert "…" in message.en
    assert len(message.en) < 200
