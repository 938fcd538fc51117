"""Compiling a whole mapping file: every part as far as it can be understood, with all mistakes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, cast

from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.customs_response import CustomsResponse
from gateway.documents.findings import LocalisedText
from gateway.xml.national.carrier import Carrier
from gateway.xml.national.compiler import compile_section
from gateway.xml.national.csv_carrier import CsvCarrier
from gateway.xml.national.ends import Conventions, Table, load_tables_of
from gateway.xml.national.json_carrier import JsonCarrier
from gateway.xml.national.marks import Marked, read_marked
from gateway.xml.national.mistakes import Complaints, FaultyMapping, Mistake
from gateway.xml.national.rows import NationalDocument, Section
from gateway.xml.national.xml_carrier import XmlCarrier

FILE_KEYS = frozenset(
    (
        "format",
        "version",
        "label",
        "media_type",
        "suffixes",
        "carrier",
        "values",
        "tables",
        "certificate",
        "response",
        "note",
    )
)
_NEEDED: Final = (
    "format",
    "version",
    "label",
    "media_type",
    "carrier",
    "certificate",
    "response",
)
VALUE_KEYS = frozenset({"date", "datetime", "offset", "decimal", "digits", "absent"})
CARRIERS: Mapping[str, type[JsonCarrier] | type[XmlCarrier] | type[CsvCarrier]] = MappingProxyType(
    {"json": JsonCarrier, "xml": XmlCarrier, "csv": CsvCarrier}
)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_OUR_OWN: Final = frozenset({"json", "xml"})
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,39}", re.ASCII)
_MEDIA_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,99}", re.ASCII)
_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9._-]{1,20}", re.ASCII)
_EMPTY: Final = LocalisedText(en="–", fr="–", ar="–")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Is a mapping file as far as it could be understood, and what is wrong with it.

    Attributes:
        file: name of the file, as mistakes call it.
        sha256: of the file, byte for byte.
        kind: of the carrier, even where the carrier itself is wrong.
    """

    file: str
    sha256: str
    name: str
    version: str
    media_type: str
    label: LocalisedText
    suffixes: tuple[str, ...]
    kind: str
    carrier: Carrier | None
    tables: Mapping[str, Table]
    certificate: Section | None
    response: Section | None
    mistakes: tuple[Mistake, ...]


def read_draft(raw: bytes, file: str, *, name: str | None) -> Draft:
    """Return what the mapping file ``raw`` says.

    Args:
        name: what the format must be called; None where the file alone decides.

    Raises:
        FaultyMapping: the file is no YAML, so that nothing at all can be told of it.
    """
    complaints = Complaints()
    try:
        root = read_marked(raw, file, complaints)
        root.mapping()
    except FaultyMapping as exc:
        complaints.note(*exc.mistakes)
        raise FaultyMapping(complaints.found) from exc
    keys = root.known_keys(complaints, FILE_KEYS, _NEEDED)
    return _drafted(raw, root, keys, complaints, _named(keys, complaints, name))


def _drafted(
    raw: bytes, root: Marked, keys: Mapping[str, Marked], complaints: Complaints, name: str
) -> Draft:
    values = keys["values"].known_keys(complaints, VALUE_KEYS) if "values" in keys else {}
    known = Conventions(values, load_tables_of(keys.get("tables"), complaints))
    kind, carrier = _carrier(keys.get("carrier"), complaints)
    sections: dict[str, Section | None] = {}
    models: Mapping[str, type[NationalDocument]] = {
        "certificate": CertificateOfOrigin,
        "response": CustomsResponse,
    }
    for part, model in models.items():
        mark = keys.get(part)
        if mark is None:
            continue
        sections[part] = compile_section(name, mark, model, known, kind, complaints)
        with complaints.gathering():
            if carrier is not None and (section := sections[part]) is not None:
                carrier.check(mark, section)
    return Draft(
        file=root.file,
        sha256=hashlib.sha256(raw).hexdigest(),
        name=name,
        version=_plain(keys, "version", _VERSION, complaints),
        media_type=_plain(keys, "media_type", _MEDIA_TYPE, complaints),
        label=_label(keys.get("label"), complaints),
        suffixes=_suffixes(keys.get("suffixes"), complaints),
        kind=kind,
        carrier=carrier,
        tables=known.tables,
        certificate=sections.get("certificate"),
        response=sections.get("response"),
        mistakes=complaints.found,
    )


def _named(keys: Mapping[str, Marked], complaints: Complaints, wanted: str | None) -> str:
    marked = keys.get("format")
    name = None if marked is None else complaints.attempt(marked.text)
    if marked is None or name is None:
        return wanted or "unnamed"
    if wanted is not None and name != wanted:
        complaints.note(marked.mistake(f'the format is called "{name}"', f"Write {wanted}"))
    elif not _NAME.fullmatch(name) or name in _OUR_OWN:
        complaints.note(
            marked.mistake(
                f'"{name}" cannot name a format',
                "Use small letters, digits and dashes, at most 40; json and xml are ours",
            )
        )
    return name


def _carrier(marked: Marked | None, complaints: Complaints) -> tuple[str, Carrier | None]:
    """Return kind and carrier; JSON, which admits most, stands in for a kind that is unknown."""
    if marked is None:
        return "json", None
    keys = complaints.attempt(marked.mapping) or {}
    if "kind" not in keys:
        complaints.note(marked.mistake('the key "kind" is missing', "Write json, xml or csv"))
        return "json", None
    kind = complaints.attempt(keys["kind"].text)
    if kind is None:
        return "json", None
    if kind not in CARRIERS:
        complaints.note(keys["kind"].mistake(f'"{kind}" is no carrier', "Write json, xml or csv"))
        return "json", None
    load = CARRIERS[kind].load
    return kind, cast("Carrier | None", complaints.attempt(lambda: load(marked)))


def _plain(
    keys: Mapping[str, Marked], key: str, form: re.Pattern[str], complaints: Complaints
) -> str:
    marked = keys.get(key)
    text = None if marked is None else complaints.attempt(marked.text)
    if marked is None or text is None:
        return "–"
    if not form.fullmatch(text):
        example = "1.0" if key == "version" else "application/json"
        complaints.note(marked.mistake(f'"{text}" is no {key}', f"Write it as {example}"))
    return text


def _label(marked: Marked | None, complaints: Complaints) -> LocalisedText:
    if marked is None:
        return _EMPTY
    languages = ("en", "fr", "ar")
    found = marked.known_keys(complaints, frozenset(languages), languages)
    texts = {name: complaints.attempt(value.text) for name, value in found.items()}
    for name, text in texts.items():
        if text is not None and not (text.strip() and text.isprintable() and len(text) <= 200):
            complaints.note(
                found[name].mistake("this is no label", "Write one line of at most 200 letters")
            )
            texts[name] = None
    if set(texts) != set(languages) or None in texts.values():
        return _EMPTY
    return LocalisedText(en=texts["en"] or "", fr=texts["fr"] or "", ar=texts["ar"] or "")


def _suffixes(marked: Marked | None, complaints: Complaints) -> tuple[str, ...]:
    if marked is None:
        return ()
    found = complaints.attempt(marked.texts) or ()
    for each in found:
        if not _SUFFIX.fullmatch(each):
            complaints.note(marked.mistake(f'"{each}" is no ending of file names', "Write .csv"))
    return found
