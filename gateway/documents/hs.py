"""The Harmonized System: what can be said of a tariff code without the WCO's book, and with it.

The texts of the Harmonized System belong to the World Customs Organization and do not ship
with this gateway.  Without them a code is judged by its form and chapter; an operator who
holds a licensed list imports it with ``import_hs`` and gains the check that the code exists.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import ConfigError

_FORM = re.compile(r"[0-9]{6}(?:[0-9]{2,4})?", re.ASCII)
_EDITION = re.compile(r"# *edition: *([0-9]{4}) *", re.ASCII)
_RESERVED_CHAPTER = 77
_LAST_CHAPTER = 97


@dataclass(frozen=True)
class HsEdition:
    """Is one edition of the Harmonized System: subheading to description.

    Attributes:
        edition: year of the edition, as ``2022``.
        subheadings: six-digit codes with their texts.
    """

    edition: str
    subheadings: Mapping[str, str]

    def __contains__(self, hs_code: str) -> bool:
        return hs_code[:6] in self.subheadings

    def description(self, hs_code: str) -> str | None:
        """Return the text of the code's subheading, or None if the edition has none."""
        return self.subheadings.get(hs_code[:6])


def is_hs_form(hs_code: str) -> bool:
    """Return whether the code consists of six digits, or eight to ten with a national part."""
    return _FORM.fullmatch(hs_code) is not None


def has_goods_chapter(hs_code: str) -> bool:
    """Return whether the first two digits name a chapter in use (01 to 97 without 77)."""
    if not hs_code[:2].isdecimal():
        return False
    chapter = int(hs_code[:2])
    return 1 <= chapter <= _LAST_CHAPTER and chapter != _RESERVED_CHAPTER


def import_hs(csv_path: Path) -> HsEdition:
    """Return the edition written in a CSV file of the operator's.

    The file is UTF-8.  Its first line is ``# edition: 2022``, its second the heading
    ``code,description``; each further row has a six-digit code (dots and blanks are
    ignored, so ``5205.12`` will do) and the text of the subheading.  Rows with fewer digits
    (chapters, headings) are skipped, so that a whole nomenclature can be imported as it is.

    Raises:
        ConfigError: the file cannot be read; names file and line.
    """
    try:
        lines = csv_path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{csv_path.name}: cannot be read as UTF-8 text") from exc
    edition = _EDITION.fullmatch(lines[0].strip()) if lines else None
    if edition is None:
        raise ConfigError(f"{csv_path.name}, line 1: must be '# edition: <year>'")
    if len(lines) < 2 or [cell.strip() for cell in lines[1].split(",")] != ["code", "description"]:
        raise ConfigError(f"{csv_path.name}, line 2: must be 'code,description'")
    return HsEdition(edition[1], _subheadings(csv_path.name, lines[2:]))


def _subheadings(file_name: str, lines: list[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for number, row in enumerate(csv.reader(lines), start=3):
        if not row:
            continue
        code = re.sub(r"[.\s]", "", row[0])
        if len(row) != 2 or not re.fullmatch(r"[0-9]{2,6}", code, re.ASCII):
            raise ConfigError(f"{file_name}, line {number}: needs a tariff code and a description")
        if len(code) < 6:
            continue
        if code in found:
            raise ConfigError(f"{file_name}, line {number}: {code} stands there twice")
        found[code] = row[1].strip()
    return found
