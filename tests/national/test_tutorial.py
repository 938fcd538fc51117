"""The tutorial docs/national-formats.md is true: its example runs, and it names every key."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.documents.customs_response import Officer
from gateway.resources import data_path
from gateway.xml.national import NationalFormat, formats
from gateway.xml.national.carrier import Carrier
from gateway.xml.national.compiler import FIXED_KEYS, GROUP_KEYS, ROW_KEYS, SECTION_KEYS
from tests.factories import customs_response

PAGE = (data_path("mappings").parent / "docs" / "national-formats.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def timber(tmp_path: Path) -> NationalFormat:
    (tmp_path / "timber-lines.yaml").write_text(block("yaml"), encoding="utf-8")
    (tmp_path / "timber.csv").write_text(block("csv"), encoding="utf-8")
    return NationalFormat.load(tmp_path / "timber-lines.yaml")


def test_the_example_reads_its_file(timber: NationalFormat) -> None:
    (reading,) = timber.read(block("csv").encode())
    assert reading.findings == ()
    assert reading.document is not None
    assert reading.document.exporter.registration_number == "COM-ZW000044"
    assert reading.document.issued_at == datetime(2026, 3, 9, 9, 15, tzinfo=UTC)
    assert reading.document.valid_until == date(2027, 3, 9)
    assert [item.hs_code for item in reading.document.items] == ["440711", "440799"]
    assert reading.document.items[0].quantity.value == Decimal("18500.50")


def test_the_example_writes_certificates_and_responses(timber: NationalFormat) -> None:
    (reading,) = timber.read(block("csv").encode())
    assert reading.document is not None
    assert timber.read(timber.write(reading.document))[0].document == reading.document
    base = customs_response()
    zimra = base.recipient_authority.model_copy(
        update={"code": "ZW-ZIMRA", "name": "Zimbabwe Revenue Authority", "country": "ZW"}
    )
    response = customs_response(
        recipient_authority=zimra,
        certificate=base.certificate.model_copy(update={"issuing_country": "ZW"}),
        officer=Officer(identifier="1", name="A", role="Officer"),
    )
    assert timber.read_response(timber.write_response(response))[0].document == response
    without = response.model_copy(update={"items": (), "status": type(response.status).ACCEPTED})
    assert timber.read_response(timber.write_response(without))[0].document == without


def test_the_snippet_prints_what_the_page_says(
    timber: NationalFormat,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python"), "tutorial", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] in PAGE
    assert len(lines) == 2


def test_the_page_names_every_key() -> None:
    keys = (
        ROW_KEYS | FIXED_KEYS | GROUP_KEYS | SECTION_KEYS | formats.FILE_KEYS | formats.VALUE_KEYS
    )
    for kind in formats.CARRIERS.values():
        keys |= kind.keys
    missing = [key for key in keys if f"`{key}`" not in PAGE]
    assert missing == []


def test_every_shipped_format_is_named_on_the_page() -> None:
    for name in formats.load_national_formats():
        assert f"`{name}.yaml`" in PAGE


def test_carriers_keep_their_protocol() -> None:
    for kind in formats.CARRIERS.values():
        assert set(vars(Carrier)) & {"read", "write", "check"} <= set(dir(kind))
