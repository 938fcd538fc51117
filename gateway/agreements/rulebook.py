"""What a business rule is, how one is registered, and which rules a document meets.

A rule is a function that yields complaints; it never builds findings, knows no language and
decides no verdict.  ``gateway.agreements.engine`` turns complaints into findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from gateway.agreements.facts import Facts, Point
from gateway.agreements.parts import BoxField
from gateway.agreements.profile import Agreement, Level
from gateway.documents.base import Record
from gateway.documents.codes import Severity
from gateway.documents.shape import Document

I, S, R, C = Point.ISSUE, Point.SEND, Point.RECEIPT, Point.USE  # noqa: E741 - the rule table's letters
ERROR, QUERY, WARNING = Severity.ERROR, Severity.QUERY, Severity.WARNING

AnyDocument = TypeVar("AnyDocument", bound=Document)
Derived = TypeVar("Derived")


@dataclass(frozen=True)
class Case:
    """Holds what a rule may look at beside the document; made anew for each document."""

    agreement: Agreement
    facts: Facts
    _derived: dict[Callable[..., Any], Any] = field(
        default_factory=dict, repr=False, compare=False, init=False
    )

    def once(
        self, derive: Callable[[AnyDocument, Case], Derived], document: AnyDocument
    ) -> Derived:
        """Return what several rules derive from the document, derived by the first of them."""
        if derive not in self._derived:
            self._derived[derive] = derive(document, self)
        derived: Derived = self._derived[derive]
        return derived


@dataclass(frozen=True)
class Complaint:
    """Is one breach of a rule, before it is put into words.

    Attributes:
        path: datum concerned, as ``items[2].hs_code``.
        variant: which of the rule's sentences says it; None for the main one.
        severity: the most that this breach deserves, None for the rule's own level.
        box: datum whose form box is named, None for the rule's own.
        values: what the sentence's placeholders stand for.
    """

    path: str
    variant: str | None = None
    severity: Severity | None = None
    box: BoxField | None = None
    values: Mapping[str, object] = field(default_factory=dict)


Judge = Callable[[Any, Case], Iterable[Complaint]]


@dataclass(frozen=True)
class Rule:
    """Is one registered rule for one or more document types.

    Attributes:
        levels: what a breach does at each point where the rule is judged by default.
        summary: the rule in one sentence, for the documentation.
    """

    id: str
    documents: tuple[type[Record], ...]
    levels: Mapping[Point, Severity]
    box: BoxField | None
    article: str | None
    summary: str
    judge: Judge


_RULES: list[Rule] = []


def at(severity: Severity, *points: Point) -> dict[Point, Severity]:
    """Return the levels of a rule that means the same at each of these points."""
    return dict.fromkeys(points, severity)


def complain(
    path: str,
    variant: str | None = None,
    /,
    *,
    severity: Severity | None = None,
    box: BoxField | None = None,
    **values: object,
) -> Complaint:
    """Return the complaint about the datum at ``path``."""
    return Complaint(path, variant, severity, box, values)


def rule(
    rule_id: str,
    documents: tuple[type[AnyDocument], ...],
    levels: Mapping[Point, Severity],
    *,
    box: BoxField | None = None,
    article: str | None = None,
) -> Callable[
    [Callable[[AnyDocument, Case], Iterable[Complaint]]],
    Callable[[AnyDocument, Case], Iterable[Complaint]],
]:
    """Return the decorator that registers a function as a rule.

    Args:
        rule_id: ``V1`` … ``V100`` of the rule table, or ``CODE``.
        documents: document types that the rule judges.
        levels: default severity per point; empty for a rule that only profiles switch on.
        box: datum whose form box a finding names.
        article: article of the regulation that demands it.
    """

    def register(
        judge: Callable[[AnyDocument, Case], Iterable[Complaint]],
    ) -> Callable[[AnyDocument, Case], Iterable[Complaint]]:
        summary = (judge.__doc__ or "").strip().splitlines()[0]
        _RULES.append(Rule(rule_id, documents, dict(levels), box, article, summary, judge))
        return judge

    return register


def all_rules() -> tuple[Rule, ...]:
    """Return every registered rule in the order of the rule table."""
    import gateway.agreements.rules  # noqa: F401 - registers them

    return tuple(sorted(_RULES, key=lambda one: (_order(one.id), one.documents[0].__name__)))


@cache
def rules_for(
    document_type: type[Document], point: Point, overrides: tuple[tuple[str, Level], ...]
) -> tuple[tuple[Rule, Severity], ...]:
    """Return the rules that a document meets at a point, each with its level there.

    Args:
        overrides: levels that the agreement sets at this point, by rule id or variant.
    """
    return tuple(_chosen(document_type, point, dict(overrides)))


def _chosen(
    document_type: type[Document], point: Point, overrides: Mapping[str, Level]
) -> Iterator[tuple[Rule, Severity]]:
    for one in all_rules():
        if document_type not in one.documents:
            continue
        override = overrides.get(one.id)
        severity = one.levels.get(point) if override is None else override.severity
        if severity is not None:
            yield one, severity


def _order(rule_id: str) -> tuple[int, str]:
    return (int(rule_id[1:]), "") if rule_id[1:].isdecimal() else (0, rule_id)
