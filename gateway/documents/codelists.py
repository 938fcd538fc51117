"""The open code lists: which values exist, since when, and what a reader calls them.

A list is a CSV file in ``schemas/codelists``: comment lines at the top say which list, edition,
agency and source it is (``# id: packages``), then come ``code``, ``name_en`` and, where we have
them, ``name_fr`` and ``name_ar``, ``valid_from`` and ``valid_to`` and columns of the list's own.
Countries and currencies are the exception: their codes come from the packages ``iso3166`` and
``iso4217`` and their names, as those of common units, from the Unicode CLDR (``babel``).
The Harmonized System is not a list of ours: see ``gateway.documents.hs``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import metadata
from pathlib import Path

from babel import Locale
from babel.units import get_unit_name

from gateway.documents.codes import Language, Severity
from gateway.errors import ConfigError
from gateway.resources import data_path

_HEADER = re.compile(r"# *([a-z_]+): *(.+?) *")
_HEADER_KEYS = frozenset({"id", "title", "edition", "agency", "source", "unknown"})
_OWN_COLUMNS = frozenset({"code", "name_en", "name_fr", "name_ar", "valid_from", "valid_to"})


@dataclass(frozen=True)
class CodeEntry:
    """Is one value of a code list.

    Attributes:
        names: names by language; English is always there.
        valid_from: first day of the value, None if it always was.
        valid_to: last day of the value, None if it still is.
        attributes: the list's own columns, as ``minor`` of a response reason.
    """

    code: str
    names: Mapping[Language, str]
    valid_from: date | None = None
    valid_to: date | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def is_valid_on(self, day: date) -> bool:
        """Return whether the value was in force on ``day``."""
        since, until = self.valid_from, self.valid_to
        return (since is None or since <= day) and (until is None or day <= until)


@dataclass(frozen=True)
class CodeList:
    """Is one edition of a code list; immutable, and so safe to share between threads.

    Attributes:
        unknown: what a value outside the list does to a document: an ERROR for a complete
            list, a WARNING for one that ships as a subset.
    """

    id: str
    title: str
    edition: str
    agency: str
    source: str
    unknown: Severity
    entries: Mapping[str, CodeEntry]

    def __contains__(self, code: object) -> bool:
        return code in self.entries

    def __iter__(self) -> Iterator[CodeEntry]:
        return iter(self.entries.values())

    def __len__(self) -> int:
        return len(self.entries)

    def entry(self, code: str) -> CodeEntry | None:
        """Return the value's entry, or None for a value outside the list."""
        return self.entries.get(code)

    def name(self, code: str, language: Language | str) -> str:
        """Return the value's name in ``language``, in English, or the bare code."""
        entry = self.entries.get(code)
        if entry is None:
            return code
        own = entry.names.get(Language(language)) or _cldr_name(entry, Language(language))
        return own or entry.names[Language.ENGLISH]


@cache
def code_list(list_id: str) -> CodeList:
    """Return the code list of this id, as ``packages``; read once and kept.

    Raises:
        ConfigError: there is no such list, or its file is broken (names file and line).
    """
    standard = _STANDARD.get(list_id)
    if standard is not None:
        return standard()
    path = data_path("schemas", "codelists", f"{list_id}.csv")
    if not re.fullmatch(r"[a-z0-9-]+", list_id) or not path.is_file():
        raise ConfigError(f"there is no code list {list_id!r} in schemas/codelists")
    found = load_code_list(path)
    if found.id != list_id:
        raise ConfigError(f"{path.name}: '# id:' says {found.id!r}, the file name {list_id!r}")
    return found


def code_list_ids() -> tuple[str, ...]:
    """Return the ids of every code list that ships, sorted."""
    files = data_path("schemas", "codelists").glob("*.csv")
    return tuple(sorted({path.stem for path in files} | set(_STANDARD)))


def load_code_list(path: Path) -> CodeList:
    """Return the code list written in ``path``.

    Raises:
        ConfigError: the file is broken; names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path.name}: cannot be read as UTF-8 text") from exc
    header, start = _header(path.name, lines)
    try:
        unknown = Severity(header["unknown"])
    except ValueError as exc:
        raise ConfigError(f"{path.name}: '# unknown:' must be ERROR, QUERY or WARNING") from exc
    return CodeList(
        id=header["id"],
        title=header["title"],
        edition=header["edition"],
        agency=header["agency"],
        source=header["source"],
        unknown=unknown,
        entries=_entries(path.name, lines, start),
    )


def _header(file_name: str, lines: list[str]) -> tuple[dict[str, str], int]:
    found: dict[str, str] = {}
    start = 0
    while start < len(lines) and lines[start].startswith("#"):
        match = _HEADER.fullmatch(lines[start])
        if match is None or match[1] not in _HEADER_KEYS or match[1] in found:
            raise ConfigError(f"{file_name}, line {start + 1}: no header line of a code list")
        found[match[1]] = match[2]
        start += 1
    missing = sorted(_HEADER_KEYS - set(found))
    if missing:
        raise ConfigError(f"{file_name}: the header lacks {', '.join(missing)}")
    return found, start


def _entries(file_name: str, lines: list[str], start: int) -> Mapping[str, CodeEntry]:
    rows = csv.reader(lines[start:], strict=True)
    columns: list[str] | None = None
    found: dict[str, CodeEntry] = {}
    try:
        for row in rows:
            where = f"{file_name}, line {start + rows.line_num}"
            if columns is None:
                columns = _columns(where, row)
                continue
            entry = _entry(where, columns, row)
            if entry.code in found:
                raise ConfigError(f"{where}: the code {entry.code} stands there twice")
            found[entry.code] = entry
    except csv.Error as exc:
        raise ConfigError(f"{file_name}, line {start + rows.line_num}: no CSV: {exc}") from exc
    if not found:
        raise ConfigError(f"{file_name}: holds no codes")
    return found


def _columns(where: str, row: list[str]) -> list[str]:
    if "code" not in row or "name_en" not in row or len(set(row)) != len(row):
        raise ConfigError(f"{where}: the heading needs 'code' and 'name_en', each column once")
    return row


def _entry(where: str, columns: list[str], row: list[str]) -> CodeEntry:
    if len(row) != len(columns):
        raise ConfigError(f"{where}: has {len(row)} cells, the heading has {len(columns)}")
    cells = {column: cell.strip() for column, cell in zip(columns, row, strict=True)}
    if not cells["code"] or not cells["name_en"]:
        raise ConfigError(f"{where}: code and name_en must not be empty")
    names = {
        language: cells[f"name_{language}"]
        for language in Language
        if cells.get(f"name_{language}")
    }
    return CodeEntry(
        code=cells["code"],
        names=names,
        valid_from=_day(where, cells.get("valid_from", "")),
        valid_to=_day(where, cells.get("valid_to", "")),
        attributes={k: v for k, v in cells.items() if k not in _OWN_COLUMNS and v},
    )


def _day(where: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as exc:
        raise ConfigError(f"{where}: {text!r} is no day (ISO 8601)") from exc


@cache
def _locale(language: Language) -> Locale:
    return Locale.parse(language.value)


def _cldr_name(entry: CodeEntry, language: Language) -> str | None:
    kind = entry.attributes.get("cldr")
    if kind is None:
        return None
    if kind == "territory":
        return _locale(language).territories.get(entry.code)
    if kind == "currency":
        return _locale(language).currencies.get(entry.code)
    return get_unit_name(kind, locale=_locale(language))


def _countries() -> CodeList:
    import iso3166

    # XK is a user-assigned code of the package's; ISO 3166-1 does not hold it.
    codes = {c.alpha2: c.apolitical_name for c in iso3166.countries if c.alpha2 != "XK"}
    return _standard_list("countries", "ISO 3166-1, alpha-2 codes", "iso3166", codes, "territory")


def _currencies() -> CodeList:
    import iso4217

    codes = {c.code: c.currency_name for c in iso4217.Currency}
    return _standard_list("currencies", "ISO 4217, alphabetic codes", "iso4217", codes, "currency")


def _standard_list(
    list_id: str, title: str, package: str, codes: Mapping[str, str], cldr: str
) -> CodeList:
    return CodeList(
        id=list_id,
        title=title,
        edition=f"as of the package {package} {metadata.version(package)}",
        agency="ISO",
        source=f"codes of the package {package}, names of the Unicode CLDR",
        unknown=Severity.ERROR,
        entries={
            code: CodeEntry(code, {Language.ENGLISH: name}, attributes={"cldr": cldr})
            for code, name in sorted(codes.items())
        },
    )


_STANDARD: Mapping[str, Callable[[], CodeList]] = {
    "countries": _countries,
    "currencies": _currencies,
}
