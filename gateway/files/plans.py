"""What the operator says of watched folders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gateway.documents import Language
from gateway.store import EventKind


class FileForm(StrEnum):
    """Names the forms of files that are ours; any other name is that of a national format."""

    CANONICAL = "canonical"
    SIGNED = "signed"
    RESPONSES = "responses"


@dataclass(frozen=True, kw_only=True)
class InboxPlan:
    """Is a folder into which an organisation puts documents.

    Attributes:
        organisation: code of the organisation whose documents they are.
        form: see ``FileForm``.
        pattern: only files with such names are taken.
        stable_seconds: so long a file must not have changed before it is taken.
        marker: take a file only once ``NAME.ok`` lies beside it.
        most_bytes: larger files are not read.
        language: of findings in results.
    """

    name: str
    organisation: str
    folder: Path
    form: str
    pattern: str
    stable_seconds: float
    marker: bool
    results: Path
    quarantine: Path
    most_bytes: int
    language: Language

    @property
    def work(self) -> Path:
        """Where claimed files lie until they are answered."""
        return self.folder / "work"

    @property
    def done(self) -> Path:
        """Where files go whose every document was taken."""
        return self.folder / "done"

    @property
    def refused(self) -> Path:
        """Where files go of which a document was refused."""
        return self.folder / "refused"


@dataclass(frozen=True, kw_only=True)
class OutboxPlan:
    """Is a folder into which everything is put that comes for an organisation.

    Attributes:
        kinds: only events of these kinds; empty for all.
        from_beginning: begin with the first event there is, not with the next one.
    """

    name: str
    organisation: str
    folder: Path
    kinds: frozenset[EventKind]
    from_beginning: bool
    language: Language

    @property
    def staging(self) -> Path:
        """Where a batch is prepared before it is shown."""
        return self.folder / ".staging"
