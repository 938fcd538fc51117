"""Telling which files in a folder are complete: by their name, a marker, or by standing still.

What was seen is remembered in the process, and measured on its own clock: that of the machine
that writes may be another.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from gateway.files.plans import InboxPlan

MARKER: Final = ".ok"
UNFINISHED: Final = (".part", ".tmp", ".partial", ".filepart", ".crdownload", MARKER)
"""Endings of names that are no document, or none yet."""

_State = tuple[int, int, int]


@dataclass
class Watch:
    """Remembers since when each file of one folder has stood still."""

    _seen: dict[str, tuple[_State, float]] = field(default_factory=dict)

    def complete(self, plan: InboxPlan, now: float) -> list[str]:
        """Return the names of the files that may be taken, the one that came first at the front.

        Args:
            now: seconds on a clock that only rises.
        """
        found = sorted(self._candidates(plan, now))
        return [name for _, name in found]

    def _candidates(self, plan: InboxPlan, now: float) -> Iterator[tuple[int, str]]:
        with os.scandir(plan.folder) as listed:
            entries = {entry.name: entry for entry in listed}
        before, self._seen = self._seen, {}
        for name, entry in entries.items():
            if not _is_meant(name, plan):
                continue
            try:
                state = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(state.st_mode):
                continue
            if name + MARKER in entries or not stat.S_ISREG(state.st_mode):
                yield state.st_mtime_ns, name
            elif not plan.marker:
                print_of = (state.st_ino, state.st_size, state.st_mtime_ns)
                known, since = before.get(name, (print_of, now))
                since = since if known == print_of else now
                self._seen[name] = (print_of, since)
                if now - since >= plan.stable_seconds:
                    yield state.st_mtime_ns, name


def _is_meant(name: str, plan: InboxPlan) -> bool:
    if name.startswith(".") or name.lower().endswith(UNFINISHED):
        return False
    return fnmatchcase(name, plan.pattern)
