"""The table of rules for ``docs/rules.md``, written from the registered rules themselves.

``python -m gateway.agreements.rule_table > docs/rules.md`` writes it anew; a test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from gateway.agreements.facts import Point
from gateway.agreements.profile import Agreement, load_agreements
from gateway.agreements.rulebook import Rule, all_rules
from gateway.agreements.texts import text_keys

NOT_JUDGED_HERE: Mapping[str, str] = {
    "V25": "needs the exporter's list of authorised applicants: the issuing desk has it",
    "V26": "needs the goods that the exporter registered: the issuing desk has them",
    "V30": "whether exporter and producer are one, and their agreement, is on file at the desk",
    "V37": "needs the export declaration itself, which does not travel with the certificate",
    "V45": "needs the tariff codes of the materials in the producer's cost sheet",
    "V46": "needs the producer's cost sheet",
    "V47": "needs the producer's cost sheet",
    "V48": "needs the producer's cost sheet and the materials' own certificates",
    "V49": "needs the process description of the producer",
    "V50": "is a way of computing: percentages are compared as stated, unrounded",
    "V54": "is a way of computing: the store keeps canonical numbers beside the written ones",
    "V74": "the register never edits what was issued; V17 and V84 catch a changed document",
    "V79": "the document's shape makes the consent flag obligatory; display is the console's",
    "V81": "the document's types make it: dates are dates, only letters print ddmmyyyy",
    "V93": "belongs to the verification query, which is not yet a document here",
    "V95": "belongs to the verification reply, which is not yet a document here",
    "V96": "is a clock of verification cases",
    "V97": "is a decision of customs; the gateway never refuses by itself",
    "V99": "is the store's rule of retention",
    "V100": "is the journal's rule: every read of a foreign certificate is logged",
}
"""Rules of the list that no function here judges, each with its reason."""

_INTRODUCTION = """\
# Business rules

This file is written by `python -m gateway.agreements.rule_table`; do not edit it.

A rule judges a document at four points: **issue** (submission and dry run at the issuing side),
**send** (before dispatch), **receipt** (an arrival from a peer) and **use** (at importing customs).
An *error* refuses the document, a *query* routes it to an officer, a *warning* informs. The table
shows the gravest outcome of a rule; a lesser breach of it may only warn.

A profile (`mappings/agreements/*.yaml`, section `levels`) may change the level of a rule,
or of one of its variants (`V18.date`), at any point, or switch it off there with `IGNORE`. A dash
means that the rule is not judged there unless a profile says so. What the caller does not know
(register, registry, signatures, wire) is not judged.

| rule | document | what it demands | issue | send | receipt | use | article | variants |
|---|---|---|---|---|---|---|---|---|
"""


def render_rule_table() -> str:
    """Return ``docs/rules.md`` as it should be."""
    parts = [_INTRODUCTION, *(_row(rule) for rule in all_rules()), "\n"]
    parts.append("## What the agreements change\n\n| agreement | rule | point | level |\n")
    parts.append("|---|---|---|---|\n")
    parts += [line for agreement in load_agreements().values() for line in _changes(agreement)]
    parts.append("\n## Rules that are judged elsewhere\n\n| rule | why not here |\n|---|---|\n")
    parts += [f"| {rule_id} | {why} |\n" for rule_id, why in NOT_JUDGED_HERE.items()]
    return "".join(parts)


def _row(rule: Rule) -> str:
    documents = ", ".join(document.__name__ for document in rule.documents)
    levels = " | ".join(_level(rule, point) for point in Point)
    prefix = f"{rule.id}."
    variants = sorted(key.removeprefix(prefix) for key in text_keys() if key.startswith(prefix))
    cells = (rule.id, documents, rule.summary, levels, rule.article or "", ", ".join(variants))
    return "| " + " | ".join(cells) + " |\n"


def _level(rule: Rule, point: Point) -> str:
    severity = rule.levels.get(point)
    return "–" if severity is None else severity.value.lower()


def _changes(agreement: Agreement) -> list[str]:
    return [
        f"| {agreement.id} | {key} | {point.value.lower()} | {level.value.lower()} |\n"
        for key, levels in agreement.levels.items()
        for point, level in levels.items()
    ]


if __name__ == "__main__":
    sys.stdout.write(render_rule_table())
