"""Findings: what validation says about a document, in three languages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import BeforeValidator, Field

from gateway.documents.base import Record, printable
from gateway.documents.codes import Language, Severity, Verdict

Sentence = Annotated[str, BeforeValidator(printable)]
"""Text that quotes what others wrote: what XML cannot carry is replaced, never refused."""


class LocalisedText(Record):
    """Holds one sentence in every official language."""

    en: Sentence = Field(min_length=1, max_length=2000)
    fr: Sentence = Field(min_length=1, max_length=2000)
    ar: Sentence = Field(min_length=1, max_length=2000)

    def in_language(self, language: Language | str) -> str:
        """Return the sentence in ``language``."""
        return {"en": self.en, "fr": self.fr, "ar": self.ar}[str(language)]


class Finding(Record):
    """Is one complaint about a document.

    Attributes:
        rule: id of the rule (``V1`` … ``V100``), or ``SHAPE`` / ``SCHEMA`` / ``CODE`` for
            findings below the business rules, or a wire code for a failed trust check.
        severity: what the finding does to the verdict.
        path: where in the document, as ``items[2].hs_code`` (lists count from 0).
        box: box of the paper form that shows the datum, if any.
        article: article of the regulation that demands it, if any.
        message: what is wrong.
        remedy: what would mend it.
    """

    rule: Sentence = Field(min_length=1, max_length=40)
    severity: Severity
    path: Sentence = Field(max_length=300)
    box: Sentence | None = Field(default=None, max_length=20)
    article: Sentence | None = Field(default=None, max_length=60)
    message: LocalisedText
    remedy: LocalisedText


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict that these findings amount to."""
    severities = {finding.severity for finding in findings}
    if Severity.ERROR in severities:
        return Verdict.REFUSED
    return Verdict.ACCEPTED_WITH_WARNINGS if severities else Verdict.ACCEPTED
