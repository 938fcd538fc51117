"""The formats in force: those that ship, and the home's own, taken anew when a file changes.

A file with an error never replaces a version that was sound: the old one stays in force, also
for processes that start later, because a copy of each sound version is kept.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from gateway.documents.codes import Severity
from gateway.xml.national.examining import Examination, examine_file
from gateway.xml.national.formats import FormatMark, NationalFormat
from gateway.xml.national.mistakes import Mistake

SUFFIX: Final = ".yaml"

_Stamp = tuple[int, int, int, int]


class FormatChange(StrEnum):
    """Says what a look at the home's own formats has led to."""

    TAKEN = "TAKEN"
    REFUSED = "REFUSED"
    REMOVED = "REMOVED"


@dataclass(frozen=True, kw_only=True)
class FormatFault:
    """Is a mapping file that is not in force as it stands.

    Attributes:
        in_force: the version that holds instead; None where there is none.
    """

    file: str
    name: str
    mistakes: tuple[Mistake, ...]
    in_force: FormatMark | None

    @property
    def errors(self) -> tuple[Mistake, ...]:
        """The mistakes that keep the file out of force."""
        return tuple(each for each in self.mistakes if each.severity is Severity.ERROR)


@dataclass(frozen=True, kw_only=True)
class FormatState:
    """Is one format with where it comes from.

    Attributes:
        format: the version in force; None where a file never was sound.
        own: it lies in the gateway home, and does not ship.
    """

    name: str
    own: bool
    format: NationalFormat | None
    fault: FormatFault | None


@dataclass(frozen=True, kw_only=True)
class FormatNews:
    """Is what became of one changed file.

    Attributes:
        mark: the version in force now.
        mistakes: the errors of a file that was refused.
    """

    change: FormatChange
    file: str
    mark: FormatMark | None
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True)
class _Look:
    """Is what one look at the folder gave; replaced as a whole, never changed."""

    stamps: Mapping[str, _Stamp] = field(default_factory=dict)
    own: Mapping[str, NationalFormat] = field(default_factory=dict)
    faults: Mapping[str, FormatFault] = field(default_factory=dict)


class FormatCatalogue(Mapping[str, NationalFormat]):
    """Is the formats in force by name; every use looks whether a file has changed.

    Safe between threads; what was handed out stays what it was.
    """

    def __init__(
        self,
        shipped: Callable[[], Mapping[str, NationalFormat]],
        *,
        folder: Path,
        kept: Path,
        tell: Callable[[FormatNews], None],
    ) -> None:
        """Look at the home's own formats.

        Args:
            shipped: gives the formats that ship; a file of the same name replaces one.
            folder: where the home's own mapping files lie; it may be missing.
            kept: where a copy of each sound version is kept.
            tell: hears of each change, and of each file that is refused.
        """
        self._shipped = shipped
        self._folder = folder
        self._kept = kept
        self._tell = tell
        self._lock = threading.Lock()
        self._look = _Look()
        self._first = True

    def __getitem__(self, name: str) -> NationalFormat:
        own = self._current().own.get(name)
        return self._shipped()[name] if own is None else own

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._shipped(), *self._current().own)))

    def __len__(self) -> int:
        return len(tuple(iter(self)))

    @property
    def faults(self) -> tuple[FormatFault, ...]:
        """The files that are not in force as they stand, by name."""
        return tuple(fault for _, fault in sorted(self._current().faults.items()))

    @property
    def own_versions(self) -> tuple[tuple[str, str, str], ...]:
        """Name, version and SHA-256 of the home's own formats in force, by name."""
        own = self._current().own
        return tuple((name, each.version, each.sha256) for name, each in sorted(own.items()))

    @property
    def states(self) -> tuple[FormatState, ...]:
        """Every format, in force or not, by name."""
        look, shipped = self._current(), self._shipped()
        return tuple(
            FormatState(
                name=name,
                own=name in look.own or name in look.faults,
                format=look.own.get(name) or shipped.get(name),
                fault=look.faults.get(name),
            )
            for name in sorted({*shipped, *look.own, *look.faults})
        )

    def _current(self) -> _Look:
        if self._stamps() == self._look.stamps and not self._first:
            return self._look
        with self._lock:
            stamps = self._stamps()
            if stamps != self._look.stamps or self._first:
                self._look = self._looked(stamps)
                self._first = False
            return self._look

    def _stamps(self) -> Mapping[str, _Stamp]:
        """Return the stamps of the folder; those before while it cannot be looked into."""
        try:
            return _stamps(self._folder)
        except FileNotFoundError:
            return {}
        except OSError:
            return self._look.stamps

    def _looked(self, stamps: Mapping[str, _Stamp]) -> _Look:
        before = self._look
        own, faults = dict(before.own), dict(before.faults)
        for name in before.stamps.keys() - stamps.keys():
            own.pop(name, None)
            faults.pop(name, None)
            news = FormatNews(change=FormatChange.REMOVED, file=name + SUFFIX, mark=None)
            self._tell(news)
        for name, stamp in stamps.items():
            if before.stamps.get(name) != stamp:
                self._take(name, own, faults)
        return _Look(stamps, own, faults)

    def _take(
        self, name: str, own: dict[str, NationalFormat], faults: dict[str, FormatFault]
    ) -> None:
        found = examine_file(self._folder / (name + SUFFIX))
        if found.format is not None:
            faults.pop(name, None)
            own[name] = found.format
            self._keep(name, found)
            if not self._first:
                self._tell(
                    FormatNews(change=FormatChange.TAKEN, file=found.file, mark=found.format.mark)
                )
            return
        if name not in own:
            earlier = examine_file(self._kept / (name + SUFFIX)).format
            if earlier is not None:
                own[name] = earlier
        held = own.get(name) or self._shipped().get(name)
        mark = None if held is None else held.mark
        faults[name] = FormatFault(
            file=found.file, name=name, mistakes=found.mistakes, in_force=mark
        )
        self._tell(
            FormatNews(
                change=FormatChange.REFUSED, file=found.file, mark=mark, mistakes=found.mistakes
            )
        )

    def _keep(self, name: str, found: Examination) -> None:
        """Keep a copy of a sound version; a home that cannot be written goes on without."""
        copy = self._kept / (name + SUFFIX)
        written = copy.with_name(f"{copy.name}.{os.getpid()}.new")
        with contextlib.suppress(OSError):
            if not copy.is_file() or copy.read_bytes() != found.raw:
                self._kept.mkdir(parents=True, exist_ok=True)
                written.write_bytes(found.raw)
                written.replace(copy)


def _stamps(folder: Path) -> Mapping[str, _Stamp]:
    """Return what tells each mapping file from its next version, by the name of the format."""
    found: dict[str, _Stamp] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX) and not entry.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):
                    seen = entry.stat()
                    stamp = (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino)
                    found[entry.name.removesuffix(SUFFIX)] = stamp
    return found
