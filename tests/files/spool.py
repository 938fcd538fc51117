"""Watched folders of one gateway, with a clerk that looks when it is told to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from gateway.documents import Language
from gateway.files import FileClerk, FileForm, InboxPlan, OutboxPlan
from gateway.files.handing_out import Outbox
from gateway.files.taking import Inbox
from gateway.services.counter import Counter
from gateway.store import outbox
from tests.api.counter import Front
from tests.factories import certificate

AUTHORITY_CODE, CUSTOMS_CODE = "ZM-ISSUING_AUTHORITY", "KE-CUSTOMS"
NAMES = ("work", "done", "refused", "results", "quarantine")


@dataclass
class Spool:
    """The folders of one gateway below one folder."""

    counter: Counter
    root: Path
    inbox_changes: dict[str, Any] = field(default_factory=dict)
    outbox_changes: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    ways: str = "in and out"

    def __post_init__(self) -> None:
        self.inbox.folder.mkdir(parents=True, exist_ok=True)
        self.outbox.folder.mkdir(parents=True, exist_ok=True)
        self.clerk = self.another_clerk("one")

    @property
    def inbox(self) -> InboxPlan:
        folder = self.root / "in"
        plan = InboxPlan(
            name="test",
            organisation=AUTHORITY_CODE,
            folder=folder,
            form=FileForm.CANONICAL,
            pattern="*",
            stable_seconds=0,
            marker=False,
            results=folder / "results",
            quarantine=folder / "quarantine",
            most_bytes=200_000,
            language=Language.ENGLISH,
        )
        return replace(plan, **self.inbox_changes)

    @property
    def outbox(self) -> OutboxPlan:
        plan = OutboxPlan(
            name="test",
            organisation=CUSTOMS_CODE if self.country == "KE" else AUTHORITY_CODE,
            folder=self.root / "out",
            kinds=frozenset(),
            from_beginning=True,
            language=Language.ENGLISH,
        )
        return replace(plan, **self.outbox_changes)

    @property
    def country(self) -> str:
        return self.counter.desk.identity.country

    def another_clerk(self, worker: str) -> FileClerk:
        return FileClerk(
            counter=self.counter,
            worker=worker,
            inboxes=[Inbox(self.counter, self.inbox)] if "in" in self.ways else [],
            outboxes=[Outbox(self.counter, self.outbox)] if "out" in self.ways else [],
            poll=timedelta(),
            lease=timedelta(seconds=60),
            tick=lambda: self.seconds,
        )

    def put(self, name: str, content: bytes | None = None) -> Path:
        path = self.inbox.folder / name
        path.write_bytes(certificate().model_dump_json().encode() if content is None else content)
        return path

    def look(self) -> int:
        return self.clerk.ring()

    def result(self, name: str) -> dict[str, Any]:
        return json.loads((self.inbox.results / f"{name}.result.json").read_bytes())

    def lying(self, where: str) -> list[str]:
        folder = self.inbox.quarantine if where == "quarantine" else self.inbox.folder / where
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def out(self) -> list[str]:
        return sorted(p.name for p in self.outbox.folder.iterdir() if not p.name.startswith("."))

    def sent(self) -> int:
        with self.counter.desk.store.read() as conn:
            return len(outbox.page(conn, limit=500))


def make_spool(front: Front, root: Path, **changes: Any) -> Spool:
    return Spool(front.counter, root, **changes)
