"""``eco paper`` and ``eco qr``: printed at one gateway, checked at another that has no line."""

from __future__ import annotations

from pathlib import Path

import pytest
import zxingcpp

from gateway.cli.output import ExitStatus
from tests.cli.eco import eco, eco_json
from tests.cli.homes import Pair
from tests.paper.reading import attached, pages, qr_codes, text_of


@pytest.fixture(scope="module")
def serial(traded_pair: Pair) -> str:
    (found,) = {
        each["document_number"]
        for each in eco_json("messages", home=traded_pair.zm)["sent"]
        if each["document_type"] == "CertificateOfOrigin"
    }
    return str(found)


@pytest.fixture(scope="module")
def print_of(traded_pair: Pair, serial: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("print") / "paper.pdf"
    value = eco_json("paper", serial, "-o", file, "--language", "fr", home=traded_pair.zm)
    assert value == {"serial_number": serial, "file": str(file), "bytes": file.stat().st_size}
    return file


@pytest.fixture(scope="module")
def picture(print_of: Path) -> Path:
    file = print_of.with_suffix(".png")
    pages(print_of.read_bytes(), dpi=150)[0].save(file)
    return file


def test_a_print_has_the_language_the_copy_and_the_document(
    traded_pair: Pair, serial: str, print_of: Path, tmp_path: Path
):
    assert "COPIE 1" in text_of(print_of.read_bytes())
    second = tmp_path / "second.pdf"
    assert eco("paper", serial, "--copy", "2", "-o", second, home=traded_pair.zm).status == 0
    assert "COPY 2" in text_of(second.read_bytes())
    (tmp_path / "in.xml").write_bytes(attached(second.read_bytes()))
    assert eco("verify", tmp_path / "in.xml", home=traded_pair.ke).status == 0


def test_a_view_of_a_foreign_certificate_is_noted(pair: Pair, tmp_path: Path):
    serial = pair.sugar()
    file = tmp_path / "paper.pdf"
    words = ("paper", serial, "--country", "ZM", "--purpose", "line down", "-o", file)
    assert eco(*words, home=pair.ke).status is ExitStatus.OK
    from gateway.store import JournalAction, Store, journal

    store = Store.open(f"sqlite:///{pair.ke / 'gateway.db'}")
    with store.read() as conn:
        (entry,) = journal.page(conn, action=JournalAction.DOCUMENT_VIEWED, limit=5)
    store.close()
    assert entry.subject == serial
    assert entry.detail["purpose"] == "line down"


def test_the_code_of_a_picture_is_checked_by_the_other_country(traded_pair: Pair, picture: Path):
    run = eco("qr", "verify", picture, home=traded_pair.ke)
    assert run.status is ExitStatus.OK, run.out + run.err
    assert run.out.startswith("the code is believed\n")
    assert "ISSUING_AUTHORITY of ZM" in run.out


def test_the_code_is_taken_as_text_and_as_a_file(
    traded_pair: Pair, picture: Path, serial: str, tmp_path: Path
):
    from PIL import Image

    with Image.open(picture) as opened:
        (code,) = qr_codes(opened)
    file = tmp_path / "code.txt"
    file.write_text(f"{code.text}\n", encoding="ascii")
    for given in (code.text, file):
        value = eco_json("qr", "verify", given, home=traded_pair.ke)
        assert value["holds"] is True
        assert value["summary"]["serial_number"] == serial
        assert value["summary"]["standing"] == "PARTLY_USED"
    piped = eco_json("qr", "verify", "-", home=traded_pair.ke, given=code.text.encode())
    assert piped["holds"] is True
    stated = eco_json("qr", "show", code.text)
    assert stated["serial_number"] == serial
    assert "key" in stated


def test_the_document_may_be_compared(traded_pair: Pair, picture: Path, print_of: Path):
    enclosed = print_of.with_suffix(".xml")
    enclosed.write_bytes(attached(print_of.read_bytes()))
    words = ("qr", "verify", picture, "--document")
    assert eco(*words, enclosed, home=traded_pair.ke).status is ExitStatus.OK
    run = eco(*words, picture, home=traded_pair.ke)
    assert run.status is ExitStatus.UNTRUSTED
    assert "OTHER_DOCUMENT" in run.out


@pytest.mark.parametrize("given", ["nonsense", "ECO1.AAAA", "x" * 5000])
def test_what_is_no_code_is_answered_with_a_finding(traded_pair: Pair, given: str):
    run = eco("qr", "verify", given, "--language", "fr", home=traded_pair.ke)
    assert run.status is ExitStatus.UNTRUSTED
    assert "UNREADABLE" in run.out
    assert "résumé" in run.out


def test_a_picture_without_a_code_is_refused(traded_pair: Pair, tmp_path: Path):
    from tests.paper.pictures import png

    for content in (png(), b"\x89PNG\r\n\x1a\nbroken"):
        file = tmp_path / "empty.png"
        file.write_bytes(content)
        run = eco("qr", "verify", file, home=traded_pair.ke)
        assert run.status is ExitStatus.REFUSED
        assert "picture" in run.err


def test_the_page_is_written_with_the_signers_of_both_sides(traded_pair: Pair, tmp_path: Path):
    file = tmp_path / "check.html"
    value = eco_json("qr", "page", "-o", file, "--language", "ar", home=traded_pair.ke)
    text = file.read_text(encoding="utf-8")
    assert value["signers"] == text.count('"subject":') >= 4
    assert '<html lang="ar">' in text


def with_address(home: Path, address: str) -> None:
    settings = home / "gateway.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(f'{text}\n[paper]\ncheck_address = "{address}"\n', encoding="utf-8")


def test_the_code_begins_with_the_address_of_the_public_page(pair: Pair, tmp_path: Path):
    serial, file = pair.sugar(), tmp_path / "paper.pdf"
    with_address(pair.zm, "https://check.zra.example/C")
    assert eco("paper", serial, "-o", file, home=pair.zm).status is ExitStatus.OK
    (code,) = zxingcpp.read_barcodes(pages(file.read_bytes(), dpi=150)[0])
    assert code.text.startswith("HTTPS://CHECK.ZRA.EXAMPLE/C/ECO1.")
    assert "https://check.zra.example/C" in text_of(file.read_bytes())
    assert eco_json("qr", "verify", code.text, home=pair.ke)["holds"] is True


@pytest.mark.parametrize(
    "address", ["http://check.example", "https://check.example/c", "https://check.example/C?x="]
)
def test_an_address_that_no_code_can_hold_is_refused(pair: Pair, tmp_path: Path, address: str):
    with_address(pair.zm, address)
    run = eco("paper", "ZM-1", "-o", tmp_path / "paper.pdf", home=pair.zm)
    assert run.status is ExitStatus.CONFIGURATION
    assert "check_address" in run.err


def test_a_serial_number_that_is_not_in_the_books_prints_nothing(traded_pair: Pair, tmp_path: Path):
    file = tmp_path / "none.pdf"
    run = eco("paper", "ZM-20260101-000001", "-o", file, home=traded_pair.zm)
    assert run.status is ExitStatus.NOT_FOUND
    assert not file.exists()


def test_a_place_that_cannot_be_written_is_told(traded_pair: Pair, serial: str, tmp_path: Path):
    run = eco("paper", serial, "-o", tmp_path / "no" / "paper.pdf", home=traded_pair.zm)
    assert run.status is ExitStatus.REFUSED
    assert "cannot be written" in run.err
