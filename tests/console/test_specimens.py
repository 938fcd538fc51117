"""Stamps and offices at the console: who enters what, what is shown beside a certificate."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from PIL import Image as Drawing

from gateway.documents.parties import Image
from gateway.exchange.circulating import export_directory, import_directory
from gateway.services import specimens
from gateway.services.specimens import EntryOrder
from gateway.store import (
    DirectoryEntry,
    DirectoryKind,
    Duty,
    NewOrganisation,
    OrganisationKind,
    PersonRole,
    clients,
    directory,
)
from gateway.trust.demo_pki import DemoPki
from tests.api.conftest import make_border
from tests.console.house import House, make_house
from tests.databases import copied_stores
from tests.factories import certificate
from tests.paper.pictures import png

STAMP, PEN, OTHER = png(40, 40), png(60, 20), png(30, 30)
ADMINISTRATOR, ORIGIN = PersonRole.ISSUING_ADMINISTRATOR, PersonRole.ORIGIN_UNIT
FORM = {"kind": "STAMP", "name": "Round stamp", "valid_from": "2026-01-01"}


def upload(content: bytes, name: str = "stamp.png", kind: str = "image/png"):
    return (io.BytesIO(content), name, kind)


def enter(house: House, kind: DirectoryKind, picture: bytes | None = None, **changed):
    values = {"authority_code": "ZM-ZRA", "name": "Round stamp", "valid_from": date(2026, 1, 1)}
    made = EntryOrder(**values | changed, picture=picture)
    desk = house.front.desk
    return specimens.enter(desk, kind, Duty.ISSUING, desk.identity.country, made, actor="user:x")


def newest(house: House) -> DirectoryEntry:
    """Return what was entered last."""
    return max(entries(house), key=lambda entry: entry.id)


def entries(house: House) -> tuple[DirectoryEntry, ...]:
    with house.desk.store.read() as conn:
        return directory.newest(conn)


@pytest.fixture(scope="module")
def house(
    pki: DemoPki, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Gives the console of Zambia; what one test enters stays for the next."""
    with copied_stores(sqlite_template, tmp_path_factory.mktemp("directory")) as make:
        made = make_house(make_border(pki, make).zm)
        made.as_role(ADMINISTRATOR)
        yield made


def test_an_administrator_enters_a_stamp_of_the_own_authority(house: House) -> None:
    browser = house.as_role(ADMINISTRATOR)
    assert "Enter a stamp" in browser.get("/directory").get_data(as_text=True)
    browser.get("/directory/new?kind=STAMP")
    form = FORM | {"authority_code": "ZM-OTHER", "duty": "CUSTOMS", "picture": upload(STAMP)}
    answer = browser.post("/directory/new", **form)
    assert answer.status_code == 303
    entry = newest(house)
    assert (entry.authority_code, entry.duty, entry.country) == ("ZM-ZRA", Duty.ISSUING, "ZM")
    assert entry.entered_by == "user:issuing-administrator"
    page = browser.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Round stamp" in page
    shown = browser.get(f"/directory/{entry.id}/picture")
    assert shown.get_data() == STAMP
    assert shown.headers["Content-Type"] == "image/png"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]


EXIF = io.BytesIO()
_labels = Drawing.Exif()
_labels[0x010F] = "Secret Camera Works"
Drawing.linear_gradient("L").save(EXIF, "JPEG", exif=_labels)


def test_what_a_camera_wrote_into_a_picture_never_comes_out_again(house: House) -> None:
    browser = house.as_role(ADMINISTRATOR)
    browser.get("/directory/new?kind=STAMP")
    browser.post("/directory/new", **FORM, picture=upload(EXIF.getvalue(), "a.jpg", "image/jpeg"))
    entry = newest(house)
    shown = browser.get(f"/directory/{entry.id}/picture")
    assert b"Secret Camera" in EXIF.getvalue()
    assert b"Secret Camera" not in shown.get_data()
    assert shown.headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "neither PNG nor JPEG"),
        (STAMP + b"<script>alert(1)</script>", "behind the picture"),
        (STAMP[:50], "damaged"),
        (png(3000, 3000, rows=b""), "four million pixels"),
        (b"", "is missing"),
    ],
    ids=["svg", "polyglot", "cut", "bomb", "none"],
)
def test_a_file_that_is_no_harmless_picture_is_refused_in_words(
    house: House, content: bytes, said: str
) -> None:
    before = entries(house)
    browser = house.as_role(ADMINISTRATOR)
    browser.get("/directory/new?kind=STAMP")
    answer = browser.post("/directory/new", **FORM, picture=upload(content))
    assert answer.status_code in (400, 422)
    page = answer.get_data(as_text=True)
    assert said in page
    assert 'value="Round stamp"' in page  # nothing has to be typed again
    assert entries(house) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "EVERYTHING"},
        {"name": " "},
        {"valid_from": ""},
        {"valid_from": "soon"},
        {"valid_from": "0001-01-01"},
        {"valid_until": "2025-01-01"},
    ],
)
def test_a_form_that_lacks_something_enters_nothing(house: House, changed: dict[str, str]) -> None:
    before = entries(house)
    browser = house.as_role(ADMINISTRATOR)
    browser.get("/directory/new?kind=STAMP")
    answer = browser.post("/directory/new", **FORM | changed, picture=upload(STAMP))
    assert answer.status_code == 400
    assert "too long" in answer.get_data(as_text=True)
    assert entries(house) == before


def test_customs_enter_their_own_offices_and_nothing_of_the_issuing_authority(
    house: House,
) -> None:
    browser = house.as_role(ORIGIN)
    browser.get("/directory/new?kind=OFFICE")
    form = {"kind": "OFFICE", "name": "Origin unit", "valid_from": "2026-01-01", "public": "yes"}
    assert browser.post("/directory/new", **form).status_code == 303
    own = newest(house)
    assert (own.duty, own.is_public) == (Duty.CUSTOMS, True)
    stamp = enter(house, DirectoryKind.STAMP, STAMP)
    page = browser.get(f"/directory/{stamp.id}").get_data(as_text=True)
    assert "Correct this entry" not in page
    for step in ("end", "correct"):
        form = {"step": step, "last_day": "2026-02-01", "reason": "x", "valid_from": "2026-01-01"}
        browser.get(f"/directory/{own.id}")
        assert browser.post(f"/directory/{stamp.id}", name="y", **form).status_code == 403
    assert stamp in entries(house)


def test_an_authority_changes_nothing_of_another_authority(house: House) -> None:
    with house.desk.store.begin() as conn:
        other = NewOrganisation(
            code="ZM-CHAMBER",
            name="Chamber",
            country="ZM",
            kind=OrganisationKind.ISSUING_AUTHORITY,
            authority_code=None,
        )
        clients.add(conn, other, at=house.clock(), actor="user:test")
    theirs = enter(house, DirectoryKind.STAMP, STAMP, authority_code="ZM-CHAMBER")
    browser = house.as_role(ADMINISTRATOR)
    assert browser.get(f"/directory/{theirs.id}").status_code == 200
    browser.get("/directory/new")
    answer = browser.post(f"/directory/{theirs.id}", step="end", last_day="2026-02-01", reason="x")
    assert answer.status_code == 403
    assert theirs in entries(house)


def test_entries_of_another_gateway_are_looked_at_only(house: House) -> None:
    desk = house.front.desk
    order = EntryOrder(
        authority_code="KE-KRA", name="KRA", valid_from=date(2026, 1, 1), picture=STAMP
    )
    foreign = specimens.enter(
        desk, DirectoryKind.STAMP, Duty.ISSUING, "KE", order, actor="user:owner"
    )
    browser = house.as_role(ADMINISTRATOR)
    assert "Correct this entry" not in browser.get(f"/directory/{foreign.id}").get_data(True)
    browser.get("/directory/new")
    answer = browser.post(f"/directory/{foreign.id}", step="end", last_day="2026-02-01", reason="x")
    assert answer.status_code == 403


def test_a_correction_keeps_what_was_and_says_why(house: House) -> None:
    first = enter(house, DirectoryKind.STAMP, STAMP)
    browser = house.as_role(ADMINISTRATOR)
    browser.get(f"/directory/{first.id}")
    form = {"name": "Round stamp", "valid_from": "2026-01-01", "step": "correct"}
    refused = browser.post(f"/directory/{first.id}", **form)
    assert refused.status_code == 400  # without a reason
    answer = browser.post(
        f"/directory/{first.id}", **form, reason="wrong file", picture=upload(OTHER)
    )
    assert answer.status_code == 303
    page = browser.get(answer.headers["Location"]).get_data(as_text=True)
    assert "wrong file" in page
    assert browser.get(f"/directory/{first.id}/picture").get_data() == STAMP
    assert "earlier version" in browser.get(f"/directory/{first.id}").get_data(as_text=True)
    late = browser.post(f"/directory/{first.id}", **form, reason="me too", picture=upload(PEN))
    assert late.status_code == 409
    assert "meanwhile" in late.get_data(as_text=True)
    second = newest(house)
    browser.get(f"/directory/{second.id}")
    ended = {"step": "end", "last_day": "2026-06-30", "reason": "stamp lost"}
    assert browser.post(f"/directory/{second.id}", **ended).status_code == 303
    third = newest(house)
    assert (third.key, third.version) == (first.key, 3)
    assert third.valid_until == date(2026, 6, 30)


def test_the_list_is_narrowed_by_words_kind_and_state_and_never_endless(house: House) -> None:
    browser = house.as_role(ADMINISTRATOR)
    for number in range(105):
        enter(house, DirectoryKind.OFFICE, name=f"Border post {number}", office_code=f"Q-{number}")
    page = browser.get("/directory?words=border+post").get_data(as_text=True)
    assert page.count("Border post") == 100
    assert "<bdi>5</bdi> more are not shown" in page
    page = browser.get("/directory?words=q-104+POST&kind=OFFICE&country=ZM").get_data(as_text=True)
    assert page.count("Border post") == 1
    for nothing in ("kind=STAMP&words=border", "country=KE&words=border", "words=%3Cscript%3E"):
        page = browser.get(f"/directory?{nothing}").get_data(as_text=True)
        assert "Border post" not in page
        assert "Nothing is entered" in page
        assert "<script>" not in page.replace('<script src="/static/console.js" defer>', "")


@pytest.mark.parametrize("path", ["/directory/999", "/directory/999/picture"])
def test_what_is_not_there_is_not_found(house: House, path: str) -> None:
    assert house.as_role(ADMINISTRATOR).get(path).status_code == 404


def test_an_office_has_no_picture(house: House) -> None:
    office = enter(house, DirectoryKind.OFFICE)
    assert house.as_role(ADMINISTRATOR).get(f"/directory/{office.id}/picture").status_code == 404


def test_names_of_any_writing_are_shown_harmlessly(house: House) -> None:
    evil = '"><script>alert(1)</script>'
    entry = enter(house, DirectoryKind.SIGNATURE, PEN, name=evil, officer_number="7")
    enter(house, DirectoryKind.OFFICE, name=evil, email="=cmd|'/c'!A1", is_public=True)
    browser = house.as_role(ADMINISTRATOR)
    for path in ("/directory", f"/directory/{entry.id}", "/contacts"):
        page = browser.get(path).get_data(as_text=True)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


@pytest.fixture(scope="module")
def kenya(
    pki: DemoPki, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Gives Kenya's console with two certificates: of known pictures, and of others."""
    with copied_stores(sqlite_template, tmp_path_factory.mktemp("specimens")) as make:
        border = make_border(pki, make)
        zambia = make_house(border.zm)
        enter(zambia, DirectoryKind.STAMP, STAMP)
        enter(zambia, DirectoryKind.STAMP, OTHER, name="Old stamp", valid_until=date(2026, 3, 8))
        enter(zambia, DirectoryKind.SIGNATURE, PEN, officer_number="ZM-ZRA-SIG-007", name="J. M.")
        signed = export_directory(border.zm.desk, actor="user:x")
        import_directory(border.ke.desk, signed, actor="user:y")
        evil = png(60_000, 60_000, rows=b"")
        for number, stamp, pen in ((1, STAMP, PEN), (2, OTHER, OTHER), (3, evil, b"<svg/>")):
            signer = certificate().certification
            document = certificate(
                serial_number=f"ZM-20260309-00000{number}",
                stamp=picture(stamp),
                certification=signer.model_copy(update={"image": picture(pen)}),
            )
            assert border.zm.submit(document).status_code == 202
        border.deliver()
        yield make_house(border.ke)


def picture(content: bytes) -> Image:
    return Image(media_type="image/png", content=content)


@pytest.mark.parametrize("path", ["/certificates/ZM/", "/desk/ZM/"])
def test_a_certificate_shows_its_pictures_beside_the_specimens_of_its_day(
    kenya: House, path: str
) -> None:
    browser = kenya.as_role(PersonRole.CUSTOMS_OFFICER)
    page = browser.get(f"{path}ZM-20260309-000001").get_data(as_text=True)
    assert page.count("The same picture as the specimen") == 2
    assert "Old stamp" not in page
    for address in re.findall(r'src="(/directory/\d+/picture)"', page):
        assert browser.get(address).status_code == 200


def test_other_pictures_are_pointed_out_with_the_specimens_that_held(kenya: House) -> None:
    browser = kenya.as_role(PersonRole.CUSTOMS_OFFICER)
    page = browser.get("/certificates/ZM/ZM-20260309-000002").get_data(as_text=True)
    assert page.count("Another picture than the specimens") == 2
    assert "Round stamp" in page
    assert "Old stamp" not in page  # it no longer held on the date of issue
    assert "V16" in page


@pytest.mark.parametrize("path", ["/certificates/ZM/", "/desk/ZM/"])
def test_a_bomb_or_script_in_place_of_a_picture_never_reaches_the_browser(
    kenya: House, path: str
) -> None:
    browser = kenya.as_role(PersonRole.CUSTOMS_OFFICER)
    page = browser.get(f"{path}ZM-20260309-000003").get_data(as_text=True)
    assert "data:image" not in page
    assert "Another picture than the specimens" in page
    if path.startswith("/certificates"):
        assert page.count("it is not shown") == 3  # the exporter's is no picture either


def test_a_certificate_of_an_authority_without_specimens_says_nothing_of_them(
    houses: tuple[House, House],
) -> None:
    browser = houses[1].as_role(PersonRole.CUSTOMS_OFFICER)
    page = browser.get("/certificates/ZM/ZM-20260309-000123").get_data(as_text=True)
    assert "beside the specimens" not in page


def test_anybody_sees_only_offices_that_were_marked_and_hold_today(house: House) -> None:
    former = {"is_public": True, "valid_until": date(2026, 3, 1)}
    enter(house, DirectoryKind.OFFICE, name="Open office", telephone="+260 1", is_public=True)
    enter(house, DirectoryKind.OFFICE, name="Secret office")
    enter(house, DirectoryKind.OFFICE, name="Former office", **former)
    enter(house, DirectoryKind.SIGNATURE, PEN, name="Jane Mulenga", is_public=True)
    page = house.browser().get("/contacts").get_data(as_text=True)
    assert "Open office" in page
    assert "+260 1" in page
    for hidden in ("Secret office", "Former office", "Jane Mulenga"):
        assert hidden not in page
