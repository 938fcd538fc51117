"""What is wrong in a mapping file of a national format, and gathering all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from gateway.documents.codes import Severity
from gateway.errors import MappingError

T = TypeVar("T")

MOST_MISTAKES = 200
_MOST_TEXT = 400


@dataclass(frozen=True)
class Mistake:
    """Is one thing that is wrong in a mapping file.

    Attributes:
        row: the mapping row it is about; empty outside rows.
        severity: an ERROR keeps the file out of force, a WARNING does not.
    """

    file: str
    line: int
    problem: str
    remedy: str
    row: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        return f"{self.file}, line {self.line}{row}: {self.problem}. {self.remedy}."


class FaultyMapping(MappingError):  # noqa: N818 - errors with a name of their own have one home
    """A national mapping file is wrong; every mistake has file, line and remedy."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


class Complaints:
    """Gathers mistakes, so that a file with many is told all of them, in order of its lines.

    Of more than ``MOST_MISTAKES`` the errors come first.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[int, str], Mistake] = {}

    @property
    def found(self) -> tuple[Mistake, ...]:
        """Everything gathered, each once, at most ``MOST_MISTAKES``."""
        badness = sorted(self._found.values(), key=lambda each: each.severity is not Severity.ERROR)
        return tuple(sorted(badness[:MOST_MISTAKES], key=lambda each: each.line))

    @property
    def errors(self) -> bool:
        """Whether anything gathered keeps the file out of force."""
        return any(each.severity is Severity.ERROR for each in self._found.values())

    def note(self, *mistakes: Mistake) -> None:
        """Keep mistakes; the same one about the same line counts once."""
        for each in mistakes:
            self._found.setdefault((each.line, each.problem), each)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Keep what the block raises, and go on behind it."""
        try:
            yield
        except FaultyMapping as exc:
            self.note(*exc.mistakes)

    def attempt(self, work: Callable[[], T]) -> T | None:
        """Return what ``work`` gives, or None after keeping what it raises."""
        try:
            return work()
        except FaultyMapping as exc:
            self.note(*exc.mistakes)
            return None


def visible(text: str) -> str:
    """Return text of a mapping file cut short, without anything that a terminal would obey."""
    shown = "".join(char if char.isprintable() else "?" for char in text[:_MOST_TEXT])
    return shown + ("…" if len(text) > _MOST_TEXT else "")
