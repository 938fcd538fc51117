"""The manifest of a bundle: who sends what to whom, with the digest of every member.

It is XML with a root of its own, so that one signature profile and one verifier serve bundles
as they serve envelopes.  Nothing is signed, verified or stored here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

from lxml import etree

from gateway.errors import BundleDamagedError, VersionNotSupportedError
from gateway.resources import data_path
from gateway.store import BundleItem, BundleKind
from gateway.xml.namespaces import ECO_BASE, MAJOR_VERSION
from gateway.xml.parsing import XmlLimits, serialize
from gateway.xml.schema import MessageSchema

BUNDLE_NS: Final = f"{ECO_BASE}:Bundle:{MAJOR_VERSION}"
MANIFEST_LIMITS: Final = XmlLimits(max_bytes=2_000_000, max_depth=16, max_nodes=20_000)
MOST_MEMBERS: Final = 2_000

_FOLDERS: Final = {BundleKind.ENVELOPE: "envelopes", BundleKind.RECEIPT: "receipts"}
_MOMENT: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, kw_only=True)
class Member(BundleItem):
    """Is one file of a bundle; ``name`` is its place in the archive."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Says what a bundle holds."""

    bundle_id: str
    sender: str
    sender_country: str
    receiver: str
    receiver_country: str
    created_at: datetime
    test: bool
    members: tuple[Member, ...]


def with_names(items: Sequence[BundleItem]) -> tuple[Member, ...]:
    """Return ``items`` as members whose names follow from their order alone."""
    numbers = dict.fromkeys(BundleKind, 0)
    members = []
    for item in items:
        numbers[item.kind] += 1
        name = f"{_FOLDERS[item.kind]}/{numbers[item.kind]:04}.xml"
        members.append(Member(**vars(item), name=name))
    return tuple(members)


def render_manifest(manifest: Manifest) -> bytes:
    """Return the unsigned manifest as XML."""
    root = etree.Element(_qualified("Bundle"), nsmap={"b": BUNDLE_NS})
    _add(root, "BundleId", manifest.bundle_id)
    _add(root, "Sender", manifest.sender)
    _add(root, "SenderCountry", manifest.sender_country)
    _add(root, "Receiver", manifest.receiver)
    _add(root, "ReceiverCountry", manifest.receiver_country)
    _add(root, "CreatedAt", manifest.created_at.astimezone(UTC).strftime(_MOMENT))
    _add(root, "Test", "true" if manifest.test else "false")
    for member in manifest.members:
        element = _add(root, "Member", None)
        _add(element, "Kind", member.kind.value)
        _add(element, "Name", member.name)
        _add(element, "MessageId", member.message_id)
        _add(element, "Size", str(member.size))
        _add(element, "Sha256", member.sha256)
    return serialize(root)


def claimed_sender(root: etree._Element) -> str:
    """Return who an unverified manifest says sent it; only to choose whom to believe.

    Raises:
        VersionNotSupportedError: the document is no manifest that is read here.
    """
    if root.tag != _qualified("Bundle"):
        name = etree.QName(root)
        raise VersionNotSupportedError(
            f"{name.localname[:80]!r} of {str(name.namespace)[:120]!r} is no manifest of version 1"
        )
    return root.findtext(_qualified("Sender")) or ""


def read_manifest(root: etree._Element) -> Manifest:
    """Return the manifest in ``root``, which was verified.

    Raises:
        BundleDamagedError: it does not follow its schema, or names members in a wrong folder.
    """
    _require_valid(root)
    members = tuple(_member(element) for element in root.findall(_qualified("Member")))
    if any(not each.name.startswith(_FOLDERS[each.kind]) for each in members):
        raise BundleDamagedError("the manifest names a member in the folder of another kind")
    return Manifest(
        bundle_id=_text(root, "BundleId"),
        sender=_text(root, "Sender"),
        sender_country=_text(root, "SenderCountry"),
        receiver=_text(root, "Receiver"),
        receiver_country=_text(root, "ReceiverCountry"),
        created_at=_moment(_text(root, "CreatedAt")),
        test=_text(root, "Test") == "true",
        members=members,
    )


@cache
def _schema() -> MessageSchema:
    return MessageSchema(data_path("schemas", "bundle", "Bundle_1p0.xsd"))


def _require_valid(root: etree._Element) -> None:
    findings = _schema().findings(root)
    if findings:
        raise BundleDamagedError("the manifest breaks its schema", findings=findings)


def _member(element: etree._Element) -> Member:
    return Member(
        kind=BundleKind(_text(element, "Kind")),
        name=_text(element, "Name"),
        message_id=_text(element, "MessageId"),
        size=int(_text(element, "Size")),
        sha256=_text(element, "Sha256"),
    )


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)
    except ValueError as exc:
        raise BundleDamagedError(f"the manifest states a time that does not exist: {text}") from exc


def _qualified(name: str) -> str:
    return f"{{{BUNDLE_NS}}}{name}"


def _add(parent: etree._Element, name: str, text: str | None) -> etree._Element:
    element = etree.SubElement(parent, _qualified(name))
    element.text = text
    return element


def _text(parent: etree._Element, name: str) -> str:
    return parent.findtext(_qualified(name)) or ""
