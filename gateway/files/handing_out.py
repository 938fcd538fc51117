"""Handing out: what comes for an organisation is put into a folder, exactly once.

1. What a worker left unshown after step 4 is shown.
2. The events after the cursor are looked at; of each, its files are prepared in a batch of its
   own below ``.staging/``, and are on the disk.
3. Nothing of it counts before the next step; a worker that ends here leaves a batch behind that
   is thrown away.
4. The cursor goes forward and names the batch, in one transaction, if the turn is still ours.
5. The files are moved into the folder, the manifest of each event after what it names.

The reader may take a file away as soon as it shows: it does not come again.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.files import disk
from gateway.files.leases import Lease
from gateway.files.plans import OutboxPlan
from gateway.services.access import Caller, Scope
from gateway.services.counter import Counter
from gateway.services.enclosures import (
    Enclosure,
    enclosure_of,
    findings_of,
    note_handed_over,
)
from gateway.services.event_body import EventView, event_view
from gateway.services.event_texts import EVENT_TEXTS
from gateway.services.wording import FindingView, View, finding_view
from gateway.store import Event, events, hand_overs
from gateway.store.hand_overs import HandOver

BATCH: Final = 50
"""Events of which files are prepared at a time."""
_BATCH_NAME: Final = re.compile(r"[0-9a-f]{16}")
MANIFEST: Final = ".manifest.json"


class FileView(View):
    """Is a file that goes with an event.

    Attributes:
        what: ``certificate`` or ``response``.
    """

    name: str
    what: str
    media_type: str
    sha256: str
    bytes: int


class ManifestView(View):
    """Says what came, and which files hold it; shown after them.

    Attributes:
        meaning: of the event, in the language of the folder.
        findings: what the peer found in a document of ours that it refused.
    """

    cursor: int
    organisation: str
    meaning: str
    event: EventView
    findings: tuple[FindingView, ...] = ()
    files: tuple[FileView, ...] = ()


@dataclass(frozen=True)
class Outbox:
    """Fills one folder."""

    counter: Counter
    plan: OutboxPlan

    def hand_out_all(self, caller: Caller, lease: Lease) -> int:
        """Put everything that has come into the folder; return of how many events.

        Raises:
            GatewayError, OSError: not now; nothing is lost, and nothing comes twice.
        """
        caller.require(Scope.EVENTS)
        disk.make_folders(self.plan.folder, self.plan.staging)
        handed = 0
        while lease.holds():
            standing = self._standing(caller)
            self._show(standing.batch)  # 1
            told = self._next(caller, lease, standing)
            if told is None:
                break
            handed += told
        return handed

    def _standing(self, caller: Caller) -> HandOver:
        own, store = caller.organisation.id, self.counter.desk.store
        with store.read() as conn:
            found = hand_overs.find(conn, self.plan.name, own)
        if found is not None:
            return found
        with store.begin() as conn:
            start = 0 if self.plan.from_beginning else events.last_cursor(conn)
            at = self.counter.desk.clock()
            return hand_overs.begin(conn, self.plan.name, own, start, at=at)

    def _next(self, caller: Caller, lease: Lease, standing: HandOver) -> int | None:
        """Return how many events were handed out, None where there is nothing more."""
        store = self.counter.desk.store
        with store.read() as conn:
            page = events.visible_after(conn, caller.visible, standing.cursor, limit=BATCH)
        if page.reached == standing.cursor:
            return None
        meant = [
            each for each in page.events if not self.plan.kinds or each.kind in self.plan.kinds
        ]
        batch = secrets.token_hex(8) if meant else None
        viewed = [] if batch is None else self._prepared(caller, batch, meant)  # 2
        with store.begin() as conn:
            at = self.counter.desk.clock()
            ours = lease.renew_in(conn)  # whoever took over throws our batch away
            if not ours or not hand_overs.advance(conn, standing, page.reached, batch, at=at):  # 4
                return None
            for event in viewed:
                note_handed_over(conn, self.counter, caller, event.subject)
        self._show(batch)  # 5
        return len(meant)

    def _prepared(self, caller: Caller, batch: str, meant: list[Event]) -> list[Event]:
        """Prepare the files of these events; return those that hand a foreign certificate over."""
        stage = self.plan.staging / batch
        stage.mkdir()
        viewed = []
        try:
            for event in meant:
                enclosure = enclosure_of(self.counter, caller, event)
                self._write(stage, caller, event, enclosure)
                if enclosure is not None and enclosure.viewed:
                    viewed.append(event)
            disk.sync_folder(stage)
        except BaseException:
            shutil.rmtree(stage, ignore_errors=True)
            raise
        return viewed

    def _write(
        self, stage: Path, caller: Caller, event: Event, enclosure: Enclosure | None
    ) -> None:
        stem = f"{event.cursor:012d}-{event.kind.value.lower().replace('_', '-')}"
        files = []
        if enclosure is not None:
            for name, media_type, content in _parts(stem, enclosure):
                disk.write_synced(stage / name, content)
                files.append(_file_view(name, media_type, content, enclosure))
        language, own = self.plan.language, self.counter.desk.identity.identifier
        manifest = ManifestView(
            cursor=event.cursor,
            organisation=caller.organisation.code,
            meaning=EVENT_TEXTS[event.kind].in_language(language),
            event=event_view(event, own),
            findings=tuple(
                finding_view(each, language) for each in findings_of(self.counter, event)
            ),
            files=tuple(files),
        )
        content = manifest.model_dump_json(exclude_none=True, indent=1).encode()
        disk.write_synced(stage / f"{stem}{MANIFEST}", content)

    def _show(self, batch: str | None) -> None:
        """Move what was noted as handed out into the folder; throw away what never was."""
        for stage in self.plan.staging.iterdir():
            if stage.name != batch and _BATCH_NAME.fullmatch(stage.name):
                shutil.rmtree(stage, ignore_errors=True)
        stage = self.plan.staging / (batch or "")
        if batch is None or not stage.is_dir():
            return
        for file in sorted(stage.iterdir(), key=_manifest_last):
            with contextlib.suppress(FileNotFoundError):  # another process showed it
                file.rename(self.plan.folder / file.name)
        disk.sync_folder(self.plan.folder)
        with contextlib.suppress(OSError):
            stage.rmdir()


def _parts(stem: str, enclosure: Enclosure) -> Iterator[tuple[str, str, bytes]]:
    yield f"{stem}.xml", "application/xml", enclosure.signed
    if enclosure.canonical is not None:
        yield f"{stem}.json", "application/json", enclosure.canonical


def _file_view(name: str, media_type: str, content: bytes, enclosure: Enclosure) -> FileView:
    return FileView(
        name=name,
        what=enclosure.kind.value,
        media_type=media_type,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
    )


def _manifest_last(file: Path) -> tuple[str, bool]:
    return file.name.split("-", 1)[0], file.name.endswith(MANIFEST)
