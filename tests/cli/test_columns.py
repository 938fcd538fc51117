"""Columns fit the window, whatever stands in them."""

from __future__ import annotations

import pytest

from gateway.cli.columns import Columns, hanging, isolated, width_of, window, wrapped

SAMPLES = (
    "items[0].quantity.value and a description that goes on for a while",
    "x" * 200,
    "شركة الأخشاب المحدودة في زامبيا",
    "日本語の長い文字列をここに書く",
    "cafe\u0301 au lait, cre\u0300me bru\u0302le\u0301e",
    "",
    "   ",
)


@pytest.mark.parametrize("text", SAMPLES)
@pytest.mark.parametrize("width", [2, 7, 20, 80])
def test_no_line_is_wider_than_asked_for_and_nothing_is_lost(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert all(width_of(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_lines_break_at_white_space_and_behind_the_signs_of_a_path() -> None:
    assert wrapped("exporter.registration_number", 16) == ("exporter.", "registration_", "number")
    assert wrapped("a country, box\u00a03", 13) == ("a country,", "box\u00a03")


def test_a_mark_above_a_letter_takes_no_column_and_a_wide_letter_two() -> None:
    assert width_of("e\u0301\u2068ab\u2069") == 3
    assert width_of("日本") == 4


@pytest.mark.parametrize("width", [60, 80, 160])
def test_rows_keep_to_the_window_and_their_cells_below_one_another(width: int) -> None:
    rows = [(text, "short", text + "\n  below") for text in SAMPLES if text.strip()]
    columns = Columns(("first", "second", "third"), rows, width)
    lines = [line for row in rows for line in columns.row(row)]
    assert max(map(width_of, (*columns.heading(), *lines))) <= width
    start = next(columns.heading()).index("second")
    assert sum(line[start : start + 5] == "short" for line in lines) >= 1


def test_columns_are_no_wider_than_what_stands_in_them() -> None:
    columns = Columns(("a", "b"), [("one", "two")], 160)
    assert list(columns.heading()) == ["a    b", "───  ───"]
    assert list(columns.row(("one", "two"))) == ["one  two"]


def test_arabic_is_kept_to_its_own_cell_on_every_line() -> None:
    columns = Columns(("a", "b"), [("شركة الأخشاب المحدودة", "KE")], 18)
    lines = list(columns.row(("شركة الأخشاب المحدودة", "KE")))
    assert len(lines) > 1
    assert all(line.count("\u2068") == line.count("\u2069") == 1 for line in lines)
    assert isolated("– Zambia …") == "– Zambia …"


def test_further_lines_hang_below_the_first() -> None:
    assert list(hanging("  → ", "one two three four five six seven", 30)) == [
        "  → one two three four five six",
        "    seven",
    ]


@pytest.mark.parametrize(("told", "used"), [("20", 60), ("80", 80), ("160", 160), ("999", 200)])
def test_the_window_is_taken_within_reason(
    monkeypatch: pytest.MonkeyPatch, told: str, used: int
) -> None:
    monkeypatch.setenv("COLUMNS", told)
    assert window() == used
