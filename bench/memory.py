"""Memory and processor time of processes, as Linux tells them."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int | str = "self") -> int:
    """Return how much memory a process holds now."""
    return _status(pid, "VmRSS:")


def peak_bytes(pid: int | str = "self") -> int:
    """Return the most memory that a process held since it began or since ``reset_peak``."""
    return _status(pid, "VmHWM:")


def reset_peak() -> None:
    """Let the peak of this process begin anew."""
    (PROC / "self" / "clear_refs").write_text("5", encoding="ascii")


def family(pid: int) -> list[int]:
    """Return a process and all below it."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        for task in (PROC / str(one) / "task").glob("*/children"):
            waiting += [int(child) for child in _text(task).split()]
    return found


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process and those below it have used until now."""
    return sum(_used(one) for one in family(pid))


def _used(pid: int) -> float:
    """Return seconds, to the nanosecond where the kernel counts them."""
    threads = [_text(file) for file in (PROC / str(pid) / "task").glob("*/schedstat")]
    counted = sum(int(text.split()[0]) for text in threads if text)
    if counted:
        return counted / 1e9
    fields = _text(PROC / str(pid) / "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def _status(pid: int | str, name: str) -> int:
    for line in _text(PROC / str(pid) / "status").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:  # it ended meanwhile
        return ""
