"""Settings of the watched folders: where national systems hand over files and get them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway.config_section import Section
from gateway.store import EventKind

BoxName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class InboxSection(Section):
    """Says in which folder an organisation puts which documents.

    Attributes:
        name: names the folder in the log, in results and in the journal.
        organisation: code of the organisation that speaks here; see `eco organisation`.
        folder: is watched; what lies in folders below it is not.
        format: `canonical` (JSON), `signed` (message XML), `responses` (decisions of customs in
            JSON), or the name of a national format.
        pattern: names of the files that are taken, as `*.json`.
        stable_seconds: so long a file must not change before it is taken; 0 takes it at once.
        marker: take a file only once an empty file `NAME.ok` lies beside it.
        results: gets `NAME.result.json`; `results` in the folder unless given.
        quarantine: gets what cannot be read; `quarantine` in the folder unless given.
    """

    name: BoxName
    organisation: str = Field(min_length=1, max_length=40)
    folder: Path
    format: BoxName
    pattern: str = Field(default="*", min_length=1, max_length=100)
    stable_seconds: Annotated[float, Field(ge=0, le=3600)] = 5.0
    marker: bool = False
    results: Path | None = None
    quarantine: Path | None = None


class OutboxSection(Section):
    """Says into which folder everything is put that comes for an organisation.

    Attributes:
        name: names the folder in the log and its place in the feed of events.
        organisation: code of the organisation that reads here; see `eco organisation`.
        folder: gets a manifest of each event, and the documents that came with it.
        kinds: only events of these kinds; of all unless given.
        begin: with the `next` event, or with the `first` that there is.
    """

    name: BoxName
    organisation: str = Field(min_length=1, max_length=40)
    folder: Path
    kinds: tuple[EventKind, ...] = ()
    begin: Literal["next", "first"] = "next"


class FilesSection(Section):
    """Says which folders `eco work` looks after.

    Attributes:
        poll_seconds: pause between two looks.
        lease_seconds: after so long another worker takes the folders of a silent one over.
        max_file_bytes: largest file that is read.
        inboxes: folders in; each is a table `[[files.inboxes]]`.
        outboxes: folders out; each is a table `[[files.outboxes]]`.
    """

    poll_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 5.0
    lease_seconds: Annotated[int, Field(ge=10, le=3600)] = 120
    max_file_bytes: Annotated[int, Field(ge=1_000, le=100_000_000)] = 12_000_000
    inboxes: tuple[InboxSection, ...] = ()
    outboxes: tuple[OutboxSection, ...] = ()

    @model_validator(mode="after")
    def _apart(self) -> Self:
        _require_apart([box.name for box in self.inboxes], "two folders in are called")
        _require_apart([box.name for box in self.outboxes], "two folders out are called")
        folders = [str(box.folder) for box in self.inboxes]
        folders += [str(box.folder) for box in self.outboxes]
        _require_apart(folders, "each way has a folder of its own; two ways name")
        return self


def _require_apart(names: list[str], complaint: str) -> None:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"{complaint} {twice[0]!r}")
