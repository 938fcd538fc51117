"""Hostile text in every field of a certificate: shown harmlessly on every page of the desks."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import update

from gateway.documents import CertificateOfOrigin
from gateway.operations.letters import paragraph
from gateway.operations.rules import RuleBook
from gateway.store import Alert, AlertLevel, AlertState, PersonRole
from gateway.store.tables import organisations
from gateway.store.tables import peers as peer_table
from gateway.trust.demo_pki import DemoPki
from tests.api.conftest import make_border
from tests.console.house import House, make_house
from tests.console.screen import SESSION, Screen, served, session_of
from tests.databases import copied_stores
from tests.factories import NOW, certificate

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


EVIL = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" autofocus onfocus=alert(1) x="\' style=position:fixed',
    "template": "{{7*7}}{% raw %}${7*7}#{7*7}%(x)s",
    "formula": '=HYPERLINK("https://evil.example","x")',
    "bidi": "abc \u202egnp.exe\u202c \u2066\u2067 open \u200f\u061c",
    "invisible": "Na\u200bkam\u2060ba\ufeffla\u00adS\U000e0041ugar",
    "long word": "Nakambala" * 21,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈🇿🇲" * 6,
    "stacked": "Z" + "\u0301\u0338\u20dd" * 30,
    "arabic": "شركة <b>النيل</b> الأزرق =1+1 'المحدودة'",
}
"""Texts that somebody might write into any field, by what is evil about them."""


def serial_of(kind: str) -> str:
    return f"ZM-20260309-{list(EVIL).index(kind) + 301:06}"


def hostile_certificate(
    text: str = HOSTILE, serial: str = SERIAL
) -> tuple[CertificateOfOrigin, list[str]]:
    """Return a certificate with hostile text wherever its form admits any text, and where."""
    tree = json.loads(certificate(serial_number=serial).model_dump_json(exclude_none=True)) | EXTRA
    hostile = []
    kept = {("serial_number",), ("exporter", "registration_number"), ("endorsements", 0, "box")}
    kept |= {("issuing_authority", "code")}
    for path in list(leaves_of(tree)):
        if path in kept:
            continue
        for written in (text, text[:60].strip()):
            before = put(tree, path, written)
            try:
                CertificateOfOrigin.model_validate_json(json.dumps(tree))
            except ValidationError:
                put(tree, path, before)
            else:
                hostile.append(".".join(str(step) for step in path))
                break
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
        for kind, text in EVIL.items():
            document, fields = hostile_certificate(text, serial_of(kind))
            assert len(fields) > 25, (kind, fields)
            answer = border.zm.submit(document)
            assert answer.status_code == 202, answer.json
        border.deliver()
        houses = {"zm": make_house(border.zm), "ke": make_house(border.ke)}
        for house in houses.values():
            _rename(house)
        yield houses


def _rename(house: House) -> None:
    """Give organisations and peers names that somebody evil might have chosen."""
    with house.desk.store.begin() as conn:
        conn.execute(update(organisations).values(name=HOSTILE))
        conn.execute(update(peer_table).values(name=HOSTILE))


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


EVERYWHERE = [
    ("zm", PersonRole.ISSUING_OFFICER, "/certificates/ZM/{serial}"),
    ("ke", PersonRole.CUSTOMS_OFFICER, "/certificates/ZM/{serial}"),
    ("ke", PersonRole.CUSTOMS_OFFICER, "/desk/ZM/{serial}"),
    ("ke", PersonRole.AUDITOR, "/verification/ZM/{serial}"),
]
LISTS = [
    ("zm", PersonRole.ISSUING_OFFICER, "/issuing"),
    ("zm", PersonRole.ISSUING_OFFICER, "/"),
    ("ke", PersonRole.CUSTOMS_OFFICER, "/desk"),
    ("ke", PersonRole.CUSTOMS_OFFICER, "/account"),
    ("ke", PersonRole.AUDITOR, "/reports"),
    ("ke", PersonRole.AUDITOR, "/journal"),
    ("zm", PersonRole.OPERATOR, "/operating/peers"),
    ("zm", PersonRole.OPERATOR, "/operating/peers/KE-SW"),
    ("zm", PersonRole.OPERATOR, "/operating/messages"),
    ("zm", None, "/contacts"),
]
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


INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad\U000e0000-\U000e007f]")
FILES = ("journal", "pairs", "months", "kinds", "chapters", "times", "reasons", "rules", "overdue")


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


def asked(house: House, role: PersonRole | None, path: str) -> str:
    browser = house.browser() if role is None else house.as_role(role)
    answer = browser.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("kind", EVIL)
def test_no_text_of_any_kind_lives_on_any_page(hostile_houses: dict[str, House], kind: str) -> None:
    for side, role, path in EVERYWHERE:
        page = asked(hostile_houses[side], role, path.format(serial=serial_of(kind)))
        require_harmless(page)
        assert not INVISIBLE.search(page), path


@pytest.mark.parametrize(("side", "role", "path"), LISTS)
def test_no_text_of_any_kind_lives_in_any_list(
    hostile_houses: dict[str, House], side: str, role: PersonRole | None, path: str
) -> None:
    page = asked(hostile_houses[side], role, path)
    require_harmless(page)
    assert not INVISIBLE.search(page)


@pytest.mark.parametrize("table", FILES)
def test_no_cell_of_a_file_of_hostile_certificates_is_a_formula(
    hostile_houses: dict[str, House], table: str
) -> None:
    path = (
        "/journal.csv"
        if table == "journal"
        else f"/reports/{table}.csv?since=2026-01&until=2026-12"
    )
    text = asked(hostile_houses["ke"], PersonRole.AUDITOR, path)
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


def test_a_letter_about_a_hostile_peer_is_text_of_its_own_lines() -> None:
    """Mail is what leaves the house: no line, direction or sign of others gets into it."""
    rules = RuleBook.load()
    facts = dict.fromkeys(("peer", "count", "detail", "code", "since"), HOSTILE + "\r\nBcc: x\n")
    alert = Alert(
        id=1,
        rule="dead-letters",
        subject=HOSTILE,
        level=AlertLevel.WARNING,
        state=AlertState.OPEN,
        facts=facts,
        first_at=NOW,
        last_at=NOW,
        step="",
        count=1,
        told_at=None,
        acknowledged_by=None,
        acknowledged_at=None,
        acknowledged_why=None,
        cleared_at=None,
    )
    said = paragraph(rules, alert, "en").says
    assert "<script>" in said
    assert not re.search("[\r\n\u202a-\u202e\u2066-\u2069\u200e\u200f]", said)


@pytest.mark.xdist_group("console-browser")
def test_no_text_of_any_kind_breaks_the_layout_of_a_small_screen(
    hostile_houses: dict[str, House], screen: Screen
) -> None:
    broken = []
    for side, house in hostile_houses.items():
        with served(house.app) as server:
            base = f"https://127.0.0.1:{server.server_port}"
            views: dict[PersonRole | None, Any] = {}
            for path, role in _looked_at(side):
                view = views.get(role) or views.setdefault(role, _view(screen, house, role, base))
                view.faults.clear()
                view.goto(f"{base}{path}")
                wide = view.evaluate("document.documentElement.scrollWidth - innerWidth")
                if wide > 0 or view.faults:
                    broken.append((path, wide, list(view.faults)))
            for view in views.values():
                view.context.close()
    assert broken == []


def _looked_at(side: str) -> Iterator[tuple[str, PersonRole | None]]:
    yield from ((path, role) for place, role, path in LISTS if place == side)
    for kind in EVIL:
        for place, role, path in EVERYWHERE[1:3]:
            if place == side:
                yield path.format(serial=serial_of(kind)), role


def _view(screen: Screen, house: House, role: PersonRole | None, base: str) -> Any:
    context = screen.browser.new_context(
        ignore_https_errors=True, viewport={"width": 360, "height": 740}
    )
    token = session_of(house, role)
    if token is not None:
        cookie = {"name": SESSION, "value": token, "url": base, "secure": True}
        context.add_cookies([cookie])
    view = context.new_page()
    view.faults = []
    view.on("pageerror", lambda error: view.faults.append(str(error)))
    view.on("console", lambda message: view.faults.append(message.text))
    view.on("dialog", lambda dialog: view.faults.append(dialog.message))
    return view
