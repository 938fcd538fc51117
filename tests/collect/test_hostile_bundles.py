"""Bundle files made to do harm: each refused as a whole, by its code, and nothing taken."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.exchange import bundle_archive
from gateway.exchange.bundle_archive import MANIFEST_NAME
from gateway.store import PeerChannel, Store, journal, peers
from gateway.trust.demo_pki import DemoPki
from gateway.xml.parsing import parse, serialize
from tests.collect.bundle_files import (
    archived,
    export,
    manifest_of,
    members,
    signed_anew,
    take,
    with_digests,
    with_end_record,
    with_member,
    zipped,
)
from tests.collect.one_way import OneWay, change_peer, entries, make_one_way, queue

FIRST = "envelopes/0001.xml"


@contextmanager
def two_gateways(pki: DemoPki, template: Path, folder: Path) -> Iterator[OneWay]:
    """Give two gateways on SQLite alone: these files never reach a book."""
    names = iter(["first.db", "second.db"])

    def make() -> Store:
        path = folder / next(names)
        path.write_bytes(template.read_bytes())
        return Store.open(f"sqlite:///{path}")

    made = make_one_way(pki, make)
    change_peer(made.zm, channel=PeerChannel.REST)
    yield made
    made.corridor.close()


def two_envelopes(one_way: OneWay) -> bytes:
    for number in (1, 2):
        queue(one_way.zm, number)
    return export(one_way.zm)


@pytest.fixture(scope="module")
def lines(
    pki: DemoPki, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OneWay]:
    """Gives gateways for tests in which nothing is taken and nothing changes."""
    with two_gateways(pki, sqlite_template, tmp_path_factory.mktemp("lines")) as made:
        yield made


@pytest.fixture(scope="module")
def file(lines: OneWay) -> bytes:
    """Gives a good bundle of two envelopes."""
    return two_envelopes(lines)


@pytest.fixture
def fresh(pki: DemoPki, sqlite_template: Path, tmp_path: Path) -> Iterator[OneWay]:
    """Gives gateways of its own to a test that takes something."""
    with two_gateways(pki, sqlite_template, tmp_path) as made:
        yield made


def refusal(one_way: OneWay, file: bytes) -> str:
    """Return the code with which Kenya refuses a bundle, of which it has taken nothing."""
    with pytest.raises(GatewayError) as caught:
        take(one_way.ke, file)
    assert one_way.ke.arrivals() == ()
    assert entries(one_way.ke, action=journal.Action.BUNDLE_IMPORTED) == ()
    return caught.value.code


# --- archives bent by hand ------------------------------------------------------------------------


def _renamed(file: bytes, name: str) -> bytes:
    content = members(file)
    return zipped({(name if key == FIRST else key): raw for key, raw in content.items()})


def _doubled(file: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, raw in members(file).items():
            archive.writestr(zipfile.ZipInfo(name), raw)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(zipfile.ZipInfo(FIRST), b"<x/>")
    return stream.getvalue()


def _directory(file: bytes) -> int:
    return int.from_bytes(file[-6:-2], "little")


def _overlapping(file: bytes) -> bytes:
    """Let the second member begin where the first does."""
    begins = _directory(file)
    head, entries_ = file[:begins], bytearray(file[begins:])
    second = entries_.index(FIRST.encode()) - 46
    third = entries_.index(b"envelopes/0002.xml") - 46
    entries_[third + 42 : third + 46] = entries_[second + 42 : second + 46]
    return head + bytes(entries_)


def _flagged(file: bytes, flag: int) -> bytes:
    begins = _directory(file)
    entries_ = bytearray(file[begins:])
    at = entries_.index(FIRST.encode()) - 46
    entries_[at + 8] |= flag
    return file[:begins] + bytes(entries_)


def _with_extra(file: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, raw in members(file).items():
            entry = zipfile.ZipInfo(name)
            entry.extra = b"\xfe\xca\x04\x00abcd"
            archive.writestr(entry, raw)
    return stream.getvalue()


def _large_form(file: bytes) -> bytes:
    """Put the locator of a second, larger directory before the end record."""
    locator = b"PK\x06\x07" + bytes(16)
    return file[:-22] + locator + file[-22:]


ARCHIVES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _file: b"",
    "no archive": lambda _file: b"<html>OK</html>" * 10,
    "truncated in a member": lambda file: file[: len(file) // 2],
    "truncated by one byte": lambda file: file[:-1],
    "end record alone": lambda file: file[-22:],
    "something before it": lambda file: b"#!/bin/sh\n" + file,
    "something after it": lambda file: file + b"\0",
    "a comment": lambda file: file[:-2] + b"\x05\x00hello",
    "deflated": lambda file: zipped(members(file), compression=zipfile.ZIP_DEFLATED),
    "a bomb": lambda file: zipped(
        members(file) | {FIRST: b"\0" * 50_000_000}, compression=zipfile.ZIP_DEFLATED
    ),
    "a member too large": lambda file: archived(members(file) | {FIRST: b"\0" * 7_000_001}),
    "an empty member": lambda file: archived(members(file) | {FIRST: b""}),
    "a name that climbs": lambda file: _renamed(file, "../../etc/passwd"),
    "an absolute name": lambda file: _renamed(file, "/etc/passwd"),
    "a name with a backslash": lambda file: _renamed(file, "envelopes\\0001.xml"),
    "a folder": lambda file: archived(members(file) | {"envelopes/": b"x"}),
    "a name that looks alike": lambda file: _renamed(file, "envelopes/٠٠٠١.xml"),
    "no manifest": lambda file: archived(
        {name: raw for name, raw in members(file).items() if name != MANIFEST_NAME}
    ),
    "the manifest last": lambda file: archived(dict(reversed(members(file).items()))),
    "a member missing": lambda file: archived(dict(list(members(file).items())[:-1])),
    "a member too many": lambda file: archived(members(file) | {"envelopes/0003.xml": b"<x/>"}),
    "a member altered": lambda file: with_member(
        file, FIRST, lambda raw: raw.replace(b"ZM-SW", b"ZW-SW")
    ),
    "a byte flipped on the way": lambda file: file.replace(b"<eco:Payload>", b"<eco:Paylaod>", 1),
    "a member doubled": _doubled,
    "members that overlap": _overlapping,
    "more members than it says": lambda file: with_end_record(file, here=1, count=1),
    "thousands of members": lambda file: with_end_record(file, here=60_000, count=60_000),
    "a directory elsewhere": lambda file: with_end_record(file, offset=0),
    "several disks": lambda file: with_end_record(file, disk=1),
    "a directory of the large form": _large_form,
    "encrypted": lambda file: _flagged(file, 0x1),
    "a data descriptor": lambda file: _flagged(file, 0x8),
    "extra fields": _with_extra,
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_BUNDLE_DAMAGED_an_archive_of_another_form_is_refused_whole(
    lines: OneWay, file: bytes, kind: str
):
    assert refusal(lines, ARCHIVES[kind](file)) == "BUNDLE_DAMAGED"


def test_a_file_larger_than_any_bundle_is_not_even_opened(lines: OneWay, file: bytes, monkeypatch):
    monkeypatch.setattr(bundle_archive, "MOST_FILE_BYTES", len(file) - 1)
    assert refusal(lines, file) == "BUNDLE_DAMAGED"


@pytest.mark.parametrize("length", range(0, 40, 3))
def test_whatever_is_cut_off_at_the_end_is_noticed(lines: OneWay, file: bytes, length: int):
    assert refusal(lines, file[: len(file) - 1 - length]) == "BUNDLE_DAMAGED"


def test_SIGNATURE_MISSING_an_unsigned_manifest_is_refused(lines: OneWay, file: bytes):
    root = parse(members(file)[MANIFEST_NAME])
    root.remove(root[-1])
    bare = archived(members(file) | {MANIFEST_NAME: serialize(root)})
    assert refusal(lines, bare) == "SIGNATURE_MISSING"


def test_SIGNATURE_INVALID_a_manifest_changed_after_signing_is_refused(lines: OneWay, file: bytes):
    bent = with_member(file, MANIFEST_NAME, lambda raw: raw.replace(b">KE-SW<", b">KE-SX<"))
    assert refusal(lines, bent) == "SIGNATURE_INVALID"


def test_a_manifest_signed_by_somebody_else_is_refused(lines: OneWay, file: bytes):
    foreign = signed_anew(file, lines.ke.desk.gateway_credential)
    assert refusal(lines, foreign) in ("SIGNER_UNTRUSTED", "SIGNER_NOT_REGISTERED")
    authority = signed_anew(file, lines.zm.pki.authority.credential)
    assert refusal(lines, authority) == "SIGNER_NOT_REGISTERED"


def test_UNKNOWN_PEER_a_bundle_of_a_stranger_is_refused(lines: OneWay, file: bytes):
    own = lines.zm.desk.gateway_credential
    assert refusal(lines, signed_anew(file, own, sender="SD-SW")) == "UNKNOWN_PEER"


def test_SENDER_MISMATCH_a_bundle_of_another_country_is_refused(lines: OneWay, file: bytes):
    own = lines.zm.desk.gateway_credential
    assert refusal(lines, signed_anew(file, own, sender_country="SD")) == "SENDER_MISMATCH"


def test_WRONG_RECEIVER_a_bundle_for_somebody_else_is_refused(lines: OneWay, file: bytes):
    own = lines.zm.desk.gateway_credential
    assert refusal(lines, signed_anew(file, own, receiver="SD-SW")) == "WRONG_RECEIVER"
    with pytest.raises(GatewayError):
        take(lines.zm, file)  # our own one, carried back to us


def test_TEST_FLAG_a_test_bundle_is_refused_by_a_live_gateway(lines: OneWay, file: bytes):
    own = lines.zm.desk.gateway_credential
    assert refusal(lines, signed_anew(file, own, test=True)) == "TEST_FLAG"


def test_PEER_SUSPENDED_a_bundle_of_a_suspended_peer_is_refused(fresh: OneWay):
    file = two_envelopes(fresh)
    with fresh.ke.desk.store.begin() as conn:
        peers.suspend(conn, fresh.ke.peer().id, at=fresh.corridor.clock(), actor="u", reason="r")
    assert refusal(fresh, file) == "PEER_SUSPENDED"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda raw: raw.replace(b"Bundle:1", b"Bundle:2"), "VERSION_NOT_SUPPORTED"),
        (lambda _raw: b"<Envelope/>", "VERSION_NOT_SUPPORTED"),
        (lambda _raw: b"not xml", "MALFORMED_XML"),
        (lambda raw: raw.replace(b"?>", b"?><!DOCTYPE x>", 1), "UNSAFE_XML"),
    ],
)
def test_a_manifest_that_is_none_is_refused(lines: OneWay, file: bytes, change, code: str):
    assert refusal(lines, with_member(file, MANIFEST_NAME, change)) == code


@pytest.mark.parametrize(
    "change",
    [
        lambda member: {"name": "receipts/0001.xml"},
        lambda member: {"name": "../0001.xml"},
        lambda member: {"size": 0},
        lambda member: {"size": 7_000_001},
        lambda member: {"sha256": "z" * 64},
        lambda member: {"message_id": "with space"},
    ],
)
def test_a_signed_manifest_that_breaks_its_schema_is_refused(lines: OneWay, file: bytes, change):
    first, second = manifest_of(file).members
    bent = (replace(first, **change(first)), second)
    again = signed_anew(file, lines.zm.desk.gateway_credential, members=bent)
    assert refusal(lines, again) == "BUNDLE_DAMAGED"


def test_one_message_named_twice_is_refused(lines: OneWay, file: bytes):
    first, second = manifest_of(file).members
    bent = (first, replace(second, message_id=first.message_id))
    again = signed_anew(file, lines.zm.desk.gateway_credential, members=bent)
    assert refusal(lines, again) == "BUNDLE_DAMAGED"


# --- a bundle that holds, of members that do not -------------------------------------------------


def test_a_peer_cannot_hand_over_what_another_signed(fresh: OneWay):
    """A manifest proves who made the bundle; each envelope must prove itself."""
    file = two_envelopes(fresh)
    good = members(file)
    altered = good[FIRST].replace(b"ZM-SW", b"KE-SW", 1)
    content = {FIRST: altered, "envelopes/0002.xml": good["envelopes/0002.xml"]}
    bent = with_digests(file, fresh.zm.desk.gateway_credential, content)
    first, second = take(fresh.ke, bent).members
    assert first.code in ("SIGNATURE_INVALID", "SENDER_MISMATCH", "UNKNOWN_PEER")
    assert second.code is None
    assert len(fresh.ke.arrivals()) == 1


def test_an_envelope_under_the_id_of_another_is_not_taken(fresh: OneWay):
    file = two_envelopes(fresh)
    good = members(file)
    swapped = {FIRST: good["envelopes/0002.xml"], "envelopes/0002.xml": good[FIRST]}
    bent = with_digests(file, fresh.zm.desk.gateway_credential, swapped)
    assert [m.code for m in take(fresh.ke, bent).members] == ["BUNDLE_DAMAGED"] * 2
    assert fresh.ke.arrivals() == ()


def test_a_receipt_that_the_peer_did_not_sign_is_not_recorded(fresh: OneWay):
    file = two_envelopes(fresh)
    take(fresh.ke, file)
    back = export(fresh.ke)
    content = {name: raw for name, raw in members(back).items() if name != MANIFEST_NAME}
    name, *_ = content
    content[name] = content[name].replace(b"ACK", b"NAK").replace(b">KE-SW<", b">KE-SX<", 1)
    bent = with_digests(back, fresh.ke.desk.gateway_credential, content)
    first, second = take(fresh.zm, bent).members
    assert (first.code, second.code) == ("RECEIPT_INVALID", None)
    assert fresh.zm.dispatch(first.message_id).state.value == "QUEUED"
    assert fresh.zm.dispatch(second.message_id).state.value == "DELIVERED"


def test_an_old_bundle_played_again_changes_nothing(fresh: OneWay):
    file = two_envelopes(fresh)
    take(fresh.ke, file)
    take(fresh.zm, export(fresh.ke))
    before = [fresh.zm.dispatch(m.message_id) for m in manifest_of(file).members]
    fresh.pass_time(days=200)
    taken = take(fresh.ke, file)
    assert [(m.repeated, m.code) for m in taken.members] == [(True, None)] * 2
    take(fresh.zm, export(fresh.ke))
    assert [fresh.zm.dispatch(m.message_id) for m in manifest_of(file).members] == before
    assert len(fresh.ke.arrivals()) == 2
