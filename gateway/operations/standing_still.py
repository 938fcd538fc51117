"""Observers of what stands still: batches without progress, watched folders nobody empties."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from gateway.operations.premises import WatchedFolder
from gateway.operations.readings import Reading
from gateway.store import batches, tasks
from gateway.store.tasks import TaskState

NEVER_WELL: Final = 15.0
"""Minutes that a folder counts for which failed at its first turn already."""
_MOST_BATCHES: Final = 20
_MOST_FILES: Final = 10_000


def stuck_batches(conn: Connection, now: datetime) -> Iterator[Reading]:
    """Yield how long each open batch has made no progress, the longest first."""
    for batch in batches.standing_still(conn, limit=_MOST_BATCHES):
        minutes = (now - batch.updated_at).total_seconds() / 60
        facts = {
            "batch": batch.batch_id,
            "minutes": f"{minutes:.0f}",
            "lines": str(batch.lines),
            "tries": str(batch.tries),
        }
        yield Reading(rule="batch-stuck", subject=batch.batch_id, value=minutes, facts=facts)


def stuck_folders(
    conn: Connection, folders: tuple[WatchedFolder, ...], now: datetime
) -> Iterator[Reading]:
    """Yield for how long each watched folder stands still, and why as far as is known."""
    if not folders:
        return
    known = {each.name: each for each in tasks.every(conn)}
    for folder in folders:
        waiting, oldest = _waiting(folder)
        task = known.get(folder.task)
        failing = _failing(task, now)
        lies = 0.0 if oldest is None else (now - oldest).total_seconds() / 60
        minutes = max(failing, lies)
        facts = {
            "folder": folder.name,
            "minutes": f"{minutes:.0f}",
            "count": str(waiting),
            "code": (task and task.last_error) or "–",
        }
        yield Reading(rule="folder-stuck", subject=folder.task, value=minutes, facts=facts)


def _failing(task: TaskState | None, now: datetime) -> float:
    """Return for how many minutes a folder's turns have failed or not come; 0 while all is well."""
    if task is None:
        return 0.0
    late = max(0.0, (now - task.due_at).total_seconds() / 60)
    if task.last_error is None:
        return late
    if task.last_well_at is None:
        return max(late, NEVER_WELL)
    return max(late, (now - task.last_well_at).total_seconds() / 60)


def _waiting(folder: WatchedFolder) -> tuple[int, datetime | None]:
    """Return how many files lie in a folder in, and since when the oldest has."""
    if folder.inbox is None:
        return 0, None
    times = [
        *_times(folder.inbox, folder.pattern),
        *_times(folder.inbox / "work", "*"),
    ]
    return len(times), min(times, default=None)


def _times(place: Path, pattern: str) -> list[datetime]:
    try:
        with os.scandir(place) as listed:
            found = [entry for entry in islice(listed, _MOST_FILES) if _is_meant(entry, pattern)]
            return [datetime.fromtimestamp(each.stat().st_ctime, UTC) for each in found]
    except OSError:  # a folder that cannot be read is a failure of its own turn
        return []


def _is_meant(entry: os.DirEntry[str], pattern: str) -> bool:
    if entry.name.startswith(".") or not fnmatchcase(entry.name, pattern):
        return False
    return stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode)
