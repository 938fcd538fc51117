"""Submitting by form, without scripts: fill, change rows, check, sign and send."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import pytest

from gateway.documents import CertificateOfOrigin, from_json
from gateway.documents.fields import leaves
from gateway.documents.shape import shape_finding
from gateway.exchange.intake import read_message
from gateway.services import submission
from gateway.store import (
    JournalAction,
    PersonRole,
    Side,
    certificates,
    journal,
    outbox,
)
from gateway.trust.demo_pki import DemoPki
from gateway.web.console.drafting_fields import within
from gateway.web.console.drafting_sheet import fields, repeated
from gateway.web.console.words import texts
from tests.api.conftest import Border, make_border
from tests.console.house import Browser, House, make_house
from tests.console.paper import FORM, fields_of, noted, opened, pressed, tree
from tests.databases import copied_stores
from tests.factories import certificate

OFFICER = PersonRole.ISSUING_OFFICER
SERIAL = "ZM-20260309-000123"
ANOTHER = "ZM-20260309-000777"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(50)


@pytest.fixture(scope="module")
def border(
    pki: DemoPki, sqlite_template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Border]:
    """Gives a border over which one certificate went; tests send others under other numbers."""
    with copied_stores(sqlite_template, tmp_path_factory.mktemp("drafting")) as make:
        made = make_border(pki, make)
        assert made.zm.submit(certificate()).status_code == 202
        made.deliver()
        yield made


@pytest.fixture(scope="module")
def zambia(border: Border) -> House:
    return make_house(border.zm)


@pytest.fixture
def officer(zambia: House) -> Browser:
    return zambia.as_role(OFFICER)


def registered(house: House, serial: str):
    with house.desk.store.read() as conn:
        return certificates.find(conn, Side.ISSUED, "ZM", serial)


def sent_document(house: House, serial: str) -> CertificateOfOrigin:
    with house.desk.store.read() as conn:
        raw = certificates.content(conn, certificates.find(conn, Side.ISSUED, "ZM", serial))
    document, _ = read_message(house.front.desk, raw)
    assert isinstance(document, CertificateOfOrigin)
    return document


def in_the_list(answer) -> list[str]:
    page = answer.get_data(as_text=True)
    return re.findall(r'<li class="severity-\w+"><a href="#([^"]+)"', page)


# --- the sheet ------------------------------------------------------------------------------


def test_every_datum_of_the_document_has_its_field_and_every_field_its_words() -> None:
    known = fields()
    assert [
        leaf for leaf in leaves(CertificateOfOrigin) if not any(within(leaf, f) for f in known)
    ] == []
    for field in known.values():
        assert f"draft_field.{field.label}" in texts()
    for rows in repeated().values():
        assert {f"draft_part.{rows.word}", f"draft_part.{rows.word}_one"} <= texts().keys()
        assert f"draft_add.{rows.word}" in texts()


def test_no_field_stands_within_another() -> None:
    paths = list(fields())
    assert [(a, b) for a in paths for b in paths if a != b and within(a, b)] == []


def test_a_document_put_into_the_form_comes_out_as_it_was(zambia: House, officer: Browser) -> None:
    whole = {
        "endorsements": [{"box": "5", "text": "SEEN"}],
        "remarks": "first line\nsecond line",
        "export_declaration": {"number": "ZM2026CHR1", "issued_on": "2026-03-08"},
        "attachments": [
            {
                "identifier": "A-1",
                "type_code": "380",
                "file_name": "invoice.pdf",
                "media_type": "application/pdf",
                "size": 12345,
                "sha256": "0" * 64,
            }
        ],
        "consent_to_publication": True,
    }
    said = tree(serial_number="ZM-20260309-000501", **whole)
    said["transport"]["equipment"] = [
        {"identifier": "MSKU1234565", "seals": ["S-1", "S-2"]},
        {"identifier": "MSKU7654321", "seals": []},
    ]
    said["items"][0]["translations"] = [{"language": "fr", "text": "Fils de coton, simples"}]
    checked = pressed(officer, opened(officer, said), "check")
    answer = pressed(officer, fields_of(checked), "send")
    assert answer.status_code == 303, checked.get_data(as_text=True)
    expected = from_json(CertificateOfOrigin, json.dumps(said))
    assert sent_document(zambia, "ZM-20260309-000501") == expected


# --- checking and sending -------------------------------------------------------------------


def test_a_form_is_checked_without_effect_then_sent_and_arrives(
    border: Border, zambia: House, officer: Browser
) -> None:
    filled = opened(officer, tree(serial_number="ZM-20260309-000201"))
    answer = pressed(officer, filled, "check")
    page = answer.get_data(as_text=True)
    assert "In order; nothing was sent yet." in page
    assert "KE-SW" in page
    assert registered(zambia, "ZM-20260309-000201") is None
    answer = pressed(officer, fields_of(answer), "send")
    assert answer.headers["Location"] == f"{FORM}/sent/ZM-20260309-000201"
    page = officer.get(answer.headers["Location"]).get_data(as_text=True)
    assert "on its way" in page
    border.deliver()
    with border.ke.desk.store.read() as conn:
        row = certificates.find(conn, Side.RECEIVED, "ZM", "ZM-20260309-000201")
    assert row is not None
    with zambia.desk.store.read() as conn:
        (entry,) = journal.page(
            conn, action=JournalAction.API_SUBMITTED, subject="ZM-20260309-000201", limit=5
        )
    assert entry.actor == "user:issuing-officer"


def test_pressing_twice_sends_once(zambia: House, officer: Browser) -> None:
    filled = opened(officer, tree(serial_number="ZM-20260309-000202"))
    filled = fields_of(pressed(officer, filled, "check"))
    for _ in range(2):
        answer = pressed(officer, filled, "send", seal=filled["seal"])
        assert answer.headers["Location"].endswith("000202")
    with zambia.desk.store.read() as conn:
        same = [
            each
            for each in outbox.page(conn, limit=99)
            if each.document_number == "ZM-20260309-000202"
        ]
    assert len(same) == 1


def test_a_form_changed_since_is_checked_again_and_not_sent(
    zambia: House, officer: Browser
) -> None:
    filled = opened(officer, tree(serial_number="ZM-20260309-000203"))
    filled = fields_of(pressed(officer, filled, "check"))
    changed = {"items[0].quantity.value": "11000"}
    answer = pressed(officer, filled, "send", **changed)
    assert "was checked again and not sent" in answer.get_data(as_text=True)
    assert registered(zambia, "ZM-20260309-000203") is None
    answer = pressed(officer, fields_of(answer), "send")
    assert answer.status_code == 303


@pytest.mark.parametrize("checked", ["", "0" * 64, "x"])
def test_nothing_is_sent_unchecked(zambia: House, officer: Browser, checked: str) -> None:
    filled = opened(officer, tree(serial_number="ZM-20260309-000204"))
    answer = pressed(officer, filled, "send", checked=checked)
    assert answer.status_code == 200
    assert registered(zambia, "ZM-20260309-000204") is None


def test_a_finding_stands_at_its_field_and_in_the_list_that_leads_there(officer: Browser) -> None:
    said = tree()
    said["items"][0]["hs_code"] = "999999"
    said["exporter"]["registration_number"] = "COM-1"
    answer = pressed(officer, opened(officer, said), "check")
    notes = noted(answer)
    assert "999999 lies in no chapter" in notes["f-items-0-hs_code"]
    assert "COM-1" in notes["f-exporter-registration_number"]
    assert in_the_list(answer)[-2:] == ["f-exporter-registration_number", "f-items-0-hs_code"]
    page = answer.get_data(as_text=True)
    (field,) = re.findall(r'<input[^>]*id="f-items-0-hs_code"[^>]*>', page)
    assert 'aria-invalid="true"' in field
    (described,) = re.findall(r'aria-describedby="([^"]*)"', field)
    assert all(f'id="{each}"' in page for each in described.split())
    assert "checked" not in fields_of(answer)


def test_rules_speak_before_everything_is_filled_in(officer: Browser) -> None:
    officer.get(FORM)
    filled = fields_of(officer.get(f"{FORM}/new"))
    filled |= {"items[0].hs_code": "999999", "exporter.registration_number": "COM-1"}
    notes = noted(pressed(officer, filled, "check"))
    assert "lies in no chapter" in notes["f-items-0-hs_code"]
    assert "COM-1" in notes["f-exporter-registration_number"]
    assert notes["f-consignee-name"] == "to be mended: This must be filled in."


def test_what_the_other_side_would_find_is_said_beforehand(
    zambia: House, officer: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = shape_finding("transport", "the way is closed")
    monkeypatch.setattr(submission, "_at_receipt", lambda *_args, **_extra: (told,))
    answer = pressed(officer, opened(officer, tree(serial_number=ANOTHER)), "check")
    assert "The other side would find" in noted(answer)["f-transport-mode"]
    assert "would refuse it as it stands" in answer.get_data(as_text=True)


def test_a_number_used_before_is_said_at_its_field(officer: Browser) -> None:
    said = tree(remarks="another document under the number of an earlier one")
    notes = noted(pressed(officer, opened(officer, said), "check"))
    assert set(notes) == {"f-serial_number"}


def test_a_state_without_a_gateway_is_said_not_sent(officer: Browser) -> None:
    said = tree(serial_number=ANOTHER, destination_country="EG")
    said["consignee"]["address"]["country"] = "EG"
    answer = pressed(officer, opened(officer, said), "check")
    assert answer.status_code == 200
    assert "No gateway is registered" in answer.get_data(as_text=True)
    assert "checked" not in fields_of(answer)


# --- while somebody types -------------------------------------------------------------------


def test_a_glance_says_what_stands_out_and_counts_what_is_empty(
    zambia: House, officer: Browser
) -> None:
    filled = opened(officer, tree(serial_number=ANOTHER))
    changed = {"items[0].hs_code": "999999", "exporter.name": "", "consignee.name": " "}
    answer = officer.post(f"{FORM}/findings", **(filled | changed))
    notes = noted(answer)
    assert set(notes) == {"f-items-0-hs_code"}
    assert "boxes must still be filled in" in answer.get_data(as_text=True)
    assert "<html" not in answer.get_data(as_text=True)
    assert registered(zambia, ANOTHER) is None


def test_a_glance_is_silent_about_pictures_that_it_was_not_shown(officer: Browser) -> None:
    filled = opened(officer, tree(serial_number=ANOTHER))
    bare = {name: text for name, text in filled.items() if name not in ("stamp",)}
    bare = {name: text for name, text in bare.items() if not name.endswith(".image")}
    assert noted(officer.post(f"{FORM}/findings", **bare)) == {}


# --- rows -----------------------------------------------------------------------------------


def test_rows_are_added_and_removed_with_nothing_lost(officer: Browser) -> None:
    filled = opened(officer, tree())
    more = fields_of(pressed(officer, filled, "add:items", remarks="kept"))
    assert more["items[1].number"] == "2"
    assert more["remarks"] == "kept"
    assert {k: v for k, v in filled.items() if k not in ("seal", "remarks")}.items() <= more.items()
    more |= {"items[1].description": "Cotton thread on spools"}
    more = fields_of(pressed(officer, more, "add:items[1].invoices"))
    more |= {"items[1].invoices[0].number": "INV-2"}
    less = fields_of(pressed(officer, more, "remove:items[0]"))
    assert less["items[0].description"] == "Cotton thread on spools"
    assert less["items[0].invoices[0].number"] == "INV-2"
    assert not [name for name in less if name.startswith("items[1]")]


def test_the_focus_goes_to_the_new_row_and_after_removal_to_the_button(officer: Browser) -> None:
    filled = opened(officer, tree())
    page = pressed(officer, filled, "add:transport.transit").get_data(as_text=True)
    assert re.search(r'id="f-transport-transit-1-name"[^>]*autofocus', page)
    filled = fields_of(officer.last)
    page = pressed(officer, filled, "remove:transport.transit[1]").get_data(as_text=True)
    assert re.search(r'id="add-f-transport-transit"[^>]*autofocus', page)


def test_rows_left_empty_are_no_part_of_the_certificate_and_move_no_finding(
    officer: Browser,
) -> None:
    filled = opened(officer, tree(serial_number=ANOTHER))
    for _ in range(2):
        filled = fields_of(pressed(officer, filled, "add:transport.documents"))
    filled["transport.documents[2].type_code"] = "730"
    notes = noted(pressed(officer, filled, "check"))
    assert notes == {"f-transport-documents-2-number": "to be mended: This must be filled in."}


@pytest.mark.parametrize(
    "step",
    [
        "add:",
        "add:exporter",
        "add:items[7].invoices",
        "add:items[0]",
        "remove:items",
        "remove:exporter.name",
        "drop:exporter.name",
        "add:items\x00",
        "fly:items",
        "add:" + "items[0]." * 500,
    ],
)
def test_a_button_that_the_form_has_not_is_refused(officer: Browser, step: str) -> None:
    filled = opened(officer, tree())
    assert pressed(officer, filled, step).status_code == 400


# --- pictures -------------------------------------------------------------------------------


def test_pictures_are_carried_dropped_and_refused_if_they_are_none(officer: Browser) -> None:
    filled = opened(officer, tree(stamp=None, serial_number=ANOTHER))
    assert "f-stamp" in noted(pressed(officer, filled, "check"))
    kept = fields_of(pressed(officer, filled, "check", stamp=(io.BytesIO(PICTURE), "stamp.png")))
    assert kept["stamp"]
    page = pressed(officer, kept, "check").get_data(as_text=True)
    assert "data:image/png;base64," in page
    assert "stamp" not in fields_of(pressed(officer, kept, "drop:stamp"))
    for content in (b"<svg onload=x>", PICTURE + bytes(200_000)):
        answer = pressed(officer, filled, "check", stamp=(io.BytesIO(content), "stamp.png"))
        assert "PNG or JPEG" in noted(answer)["f-stamp"]
        assert "stamp" not in fields_of(answer)


# --- beginning ------------------------------------------------------------------------------


def test_an_empty_form_proposes_number_dates_and_signatory(officer: Browser) -> None:
    filled = fields_of(officer.get(f"{FORM}/new?agreement=COMESA"))
    assert re.fullmatch(r"ZM-20260310-000\d{3}", filled["serial_number"])
    assert filled["valid_until"] == "2027-03-10"
    assert filled["certification.name"] == "Issuing-Officer Mwale"
    assert filled["issuing_authority.code"] == "ZM-ZRA"


def test_each_agreement_has_its_own_form(officer: Browser) -> None:
    page = officer.get(f"{FORM}/new?agreement=SADC")
    filled = fields_of(page)
    assert filled["agreement"] == "SADC"
    assert filled["serial_number"].startswith("SADC/ZM/")
    countries = re.findall(
        r'<option value="(\w\w)"',
        re.search(r'name="destination_country".*?</select>', page.get_data(as_text=True), re.S)[0],
    )
    assert "TZ" in countries
    assert "KE" not in countries


def test_a_copy_has_a_new_number_and_dates_and_says_what_it_leaves_out(officer: Browser) -> None:
    answer = officer.get(f"{FORM}/copy?serial={SERIAL.lower()}")
    copied = fields_of(answer)
    assert copied["serial_number"] not in ("", SERIAL)
    assert copied["issued_at"] == "2026-03-10T09:00"
    assert copied["exporter.name"] == "Kafue Textiles Ltd"
    assert copied["items[0].description"] == "Cotton yarn, single, uncombed, on cones"
    for left_out in ("transport.departed_on", "transport.means_id", "declaration.signed_at"):
        assert copied[left_out] == ""
    assert not [name for name in copied if "invoices" in name or "stamp" in name]
    page = answer.get_data(as_text=True)
    assert "Not copied" in page
    assert SERIAL in page


def test_a_certificate_of_another_organisation_reads_as_missing(border: Border) -> None:
    kenya = make_house(border.ke).sign_in("wanjiru", OFFICER)
    answers = [
        kenya.get(f"{FORM}/copy?serial={serial}") for serial in (SERIAL, "ZM-20260309-999999")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    answer = kenya.get(f"{FORM}/sent/{SERIAL}")
    assert answer.status_code == 404


def test_incomplete_json_is_opened_and_what_no_box_holds_is_named(officer: Browser) -> None:
    said = {
        "agreement": "COMESA",
        "serial_number": 12,
        "colour": "red",
        "items": [
            {"hs_code": "5205", "quantity": {"value": 12.5, "unit": ["KGM"]}},
            {"x": {"y": 1}},
        ],
        "exporter": "Kafue",
        "transport": None,
    }
    officer.get(FORM)
    answer = officer.post(f"{FORM}/open", pasted=json.dumps(said))
    filled = fields_of(answer)
    assert filled["serial_number"] == "12"
    assert filled["items[0].hs_code"] == "5205"
    assert filled["items[0].quantity.value"] == "12.5"
    page = answer.get_data(as_text=True)
    for strange in ("colour", "exporter", "items[1].x.y"):
        assert f">{strange}</bdi>" in page
    assert pressed(officer, filled, "check").status_code == 200


def test_a_national_format_and_signed_xml_are_opened(zambia: House, officer: Browser) -> None:
    raw = zambia.front.counter.national["csv-lines"].write(certificate(serial_number=ANOTHER))
    officer.get(FORM)
    filled = fields_of(
        officer.post(f"{FORM}/open", file=(io.BytesIO(raw), "c.csv"), format="csv-lines")
    )
    assert filled["serial_number"] == ANOTHER
    with zambia.desk.store.read() as conn:
        signed = certificates.content(conn, certificates.find(conn, Side.ISSUED, "ZM", SERIAL))
    officer.get(FORM)
    answer = officer.post(f"{FORM}/open", file=(io.BytesIO(signed), "c.xml"))
    assert fields_of(answer)["serial_number"] == SERIAL
    assert "is signed anew" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("raw", "form"),
    [
        (b"", ""),
        (b"hello", ""),
        (b"[1]", "json"),
        (b"{" * 5000, "json"),
        (b"<a/>", "xml"),
        (b"\x00\x01", "csv-lines"),
        (b"x", "no-such-format"),
        (json.dumps({"items": [{"hs_code": "1"}] * 101}).encode(), ""),
    ],
)
def test_what_cannot_be_opened_is_said_so(officer: Browser, raw: bytes, form: str) -> None:
    officer.get(FORM)
    answer = officer.post(f"{FORM}/open", file=(io.BytesIO(raw), "c"), format=form)
    assert 400 <= answer.status_code < 500
    assert "This cannot be read. Nothing was sent." in answer.get_data(as_text=True)


def test_an_authority_cannot_issue_for_another(officer: Browser) -> None:
    said = tree(serial_number=ANOTHER)
    said["issuing_authority"]["code"] = "ZM-OTHER"
    answer = pressed(officer, opened(officer, said), "check")
    assert "does not issue certificates of this country and authority" in answer.get_data(
        as_text=True
    )
    assert "checked" not in fields_of(answer)
