"""Hostile text in every field of a certificate: shown harmlessly on every page of the desks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.documents import CertificateOfOrigin
from gateway.store import PersonRole
from gateway.trust.demo_pki import DemoPki
from tests.api.conftest import make_border
from tests.console.house import House, make_house
from tests.databases import copied_stores
from tests.factories import certificate

SERIAL = "ZM-20260309-000123"
HOSTILE = "=1+1\"'><script>x</script>\u202e\u2066\u200f{{7*7}}<b onclick=x>"
SHOWN = "&lt;script&gt;x&lt;/script&gt;"
EXTRA: dict[str, Any] = {
    "remarks": "r",
    "endorsements": [{"box": "5", "text": "e"}],
    "consignee": {
        "name": "c",
        "trader_id": "t",
        "address": {"line_one": "a", "line_two": "b", "city": "n", "country": "KE"},
    },
    "export_declaration": {"number": "d", "office_code": "o"},
    "invoices": [{"number": "i", "issuer_name": "n", "issuer_country": "ZM"}],
}


def leaves_of(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every text in a tree."""
    if isinstance(tree, str):
        yield path
    elif isinstance(tree, dict | list):
        pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for key, value in pairs:
            yield from leaves_of(value, (*path, key))


def put(tree: Any, path: tuple[Any, ...], value: str) -> str:
    for step in path[:-1]:
        tree = tree[step]
    before, tree[path[-1]] = tree[path[-1]], value
    return before


def hostile_certificate() -> tuple[CertificateOfOrigin, list[str]]:
    """Return a certificate with hostile text wherever its form admits any text, and where."""
    tree = json.loads(certificate().model_dump_json(exclude_none=True)) | EXTRA
    hostile = []
    kept = {("serial_number",), ("exporter", "registration_number"), ("endorsements", 0, "box")}
    kept |= {("issuing_authority", "code")}
    for path in list(leaves_of(tree)):
        if path in kept:
            continue
        before = put(tree, path, HOSTILE)
        try:
            CertificateOfOrigin.model_validate_json(json.dumps(tree))
            hostile.append(".".join(str(step) for step in path))
        except ValidationError:
            put(tree, path, before)
    return CertificateOfOrigin.model_validate_json(json.dumps(tree)), hostile


@pytest.fixture(scope="module")
def hostile_houses(
    pki: DemoPki, sqlite_template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, House]]:
    """Gives both consoles after a hostile certificate crossed the border."""
    document, fields = hostile_certificate()
    assert len(fields) > 25, fields
    with copied_stores(sqlite_template, tmp_path_factory.mktemp("hostile")) as make:
        border = make_border(pki, make)
        answer = border.zm.submit(document)
        assert answer.status_code == 202, answer.json
        border.deliver()
        yield {"zm": make_house(border.zm), "ke": make_house(border.ke)}


class Watcher(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str | None] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "script":
            self.scripts.append(named.get("src"))
        self.handlers += [name for name in named if name.startswith("on") or name == "style"]


PAGES = [
    ("zm", PersonRole.ISSUING_OFFICER, f"/certificates/ZM/{SERIAL}"),
    ("ke", PersonRole.CUSTOMS_OFFICER, f"/certificates/ZM/{SERIAL}"),
    ("ke", PersonRole.AUDITOR, f"/certificates/ZM/{SERIAL}"),
    ("ke", PersonRole.CUSTOMS_OFFICER, f"/desk/ZM/{SERIAL}"),
    ("ke", PersonRole.CUSTOMS_OFFICER, "/desk"),
    ("zm", PersonRole.ISSUING_OFFICER, "/issuing"),
    ("zm", PersonRole.ISSUING_OFFICER, "/"),
    ("zm", PersonRole.ISSUING_OFFICER, "/find?q=%3D1%2B1"),
]


def require_harmless(page: str) -> None:
    seen = Watcher()
    seen.feed(page)
    assert all(src is not None and src.startswith("/static/") for src in seen.scripts)
    assert seen.handlers == []
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f]", page)


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize(("side", "role", "path"), PAGES)
def test_hostile_text_of_a_certificate_is_shown_harmlessly(
    hostile_houses: dict[str, House], side: str, role: PersonRole, path: str, language: str
) -> None:
    browser = hostile_houses[side].as_role(role)
    joint = "&" if "?" in path else "?"
    answer = browser.follow(f"{path}{joint}lang={language}")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200, page
    assert SHOWN in page
    assert "{{7*7}}" in page
    require_harmless(page)


def test_every_text_of_the_form_is_shown_and_none_of_it_lives(
    hostile_houses: dict[str, House],
) -> None:
    browser = hostile_houses["ke"].as_role(PersonRole.CUSTOMS_OFFICER)
    page = browser.get(f"/certificates/ZM/{SERIAL}").get_data(as_text=True)
    assert page.count(SHOWN) > 20


@pytest.mark.parametrize("field", ["declared_exporter", "declared_hs_1", "remarks", "declaration"])
def test_what_is_typed_into_the_desk_comes_back_harmlessly(
    hostile_houses: dict[str, House], field: str
) -> None:
    browser = hostile_houses["ke"].as_role(PersonRole.CUSTOMS_OFFICER)
    path = f"/desk/ZM/{SERIAL}"
    browser.get(path)
    page = browser.post(path, step="compare", **{field: HOSTILE}).get_data(as_text=True)
    assert SHOWN in page
    seen = Watcher()
    seen.feed(page)
    assert seen.handlers == []
    assert all(src and src.startswith("/static/") for src in seen.scripts)


def test_a_hostile_file_is_judged_harmlessly(hostile_houses: dict[str, House]) -> None:
    browser = hostile_houses["zm"].as_role(PersonRole.ISSUING_OFFICER)
    tree = json.loads(certificate().model_dump_json(exclude_none=True))
    tree |= {"serial_number": HOSTILE, "agreement": HOSTILE, HOSTILE: HOSTILE}
    browser.get("/issuing/submit")
    page = browser.post(
        "/issuing/submit", pasted=json.dumps(tree), format="json", step="check"
    ).get_data(as_text=True)
    require_harmless(page)
