"""Clocks that a test sets while processes run: libfaketime reads each country's from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

LIBRARIES = tuple(
    folder / "faketime" / "libfaketimeMT.so.1"
    for folder in (*Path("/usr/lib").glob("*-linux-gnu*"), Path("/usr/lib"), Path("/usr/local/lib"))
)
_SLEEP = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"
"""libfaketime 0.9 breaks the system call that Python sleeps with, so processes sleep otherwise."""
CACHE_SECONDS = 1
"""A process looks at its file this often."""


def library() -> Path | None:
    """Return libfaketime, or None where it is not installed."""
    return next((path for path in LIBRARIES if path.is_file()), None)


@dataclass
class Clocks:
    """Is the time of day at each gateway, as far as it is off."""

    folder: Path
    off: dict[str, timedelta] = field(default_factory=dict)

    @property
    def can_be_set(self) -> bool:
        return library() is not None

    def set(self, country: str, off: timedelta) -> None:
        """Let the clock of ``country`` be off by ``off`` from the next second on."""
        self.off[country] = off
        written = self._file(country).with_suffix(".new")
        written.write_text(f"{int(off.total_seconds()):+d}\n")
        written.replace(self._file(country))

    def now(self, country: str) -> datetime:
        return datetime.now(UTC) + self.off.get(country, timedelta())

    def environment(self, country: str) -> Mapping[str, str]:
        """Return what a process needs to live by the clock of ``country``."""
        preload = library()
        if preload is None:
            return {}
        self.set(country, timedelta())
        (self.folder / "sitecustomize.py").write_text(_SLEEP)
        return {
            "PYTHONPATH": str(self.folder),
            "LD_PRELOAD": str(preload),
            "FAKETIME_TIMESTAMP_FILE": str(self._file(country)),
            "FAKETIME_CACHE_DURATION": str(CACHE_SECONDS),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def _file(self, country: str) -> Path:
        return self.folder / f"{country}.clock"
