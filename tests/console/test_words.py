"""Words of the console: every text in three languages, every page without foreign words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markupsafe import Markup

from gateway.documents import Language
from gateway.web import console
from gateway.web.console.words import Words, plain, texts

ROOM = Path(console.__file__).parent
SOURCES = sorted([*ROOM.glob("templates/*.html"), *ROOM.glob("*.py")])
_KEY = re.compile(r"\bt\('([a-z_]+\.[A-Za-z_]+)'")
_GROUP = re.compile(r"\bt\.word\('([a-z_]+)'")
_BARE = re.compile(r">([^<>{}]*[A-Za-z؀-ۿ]{2,}[^<>{}]*)<")
_PLACE = re.compile(r"\{(\w+)\}")


def test_every_text_that_a_page_names_exists_in_three_languages() -> None:
    named = {key for file in SOURCES for key in _KEY.findall(file.read_text("utf-8"))}
    assert named
    assert named <= texts().keys()


def test_every_vocabulary_that_a_page_words_has_words() -> None:
    groups = {name for file in SOURCES for name in _GROUP.findall(file.read_text("utf-8"))}
    known = {key.split(".")[0] for key in texts()}
    assert groups
    assert groups <= known


@pytest.mark.parametrize("file", sorted(ROOM.glob("templates/*.html")), ids=lambda file: file.stem)
def test_no_template_holds_a_text_of_its_own(file: Path) -> None:
    source = re.sub(r"\{[%#{].*?[%#}]\}", "", file.read_text("utf-8"), flags=re.DOTALL)
    assert _BARE.findall(source) == []


@pytest.mark.parametrize("key", sorted(texts()))
def test_the_three_languages_of_a_text_take_the_same_values(key: str) -> None:
    forms = [
        list(text.values()) if isinstance(text, dict) else [text]
        for text in (texts()[key][each.value] for each in Language)
    ]
    places = [{name for form in each for name in _PLACE.findall(form)} for each in forms]
    assert places[0] == places[1] == places[2]


@pytest.mark.parametrize("language", Language)
def test_a_value_in_a_text_is_escaped_and_isolated(language: Language) -> None:
    said = Words(language)("found.nothing", words='<script>alert("x")</script>\u202e')
    assert "<script>" not in said
    assert "\u202e" not in said
    assert "<bdi>&lt;script&gt;" in said


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\t", "\u2028"])
def test_a_space_of_any_kind_is_shown_as_one(space: str) -> None:
    assert plain(f"il y a 5{space}jours") == Markup('<bdi dir="auto">il y a 5 jours</bdi>')


def test_text_of_others_is_shown_harmlessly() -> None:
    assert plain("a\u202eb<i>\x07") == Markup('<bdi dir="auto">ab&lt;i&gt;\ufffd</bdi>')
