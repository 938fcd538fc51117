"""The directory of authorities as a signed file: what one state circulates to the others.

A file holds every version of every entry that its gateway keeps about its own state, so taking an
old file after a newer one changes nothing, and nothing that was taken is ever replaced.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Final

from lxml import etree

from gateway.documents.pictures import Picture, picture_in
from gateway.errors import BundleDamagedError, VersionNotSupportedError
from gateway.resources import data_path
from gateway.store import DirectoryKind, Duty, NewDirectoryEntry
from gateway.xml.namespaces import ECO_BASE, MAJOR_VERSION
from gateway.xml.parsing import XmlLimits, serialize
from gateway.xml.schema import MessageSchema

DIRECTORY_NS: Final = f"{ECO_BASE}:Directory:{MAJOR_VERSION}"
FILE_LIMITS: Final = XmlLimits(max_bytes=100_000_000, max_depth=16, max_nodes=100_000)
_MOMENT: Final = "%Y-%m-%dT%H:%M:%SZ"
_OPTIONAL: Final = (
    ("OfficeCode", "office_code"),
    ("OfficerNumber", "officer_number"),
    ("Address", "address"),
    ("Telephone", "telephone"),
    ("Email", "email"),
    ("Reason", "reason"),
)


@dataclass(frozen=True, kw_only=True)
class FiledEntry:
    """Is one version of an entry with its picture."""

    entry: NewDirectoryEntry
    picture: bytes | None


@dataclass(frozen=True, kw_only=True)
class DirectoryFile:
    """Is what a gateway says of the authorities of its state."""

    sender: str
    sender_country: str
    created_at: datetime
    test: bool
    entries: tuple[FiledEntry, ...]


def render_directory(
    *, sender: str, country: str, test: bool, at: datetime, entries: Sequence[FiledEntry]
) -> bytes:
    """Return the unsigned file as XML."""
    root = etree.Element(_qualified("Directory"), nsmap={"d": DIRECTORY_NS})
    _add(root, "Sender", sender)
    _add(root, "SenderCountry", country)
    _add(root, "CreatedAt", at.astimezone(UTC).strftime(_MOMENT))
    _add(root, "Test", "true" if test else "false")
    for each in entries:
        _write(_add(root, "Entry", None), each)
    return serialize(root)


def claimed_sender(root: etree._Element) -> str:
    """Return who an unverified file says wrote it; only to choose whom to believe.

    Raises:
        VersionNotSupportedError: it is no directory that is read here.
    """
    if root.tag != _qualified("Directory"):
        raise VersionNotSupportedError(f"{str(root.tag)[:120]!r} is no directory of version 1")
    return root.findtext(_qualified("Sender")) or ""


def read_directory(root: etree._Element) -> DirectoryFile:
    """Return what stands in a verified file.

    Raises:
        BundleDamagedError: it does not follow its schema, or holds what is no bare picture.
    """
    findings = _schema().findings(root)
    if findings:
        raise BundleDamagedError("the directory breaks its schema", findings=findings)
    sender, country = _text(root, "Sender"), _text(root, "SenderCountry")
    try:
        created_at = datetime.strptime(_text(root, "CreatedAt"), _MOMENT).replace(tzinfo=UTC)
    except ValueError as exc:
        raise BundleDamagedError("the directory states a time that does not exist") from exc
    return DirectoryFile(
        sender=sender,
        sender_country=country,
        created_at=created_at,
        test=_text(root, "Test") == "true",
        entries=tuple(
            _read(element, sender, country) for element in root.findall(_qualified("Entry"))
        ),
    )


def _write(element: etree._Element, filed: FiledEntry) -> None:
    entry = filed.entry
    _add(element, "Key", entry.key)
    _add(element, "Version", str(entry.version))
    _add(element, "Kind", entry.kind.value)
    _add(element, "Duty", entry.duty.value)
    _add(element, "AuthorityCode", entry.authority_code)
    _add_known(element, "OfficeCode", entry.office_code)
    _add(element, "Name", entry.name)
    _add_known(element, "OfficerNumber", entry.officer_number)
    _add_known(element, "Address", entry.address)
    _add_known(element, "Telephone", entry.telephone)
    _add_known(element, "Email", entry.email)
    if filed.picture is not None:
        _add(element, "Picture", base64.b64encode(filed.picture).decode("ascii"))
    _add(element, "ValidFrom", entry.valid_from.isoformat())
    if entry.valid_until is not None:
        _add(element, "ValidUntil", entry.valid_until.isoformat())
    _add(element, "Public", "true" if entry.is_public else "false")
    _add_known(element, "Reason", entry.reason)


def _read(element: etree._Element, sender: str, country: str) -> FiledEntry:
    kind = DirectoryKind(_text(element, "Kind"))
    picture = _picture(element, kind)
    until = element.findtext(_qualified("ValidUntil"))
    optional = {name: element.findtext(_qualified(tag)) for tag, name in _OPTIONAL}
    entry = NewDirectoryEntry(
        origin=sender,
        key=_text(element, "Key"),
        version=int(_text(element, "Version")),
        kind=kind,
        duty=Duty(_text(element, "Duty")),
        country=country,
        authority_code=_text(element, "AuthorityCode"),
        name=_text(element, "Name"),
        picture_sha256=None if picture is None else picture.sha256,
        media_type=None if picture is None else picture.kind.value,
        width=None if picture is None else picture.width,
        height=None if picture is None else picture.height,
        valid_from=_day(_text(element, "ValidFrom")),
        valid_until=None if until is None else _day(until),
        is_public=_text(element, "Public") == "true",
        **optional,
    )
    return FiledEntry(entry=entry, picture=None if picture is None else picture.content)


def _picture(element: etree._Element, kind: DirectoryKind) -> Picture | None:
    """Return the picture of a specimen, which has to be one and nothing else.

    Raises:
        BundleDamagedError: it is missing, superfluous, or more than a picture.
    """
    written = element.findtext(_qualified("Picture"))
    if (written is None) is not (kind is DirectoryKind.OFFICE):
        raise BundleDamagedError("a specimen without a picture, or an office with one")
    if written is None:
        return None
    raw = base64.b64decode(written)
    found = picture_in(raw)
    if not isinstance(found, Picture) or found.content != raw:
        raise BundleDamagedError(f"a specimen is no bare picture: {_text(element, 'Key')}")
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise BundleDamagedError(f"the directory states no day: {text[:20]!r}") from exc


@cache
def _schema() -> MessageSchema:
    return MessageSchema(data_path("schemas", "directory", "Directory_1p0.xsd"))


def _qualified(name: str) -> str:
    return f"{{{DIRECTORY_NS}}}{name}"


def _add(parent: etree._Element, name: str, text: str | None) -> etree._Element:
    element = etree.SubElement(parent, _qualified(name))
    element.text = text
    return element


def _add_known(parent: etree._Element, name: str, text: str | None) -> None:
    if text is not None:
        _add(parent, name, text)


def _text(parent: etree._Element, name: str) -> str:
    return parent.findtext(_qualified(name)) or ""
