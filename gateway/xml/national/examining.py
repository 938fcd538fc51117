"""Examining a mapping file: whether it may be put in force, and all that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.xml.national.drafting import Draft, read_draft
from gateway.xml.national.formats import NationalFormat, content_of
from gateway.xml.national.known_codes import unknown_codes
from gateway.xml.national.mistakes import Complaints, FaultyMapping, Mistake
from gateway.xml.national.reachability import unreachable


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Is what was found in one mapping file.

    Attributes:
        draft: as far as the file could be understood; None where it is no YAML.
        format: the format; None unless the file is sound.
        raw: the file itself; empty where it cannot be read.
        mistakes: everything to say, in order of lines.
    """

    file: str
    raw: bytes = b""
    draft: Draft | None
    format: NationalFormat | None
    mistakes: tuple[Mistake, ...]

    @property
    def sound(self) -> bool:
        """Whether the file may be put in force: nothing in it is an error."""
        return self.format is not None

    def require_format(self) -> NationalFormat:
        """Return the format.

        Raises:
            FaultyMapping: the file is not sound.
        """
        if self.format is None:
            raise FaultyMapping(self.mistakes)
        return self.format


def examination_of(format_: NationalFormat) -> Examination:
    """Return what is found in a format that is in force: it is sound."""
    draft = format_.draft
    return Examination(file=draft.file, draft=draft, format=format_, mistakes=())


def examine_file(path: Path) -> Examination:
    """Return what is found in the mapping file at ``path``; its name must be the format's."""
    try:
        raw = content_of(path)
    except FaultyMapping as exc:
        return Examination(file=path.name, draft=None, format=None, mistakes=exc.mistakes)
    return examine(raw, path.name, name=path.stem)


def examine(raw: bytes, file: str, *, name: str | None = None) -> Examination:
    """Return what is found in a mapping file.

    Args:
        file: what mistakes call it.
        name: what the format must be called; None where the file alone decides.
    """
    try:
        draft = read_draft(raw, file, name=name)
    except FaultyMapping as exc:
        return Examination(file=file, raw=raw, draft=None, format=None, mistakes=exc.mistakes)
    complaints = Complaints()
    complaints.note(*draft.mistakes, *unreachable(draft), *unknown_codes(draft))
    found = None if complaints.errors else NationalFormat.of(draft)
    return Examination(file=file, raw=raw, draft=draft, format=found, mistakes=complaints.found)
