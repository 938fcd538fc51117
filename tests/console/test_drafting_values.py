"""Numbers and days as people of three languages write them; what could mean two things is refused."""

from __future__ import annotations

import pytest

from gateway.agreements import load_agreements
from gateway.documents import Language
from gateway.errors import InputError
from gateway.web.console.drafting_fields import Choices, Field, Kind
from gateway.web.console.drafting_lists import Lists
from gateway.web.console.drafting_values import amount_in, count_in, day_in, moment_in, read_value
from gateway.web.console.words import Words

EN, FR, AR = Language.ENGLISH, Language.FRENCH, Language.ARABIC


@pytest.mark.parametrize(
    ("written", "language", "read"),
    [
        ("12000", EN, "12000"),
        ("12000.50", EN, "12000.50"),
        ("12.500", EN, "12.500"),
        ("1,234,567", EN, "1234567"),
        ("12,500.75", EN, "12500.75"),
        ("12,5", EN, "12.5"),
        ("007", EN, "7"),
        ("0.125", EN, "0.125"),
        ("12 000,5", FR, "12000.5"),
        ("12\u202f000,5", FR, "12000.5"),
        ("12,500", FR, "12.500"),
        ("12.000,5", FR, "12000.5"),
        ("12.5", FR, "12.5"),
        ("١٢٠٠٠٫٥", AR, "12000.5"),
        ("١٢٬٠٠٠٫٥", AR, "12000.5"),
        ("12000.5", AR, "12000.5"),
        ("-3", EN, "-3"),
        ("1'234'567", EN, "1234567"),
    ],
)
def test_a_number_is_read_as_its_language_writes_it(
    written: str, language: Language, read: str
) -> None:
    assert amount_in(written, language) == read


@pytest.mark.parametrize(
    ("written", "language", "wrong"),
    [
        ("12,500", EN, "number_unclear"),
        ("12.500", FR, "number_unclear"),
        ("١٢٬٥٠٠", AR, "number_unclear"),
        ("1,23,456", EN, "number"),
        ("1.234.56", EN, "number"),
        ("12,34.5", EN, "number"),
        ("1,234.5,6", EN, "number"),
        ("twelve", EN, "number"),
        ("1e9", EN, "number"),
        ("NaN", EN, "number"),
        ("--1", EN, "number"),
        (".", EN, "number"),
        ("=1+1", EN, "number"),
        ("9" * 16, EN, "number_long"),
        ("1.1234567", EN, "number_long"),
    ],
)
def test_a_number_that_is_none_or_could_be_two_is_refused(
    written: str, language: Language, wrong: str
) -> None:
    with pytest.raises(InputError, match=rf"^{wrong}$"):
        amount_in(written, language)


@pytest.mark.parametrize("written", ["1.5", "-1", "1,5"])
def test_a_count_is_whole(written: str) -> None:
    with pytest.raises(InputError):
        count_in(written, EN)


@pytest.mark.parametrize(
    ("written", "language"),
    [
        ("2026-03-09", EN),
        ("9 March 2026", EN),
        ("9 Mar. 2026", EN),
        ("9 mars 2026", FR),
        ("09 mars 2026", FR),
        ("9 March 2026", FR),
        ("9 مارس 2026", AR),
        ("٩ مارس ٢٠٢٦", AR),
        ("٢٠٢٦-٠٣-٠٩", AR),
    ],
)
def test_a_day_is_read_as_its_language_writes_it(written: str, language: Language) -> None:
    assert day_in(written, language) == "2026-03-09"


def test_a_day_in_digits_is_taken_only_if_it_can_be_but_one() -> None:
    assert day_in("25/12/2026", EN) == day_in("12/25/2026", FR) == "2026-12-25"
    assert day_in("05.05.2026", FR) == "2026-05-05"
    for written in ("03/04/2026", "3-4-2026", "03.04.2026"):
        with pytest.raises(InputError, match=r"^day_unclear$"):
            day_in(written, EN)
    for written in (
        "31/02/2026",
        "2026-02-30",
        "9 Smarch 2026",
        "09/03/26",
        "tomorrow",
        "0000-00-00",
    ):
        with pytest.raises(InputError, match=r"^day$"):
            day_in(written, EN)


def test_the_first_of_a_month_is_read_in_french() -> None:
    assert day_in("1er mars 2026", FR) == "2026-03-01"


@pytest.mark.parametrize(
    "written", ["2026-03-09T10:30", "2026-03-09 10:30", "2026-03-09T10:30:00Z"]
)
def test_a_moment_is_in_utc(written: str) -> None:
    assert moment_in(written, EN) == "2026-03-09T10:30:00Z"


@pytest.mark.parametrize("written", ["2026-03-09", "2026-03-09T25:00", "10:30", "2026-13-09T10:30"])
def test_what_is_no_moment_is_refused(written: str) -> None:
    with pytest.raises(InputError, match=r"^moment$"):
        moment_in(written, EN)


@pytest.mark.parametrize(
    ("choices", "written", "code"),
    [
        (Choices.PACKAGES, "CT · Carton", "CT"),
        (Choices.PACKAGES, "ct", "CT"),
        (Choices.PACKAGES, "carton", "CT"),
        (Choices.COUNTRIES, "Kenya", "KE"),
        (Choices.MEMBERS, "ke", "KE"),
        (Choices.UNITS, "kilogram", "KGM"),
        (Choices.UNITS, "XYZ", "XYZ"),
        (Choices.PLACES, "ZMZZZ", "ZMZZZ"),
        (Choices.ATTACHMENTS, "1", "1"),
        (Choices.CRITERIA, "P", "P"),
    ],
)
def test_a_code_is_found_by_itself_its_name_or_both(
    choices: Choices, written: str, code: str
) -> None:
    lists = Lists(Words(EN), load_agreements()["COMESA"])
    assert lists.code_in(choices, written) == code


@pytest.mark.parametrize(
    ("choices", "written"),
    [
        (Choices.MEMBERS, "TZ"),
        (Choices.COUNTRIES, "XX"),
        (Choices.PACKAGES, "Crate of wonders"),
        (Choices.UNITS, "no code at all"),
        (Choices.KINDS, "standard2"),
        (Choices.CRITERIA, "Q"),
        (Choices.CURRENCIES, "ZZZ"),
    ],
)
def test_what_a_list_has_not_is_refused(choices: Choices, written: str) -> None:
    lists = Lists(Words(EN), load_agreements()["COMESA"])
    assert lists.code_in(choices, written) is None


@pytest.mark.parametrize("kind", [each for each in Kind if each is not Kind.PICTURE])
@pytest.mark.parametrize("written", ["a\x00b", "a\x1bb", "\ud800", "a\ufffdb"])
def test_signs_that_no_form_can_show_are_refused_in_every_field(kind: Kind, written: str) -> None:
    lists = Lists(Words(EN), load_agreements()["COMESA"])
    with pytest.raises(InputError, match=r"^control$"):
        read_value(Field("remarks", kind), written, lists)


def test_signs_that_turn_the_direction_of_writing_are_left_out() -> None:
    lists = Lists(Words(EN), load_agreements()["COMESA"])
    assert read_value(Field("remarks"), "a\u202eb\u2066c\u200f", lists) == "abc"
