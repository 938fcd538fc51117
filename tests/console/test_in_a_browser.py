"""Every page in a real browser: what axe finds, what overflows a small screen, what complains."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.documents import Language
from gateway.web.console.pages import Page
from tests.console.screen import GETS, Screen, is_html, sight

pytestmark = pytest.mark.xdist_group("console-browser")

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
ADVISED = (
    "empty-heading",
    "empty-table-header",
    "heading-order",
    "image-redundant-alt",
    "label-title-only",
    "landmark-one-main",
    "landmark-unique",
    "page-has-heading-one",
    "region",
    "skip-link",
    "tabindex",
)
"""What WCAG does not ask in so many words and readers by ear need nonetheless."""
RULES = f"runOnly: {TAGS}, rules: {json.dumps({rule: {'enabled': True} for rule in ADVISED})}"
SMALL, LARGE = {"width": 360, "height": 740}, {"width": 1200, "height": 800}
LANGUAGES = tuple(Language)


def violations(page: Any, rules: str) -> list[Any]:
    found = page.evaluate(f"axe.run({{{rules}, resultTypes: ['violations']}})")["violations"]
    return [(each["id"], [node["html"][:150] for node in each["nodes"]]) for each in found]


def overflow(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize("page", GETS, ids=lambda page: page.name)
def test_a_page_has_no_violation_and_fits_the_screen_in_every_language(
    screen: Screen, page: Page
) -> None:
    """Axe looks in one language, another for each page; everything else in all three."""
    seen = sight(screen.busy, page)
    if not is_html(seen):
        pytest.skip("a file, not a page")
    view = screen.opened(seen.who, seen.house, viewport=SMALL)
    view.faults.clear()
    turn = GETS.index(page) % len(LANGUAGES)
    for language in (*LANGUAGES[turn:], *LANGUAGES[:turn]):
        view.goto(f"{screen.url(seen.house)}{seen.path}?lang={language}")
        assert view.evaluate("document.documentElement.lang") == language
        assert view.evaluate("document.documentElement.dir") == (
            "rtl" if language is Language.ARABIC else "ltr"
        )
        assert overflow(view) <= 0, language
        if language is LANGUAGES[turn]:
            view.evaluate(screen.axe)
            assert violations(view, RULES) == []
            view.emulate_media(color_scheme="dark")
            assert violations(view, "runOnly: ['color-contrast']") == []
            view.emulate_media(color_scheme="light")
    view.set_viewport_size(LARGE)
    assert overflow(view) <= 0
    view.set_viewport_size(SMALL)
    assert view.faults == []
