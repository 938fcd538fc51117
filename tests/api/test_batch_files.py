"""Batches in CSV and ZIP: documents found again in files, and archives that lie."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from gateway.services.batch_limits import BatchLimits
from gateway.services.batches.archive import members_of, open_archive
from gateway.services.batches.stored_file import AT_ONCE, PIECE, StoredFile
from gateway.xml.national import CsvGroups, lines_of, load_national_formats, read_group
from tests.api.batches import (
    CSV,
    ZIP,
    archive,
    codes,
    hand_in,
    line,
    outcomes,
    pieces_left,
    results,
    serial,
    worker,
)
from tests.api.test_handing_over import signed
from tests.factories import certificate
from tests.national.test_tutorial import block, timber

__all__ = ["timber"]

LINES = load_national_formats()["csv-lines"]


def rows(*documents) -> bytes:
    return LINES.write_all(documents)


def numbered(count: int):
    return [certificate(serial_number=serial(number)) for number in range(1, count + 1)]


# --- CSV ----------------------------------------------------------------------------------------


def test_a_csv_file_is_worked_on_document_by_document(border):
    raw = rows(*numbered(20))
    address = hand_in(border.zm, raw, CSV, query="?format=csv-lines")
    worker(border.zm).run()
    found = results(border.zm, address)
    assert [each["document_number"] for each in found] == [serial(n) for n in range(1, 21)]
    starts = [
        number
        for number, text in enumerate(raw.decode("utf-8-sig").splitlines(), start=1)
        if text.startswith("HDR;")
    ]
    assert [each["line"] for each in found] == starts
    assert {each["outcome"] for each in found} == {"ACCEPTED"}


def test_a_damaged_line_harms_only_its_document_and_is_named_by_its_number(border):
    text = rows(*numbered(3)).decode("utf-8-sig").splitlines()
    number = [at for at, each in enumerate(text) if each.startswith("ITM;")][1]
    text[number] += ";=1+1"
    address = hand_in(
        border.zm, "\n".join(text).encode(), CSV, query="?format=csv-lines&dry_run=true"
    )
    worker(border.zm).run()
    first, second, third = results(border.zm, address)
    assert (first["outcome"], third["outcome"]) == ("ACCEPTED", "ACCEPTED")
    assert (second["outcome"], second["reference"]) == ("REFUSED", serial(2))
    assert any(
        str(number + 1) in finding["path"] + finding["message"]
        for finding in second["problem"]["findings"]
    )


def test_a_csv_file_is_taken_up_where_it_was_left_with_the_names_of_its_columns(border):
    address = hand_in(border.zm, rows(*numbered(40)), CSV, query="?format=csv-lines")
    for _ in range(3):
        worker(border.zm, turn_seconds=0.0).turn()
    assert len(outcomes(border.zm, address)) == 40
    assert set(outcomes(border.zm, address).values()) == {"ACCEPTED"}


def test_rows_before_the_first_document_and_rows_too_long_are_results(border):
    object.__setattr__(border.zm.counter, "batches", BatchLimits(max_line_bytes=20_000))
    text = rows(*numbered(2)).decode("utf-8-sig").splitlines()
    begin = next(at for at, each in enumerate(text) if each.startswith("HDR;"))
    items = next(at for at, each in enumerate(text) if each.startswith("ITM;"))
    long = text[items] + "x" * 30_000
    said = [*text[:begin], text[items], *text[begin:items], long, *text[items + 1 :]]
    address = hand_in(border.zm, "\n".join(said).encode(), CSV, query="?format=csv-lines")
    worker(border.zm).run()
    assert list(outcomes(border.zm, address).values()) == ["REFUSED", "REFUSED", "ACCEPTED"]
    assert list(codes(border.zm, address).values()) == ["INVALID_DOCUMENT", "TOO_LARGE"]


@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_lines_with_one_key_are_one_document_however_the_bytes_come(timber, piece):
    head, *lines = block("csv").splitlines()
    other = [each.replace("000007", "000008") for each in lines]
    raw = "\r\n".join([head, *lines, "", *other, lines[0]]).encode("iso-8859-1")
    pieces = [raw[at : at + piece] for at in range(0, len(raw), piece)]
    groups = list(CsvGroups(timber, most_bytes=10_000).groups(lines_of(pieces, most=5_000)))
    read = [reading for group in groups for reading in read_group(timber, group)]
    assert [group.number for group in groups] == [2, 5, 7]
    assert [reading.reference[-6:] for reading in read] == ["000007", "000008", "000007"]
    assert [len(reading.document.items) for reading in read if reading.document] == [2, 2, 1]
    again = CsvGroups(timber, most_bytes=10_000, names=groups[0].next_names)
    rest = lines_of([raw[groups[0].end :]], start=groups[0].end, number=5, most=5_000)
    assert list(again.groups(rest)) == groups[1:]


def test_the_whole_file_and_its_groups_say_the_same(timber):
    raw = rows(*numbered(5))
    groups = CsvGroups(LINES, most_bytes=100_000).groups(lines_of([raw[3:]], most=50_000))
    parts = [reading for group in groups for reading in read_group(LINES, group)]
    assert tuple(parts) == LINES.read(raw)


# --- ZIP ----------------------------------------------------------------------------------------


def test_an_archive_holds_documents_of_every_form_in_the_order_of_names(border):
    document = certificate(serial_number=serial(3))
    files = {
        "b/2.json": line(2),
        "a/9.xml": signed(border.zm.desk, document),
        "c.csv": rows(certificate(serial_number=serial(4))),
        "a/1.JSON": line(1),
        "d.pdf": b"%PDF",
        "e.json": b"{",
    }
    address = hand_in(border.zm, archive(files), ZIP, query="?format=csv-lines")
    worker(border.zm).run()
    found = results(border.zm, address)
    assert [each["file"] for each in found] == sorted(files)
    assert [each["document_number"] for each in found] == [serial(1), serial(3), serial(2), serial(4), None, None]  # fmt: skip
    assert codes(border.zm, address) == {5: "BAD_REQUEST", 6: "INVALID_DOCUMENT"}
    got = border.zm.get(f"/certificates/ZM/{serial(3)}/document")
    assert got.data == files["a/9.xml"]
    assert pieces_left(border.zm) == 0


def test_an_archive_is_taken_up_where_it_was_left(border):
    files = {f"{number:03}.json": line(number) for number in range(1, 41)}
    address = hand_in(border.zm, archive(files), ZIP)
    for _ in range(3):
        worker(border.zm, turn_seconds=0.0).turn()
    assert list(outcomes(border.zm, address)) == list(range(1, 41))
    assert border.zm.get(address).json["accepted"] == 40


def test_a_file_that_is_damaged_or_an_archive_itself_is_a_result(border):
    inner = archive({"x.json": line(9)})
    raw = archive({"a.json": inner, "b.json": line(1), "c.json": line(2)})
    damaged = bytearray(raw)
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        info = packed.getinfo("b.json")
    damaged[info.header_offset + 30 + len("b.json") + 50] ^= 0xFF
    address = hand_in(border.zm, bytes(damaged), ZIP)
    worker(border.zm).run()
    assert codes(border.zm, address) == {1: "ARCHIVE_UNSAFE", 2: "ARCHIVE_UNSAFE"}
    assert outcomes(border.zm, address)[3] == "ACCEPTED"


def entry(name: str, **changes: object) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    info.compress_type = zipfile.ZIP_DEFLATED
    for key, value in changes.items():
        setattr(info, key, value)
    return info


def hostile(*infos: zipfile.ZipInfo, content: bytes = b"{}") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for info in infos:
            packed.writestr(info, content)
    return buffer.getvalue()


def with_flag(raw: bytes, flag: int) -> bytes:
    """Set a flag in the head and the list of files."""
    changed = bytearray(raw)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.index(mark) + place
        changed[at : at + 2] = struct.pack("<H", struct.unpack("<H", raw[at : at + 2])[0] | flag)
    return bytes(changed)


def overlapping(raw: bytes) -> bytes:
    """Let the second entry of the list point at the bytes of the first."""
    changed = bytearray(raw)
    second = raw.index(b"PK\x01\x02", raw.index(b"PK\x01\x02") + 4)
    changed[second + 42 : second + 46] = struct.pack("<I", 0)
    return bytes(changed)


SOUND = archive({"a.json": b"{}", "b.json": b"{}"})
REFUSED = [
    pytest.param(with_flag(SOUND, 0x1), "it is encrypted", id="encrypted"),
    pytest.param(hostile(entry("../a.json")), "leads out of the archive", id="parent"),
    pytest.param(hostile(entry("/etc/a.json")), "leads out of the archive", id="absolute"),
    pytest.param(hostile(entry("C:\\a.json")), "leads out of the archive", id="drive"),
    pytest.param(hostile(entry("a\x07.json")), "control character", id="control"),
    pytest.param(hostile(entry("x" * 201)), "longer than 200", id="long-name"),
    pytest.param(
        hostile(entry("a.json", create_system=3, external_attr=0o120777 << 16)),
        "no regular file",
        id="link",
    ),
    pytest.param(
        hostile(entry("a.json", compress_type=zipfile.ZIP_BZIP2)), "than deflate", id="method"
    ),
    pytest.param(hostile(entry("a.json"), entry("A.JSON")), "stands there 2 times", id="twice"),
    pytest.param(overlapping(SOUND), "overlap those of others", id="overlapping"),
    pytest.param(
        archive({"a.json": b" " * 60_000}), "longer than 50000 bytes", id="unpacks-to-much"
    ),
    pytest.param(
        archive({f"{n}.json": b" " * 40_000 for n in range(3)}), "unpacks to 120000", id="bomb"
    ),
]


@pytest.mark.parametrize(("raw", "reason"), REFUSED)
def test_an_archive_that_is_not_plain_is_refused_with_every_reason(border, raw, reason):
    limits = BatchLimits(max_line_bytes=50_000, max_unpacked_bytes=100_000)
    object.__setattr__(border.zm.counter, "batches", limits)
    answer = border.zm.post("/batches", raw, content_type=ZIP)
    assert (answer.status_code, answer.json["code"]) == (422, "ARCHIVE_UNSAFE"), answer.text
    assert any(reason in each["message"] for each in answer.json["findings"]), answer.text
    assert pieces_left(border.zm) == 0


DAMAGED = [
    pytest.param(SOUND + b"PK", id="followed-by-something"),
    pytest.param(SOUND[:-1], id="cut"),
    pytest.param(SOUND[40:], id="beheaded"),
    pytest.param(archive({f"{n}.json": b"{}" for n in range(11)}), id="too-many-files"),
    pytest.param(b"PK\x06\x07" + bytes(16) + SOUND[-22:], id="zip64"),
    pytest.param(
        SOUND[:-10] + struct.pack("<I", 200_000_000) + SOUND[-6:], id="a-list-that-fills-memory"
    ),
]


@pytest.mark.parametrize("raw", DAMAGED)
def test_what_is_no_sound_archive_is_refused(border, raw):
    object.__setattr__(border.zm.counter, "batches", BatchLimits(max_files=10))
    answer = border.zm.post("/batches", raw, content_type=ZIP)
    assert (answer.status_code, answer.json["code"]) == (422, "ARCHIVE_UNSAFE"), answer.text
    assert pieces_left(border.zm) == 0


def test_an_archive_without_files_is_refused(border):
    answer = border.zm.post("/batches", archive({}), content_type=ZIP)
    assert (answer.status_code, answer.json["code"]) == (400, "BAD_REQUEST")


def test_a_file_that_lies_about_its_length_is_unpacked_no_further_than_allowed(border):
    raw = bytearray(archive({"a.json": b" " * 5_000_000}))
    at = raw.index(b"PK\x01\x02") + 24
    raw[at : at + 4] = struct.pack("<I", 10)
    address = hand_in(border.zm, bytes(raw), ZIP)
    worker(border.zm).run()
    assert outcomes(border.zm, address) == {1: "REFUSED"}


def test_stored_bytes_are_a_file_that_can_be_read_anywhere(border):
    content = bytes(range(256)) * ((PIECE * AT_ONCE * 2) // 256) + b"end"
    address = hand_in(border.zm, content, "application/x-ndjson")
    assert address
    file = StoredFile(border.zm.desk.store, 1, len(content))
    buffered = io.BufferedReader(file, 100)
    for place in (0, PIECE - 1, PIECE * AT_ONCE - 2, len(content) - 3):
        buffered.seek(place)
        assert buffered.read(5) == content[place : place + 5]
    assert buffered.seek(-3, io.SEEK_END) == len(content) - 3
    with pytest.raises(OSError, match="before the first byte"):
        file.seek(-1)
    raw = io.BytesIO(SOUND)
    with open_archive(raw, BatchLimits()) as packed:
        assert len(members_of(packed, BatchLimits(), size=len(SOUND))) == 2
