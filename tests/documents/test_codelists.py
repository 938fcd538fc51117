"""Code lists: what ships, what readers call the values, and how a broken file is named."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from gateway.documents import CertificateKind, Language, Severity
from gateway.documents.codelists import code_list, code_list_ids, load_code_list
from gateway.documents.codes import Purpose
from gateway.documents.hs import has_goods_chapter, import_hs, is_hs_form
from gateway.errors import ConfigError
from gateway.resources import data_path

OURS = (
    "attachments",
    "border-posts",
    "certificate-kinds",
    "response-reasons",
    "retrospective-reasons",
    "units",
    "utilisation-statuses",
)
HEADER = "# id: test\n# title: t\n# edition: 1\n# agency: a\n# source: s\n# unknown: ERROR\n"


@pytest.mark.parametrize("list_id", code_list_ids())
def test_every_list_says_what_it_is_and_names_its_values(list_id):
    found = code_list(list_id)
    assert found.id == list_id
    assert found.edition
    assert found.agency
    assert found.source
    for entry in found:
        assert entry.code in found
        for language in Language:
            assert found.name(entry.code, language)


@pytest.mark.parametrize("list_id", OURS)
def test_our_own_lists_speak_three_languages(list_id):
    found = code_list(list_id)
    for entry in found:
        assert found.name(entry.code, "fr")
        arabic = found.name(entry.code, Language.ARABIC)
        assert any("\u0600" <= letter <= "\u06ff" for letter in arabic), entry.code


def test_countries_are_those_of_iso_3166_with_names_of_the_cldr():
    countries = code_list("countries")
    assert len(countries) == 249
    assert "XK" not in countries
    assert [countries.name("MU", language) for language in ("en", "fr")] == ["Mauritius", "Maurice"]
    assert countries.name("EG", "ar") == "مصر"


def test_currencies_without_a_name_of_the_cldr_have_their_english_one():
    currencies = code_list("currencies")
    assert currencies.name("USD", "fr") == "dollar des États-Unis"
    assert currencies.name("ZWG", "ar") == "Zimbabwe Gold"
    assert "EURO" not in currencies


def test_units_know_symbol_name_and_factor():
    units = code_list("units")
    assert len(units) >= 150
    assert {
        "KGM",
        "TNE",
        "GRM",
        "LTR",
        "MTR",
        "MTK",
        "MTQ",
        "NMB",
        "H87",
        "C62",
        "PR",
        "SET",
        "DZN",
        "KWH",
        "MWH",
        "GLL",
    } <= set(units.entries)
    assert units.entry("TNE").attributes == {
        "symbol": "t",
        "cldr": "mass-tonne",
        "kilograms": "1000",
    }
    assert [units.name("KGM", language) for language in Language] == [
        "kilogram",
        "kilogrammes",
        "كيلوغرام",
    ]
    assert units.unknown is Severity.WARNING


def test_a_value_outside_the_list_is_called_by_its_code():
    packages = code_list("packages")
    assert "XYZ" not in packages
    assert packages.entry("XYZ") is None
    assert packages.name("XYZ", "ar") == "XYZ"
    assert packages.name("CT", "fr") == "Carton"


def test_a_name_that_is_not_translated_is_english():
    assert code_list("transport-means").name("3138", "fr") == "Armoured vehicle"


def test_the_lists_hold_what_our_messages_say():
    assert {kind.value for kind in CertificateKind} == set(code_list("certificate-kinds").entries)
    assert {purpose.value for purpose in Purpose} <= set(code_list("message-functions").entries)
    assert {"864", "962", "312", "380"} <= set(code_list("document-names").entries)
    assert {"AIR", "AAE"} <= set(code_list("references").entries)
    assert {"EX", "CN", "DEZ", "MF"} <= set(code_list("party-roles").entries)
    statuses = code_list("document-statuses")
    for entry in code_list("utilisation-statuses"):
        assert entry.attributes["document_status"] in statuses
    for entry in code_list("attachments"):
        assert entry.code in code_list("document-names")
    for entry in code_list("border-posts"):
        assert entry.code[:2] in code_list("countries")


def test_the_readme_lists_every_list():
    readme = data_path("schemas", "codelists", "README.md").read_text(encoding="utf-8")
    for list_id in code_list_ids():
        assert f"\n| {list_id} |" in readme


@pytest.mark.parametrize("list_id", ["nothing", "../errors", "packages.csv", "", "Packages"])
def test_a_list_that_does_not_exist_is_named(list_id):
    with pytest.raises(ConfigError, match="no code list"):
        code_list(list_id)


def test_many_threads_read_the_same_list():
    code_list.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(code_list, ["document-names"] * 32))
    assert all(len(one) == 830 for one in lists)


def test_dates_and_own_columns_are_kept(tmp_path):
    path = tmp_path / "test.csv"
    path.write_text(
        HEADER
        + 'code,name_en,valid_from,valid_to,note\nA,"One, first",2020-01-01,2025-12-31,x\nB,Two,,,\n'
    )
    found = load_code_list(path)
    entry = found.entry("A")
    assert entry.names == {Language.ENGLISH: "One, first"}
    assert entry.attributes == {"note": "x"}
    assert [entry.is_valid_on(date(year, 12, 31)) for year in (2019, 2020, 2025, 2026)] == [
        False,
        True,
        True,
        False,
    ]
    assert found.entry("B").is_valid_on(date(1900, 1, 1))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lacks agency"),
        ("# id: test\n# id: test\n", "line 2"),
        ("# nobody: test\n", "line 1"),
        ("# just words\n", "line 1"),
        (HEADER, "holds no codes"),
        (HEADER.replace("ERROR", "FATAL") + "code,name_en\nA,One\n", "unknown"),
        (HEADER + "code,name_fr\nA,Un\n", "line 7"),
        (HEADER + "code,name_en,code\nA,One,A\n", "line 7"),
        (HEADER + "code,name_en\nA,One\nB\n", "line 9"),
        (HEADER + "code,name_en\nA,One\nA,Two\n", "line 9: the code A stands there twice"),
        (HEADER + "code,name_en\nA,\n", "line 8"),
        (HEADER + "code,name_en,valid_from\nA,One,1/2/2020\n", "line 8"),
        (HEADER + 'code,name_en\nA,"One\n', "no CSV"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path, text, words):
    path = tmp_path / "test.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"test\.csv") as caught:
        load_code_list(path)
    assert words in caught.value.detail


def test_a_file_that_is_no_text_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.csv"):
        load_code_list(tmp_path / "absent.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xff")
    with pytest.raises(ConfigError, match=r"binary\.csv"):
        load_code_list(tmp_path / "binary.csv")


def test_a_list_in_a_file_of_another_name_is_refused(tmp_path, monkeypatch):
    (tmp_path / "other.csv").write_text(HEADER + "code,name_en\nA,One\n", encoding="utf-8")
    monkeypatch.setattr(
        "gateway.documents.codelists.data_path", lambda *parts: tmp_path / parts[-1]
    )
    with pytest.raises(ConfigError, match="file name 'other'"):
        code_list("other")


@pytest.mark.parametrize("code", ["010121", "52051200", "520512001", "5205120010"])
def test_tariff_codes_have_six_or_eight_to_ten_digits(code):
    assert is_hs_form(code)
    assert has_goods_chapter(code)


@pytest.mark.parametrize("code", ["", "01", "5205121", "52051200101", "5205.12", "٥٢٠٥١٢"])
def test_anything_else_is_no_tariff_code(code):
    assert not is_hs_form(code)


@pytest.mark.parametrize("code", ["000000", "770000", "980000", "999999", "xx0000"])
def test_chapters_without_goods_are_told(code):
    assert not has_goods_chapter(code)


def test_an_edition_of_the_harmonized_system_is_imported(tmp_path):
    path = tmp_path / "hs.csv"
    path.write_text(
        '# edition: 2022\ncode,description\n52,Cotton\n5205,Cotton yarn\n5205.12,"Yarn, 232 decitex"\n\n 520513 ,Finer\n',
        encoding="utf-8-sig",
    )
    edition = import_hs(path)
    assert edition.edition == "2022"
    assert dict(edition.subheadings) == {"520512": "Yarn, 232 decitex", "520513": "Finer"}
    assert "5205120010" in edition
    assert "520514" not in edition
    assert edition.description("52051200") == "Yarn, 232 decitex"
    assert edition.description("520514") is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("code,description\n", 1),
        ("# edition: 2022\ncode\n", 2),
        ("# edition: 2022\n", 2),
        ("# edition: 2022\ncode,description\n520512\n", 3),
        ("# edition: 2022\ncode,description\n52051200,Too long\n", 3),
        ("# edition: 2022\ncode,description\n520512,One\n520512,Two\n", 4),
    ],
)
def test_a_broken_edition_is_named_with_its_line(tmp_path, text, line):
    path = tmp_path / "hs.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"hs\.csv, line {line}:"):
        import_hs(path)


def test_an_edition_that_is_no_text_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.csv"):
        import_hs(tmp_path / "absent.csv")


@pytest.mark.parametrize("list_id", code_list_ids())
def test_no_name_shows_traces_of_a_wrong_encoding(list_id: str):
    found = code_list(list_id)
    names = [found.name(code, language) or "" for code in found.entries for language in Language]
    assert not [name for name in names if re.search("ï¿½|\ufffd|Ã.|â€", name)]
