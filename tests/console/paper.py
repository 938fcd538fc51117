"""The form for a certificate as a browser without scripts holds it."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

from werkzeug.test import TestResponse

from tests.console.house import Browser
from tests.factories import certificate

FORM = "/issuing/form"


class _Fields(HTMLParser):
    """Collects what a browser would send of the form."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._inside = False
        self._open: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        if tag == "form":
            self._inside = own.get("id") == "drafting"
        name = own.get("name") or ""
        if not self._inside or own.get("type") == "file":
            return
        if tag == "input" and (own.get("type") != "checkbox" or "checked" in own):
            self.found[name] = own.get("value") or ""
        if tag in ("select", "textarea"):
            self._open = name
            self.found[name] = ""
        if tag == "option" and self._open and "selected" in own:
            self.found[self._open] = own.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self._open and self.lasttag == "textarea":
            self.found[self._open] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._open:
            self.found[self._open] = self.found[self._open].removeprefix("\n")
        if tag in ("select", "textarea"):
            self._open = None
        if tag == "form":
            self._inside = False


def fields_of(answer: TestResponse) -> dict[str, str]:
    """Return the fields of the form in a page with what stands in them."""
    assert answer.status_code == 200, answer.get_data(as_text=True)
    reader = _Fields()
    reader.feed(answer.get_data(as_text=True))
    assert reader.found, answer.get_data(as_text=True)
    return reader.found


def opened(browser: Browser, tree: Any) -> dict[str, str]:
    """Return the fields of a form that was filled with a document."""
    browser.get(FORM)
    return fields_of(browser.post(f"{FORM}/open", pasted=json.dumps(tree)))


def tree(**changes: Any) -> dict[str, Any]:
    """Return a good certificate as JSON holds it; arguments replace what stands at the top."""
    plain: dict[str, Any] = json.loads(certificate().model_dump_json(exclude_none=True))
    return plain | changes


def pressed(browser: Browser, fields: dict[str, str], step: str, **changes: str) -> TestResponse:
    """Press a button of the form."""
    return browser.post(FORM, **(fields | changes), step=step)


def noted(answer: TestResponse) -> dict[str, str]:
    """Return what is said at each field of a page, by the field's id."""
    reader = _Notes()
    reader.feed(answer.get_data(as_text=True))
    return {name: " ".join(said.split()) for name, said in reader.found.items() if said.strip()}


class _Notes(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._at: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        if tag == "div":
            self._at = own.get("data-for")
            if self._at:
                self.found[self._at] = ""

    def handle_data(self, data: str) -> None:
        if self._at:
            self.found[self._at] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self._at = None
