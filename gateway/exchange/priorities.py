"""Which message goes first to a peer: perishable goods, by a table that the home may change.

A message has a head start, never a rank above all others: it counts as older than it is, so that
what was submitted long enough before goes first, whatever it carries.
"""

from __future__ import annotations

import functools
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.agreements.loading import load_record
from gateway.documents import CertificateOfOrigin, Document
from gateway.documents.base import Record
from gateway.documents.findings import LocalisedText
from gateway.resources import data_path

ClassId = Annotated[str, Field(pattern=r"^[a-z][a-z-]{2,38}$")]
Chapter = Annotated[str, Field(pattern=r"^(0[1-9]|[1-8][0-9]|9[0-9])$")]


class PriorityClass(Record):
    """Is the head start of certificates with goods of some chapters."""

    head_start_minutes: Annotated[int, Field(ge=0, le=10_080)]
    chapters: tuple[Chapter, ...] = Field(min_length=1)
    label: LocalisedText


class PriorityTable(Record):
    """Holds every priority class by its id; a chapter belongs to one of them at most."""

    classes: dict[ClassId, PriorityClass]

    @model_validator(mode="after")
    def _once(self) -> Self:
        named = [chapter for each in self.classes.values() for chapter in each.chapters]
        twice = sorted({chapter for chapter in named if named.count(chapter) > 1})
        if twice:
            raise ValueError(f"chapters that stand twice: {', '.join(twice)}")
        return self

    @classmethod
    def load(cls, own: Path | None = None) -> PriorityTable:
        """Return the shipped table, or the classes of ``own`` in place of the shipped ones.

        A class in ``own`` takes its chapters away from the shipped classes.

        Raises:
            ConfigError: names file and line of what is wrong.
        """
        shipped = _shipped()
        if own is None:
            return shipped
        changes = load_record(cls, own)
        taken = {chapter for each in changes.classes.values() for chapter in each.chapters}
        left = {
            name: each.model_copy(update={"chapters": chapters})
            for name, each in shipped.classes.items()
            if name not in changes.classes
            and (chapters := tuple(one for one in each.chapters if one not in taken))
        }
        return cls(classes={**left, **changes.classes})

    def head_start(self, document: Document) -> timedelta:
        """Return by how much the message with ``document`` counts as older than it is."""
        if not isinstance(document, CertificateOfOrigin):
            return timedelta()
        chapters = {item.hs_code[:2] for item in document.items}
        minutes = [
            each.head_start_minutes
            for each in self.classes.values()
            if chapters.intersection(each.chapters)
        ]
        return timedelta(minutes=max(minutes, default=0))


@functools.cache
def _shipped() -> PriorityTable:
    return load_record(PriorityTable, data_path("mappings", "delivery", "priorities.yaml"))
