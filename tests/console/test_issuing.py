"""The issuing desk: where certificates are, what customs did, submitting by file, resending."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable

import pytest

from gateway.documents import CertificateOfOrigin, DocumentType, UtilisationStatus
from gateway.documents.customs_response import Reason
from gateway.store import (
    DeliveryState,
    JournalAction,
    PersonRole,
    Side,
    Store,
    certificates,
    journal,
    outbox,
)
from gateway.trust import sign
from gateway.trust.demo_pki import DemoPki
from gateway.web.console import issuing
from tests.api.conftest import Border, make_border
from tests.console.house import Browser, House, make_house
from tests.exchange.corridor import TABLES, decide
from tests.factories import certificate

OFFICER = PersonRole.ISSUING_OFFICER
SERIAL = "ZM-20260309-000123"


def numbered(last: int) -> CertificateOfOrigin:
    return certificate(serial_number=f"ZM-20260309-{last:06}")


@pytest.fixture
def border(pki: DemoPki, files: Callable[[], Store]) -> Border:
    return make_border(pki, files)


@pytest.fixture
def zambia(border: Border) -> House:
    return make_house(border.zm)


def upload(browser: Browser, raw: bytes, step: str = "check", **form: str):
    browser.get("/issuing/submit")
    return browser.post(
        "/issuing/submit", file=(io.BytesIO(raw), "certificates.txt"), step=step, **form
    )


def send_checked(browser: Browser):
    assert browser.last is not None
    page = browser.last.get_data(as_text=True)
    carried = re.search(r'name="carried" value="([^"]*)"', page)
    form = re.search(r'name="format" value="([^"]*)"', page)
    assert carried is not None
    assert form is not None
    return browser.post("/issuing/submit", carried=carried[1], format=form[1], step="send")


def registered(house: House, serial: str = SERIAL):
    with house.desk.store.read() as conn:
        return certificates.find(conn, Side.ISSUED, "ZM", serial)


def test_a_file_is_checked_without_effect_then_submitted_and_on_its_way(zambia: House) -> None:
    browser = zambia.as_role(OFFICER)
    page = upload(browser, certificate().model_dump_json().encode()).get_data(as_text=True)
    assert "In order; nothing was sent yet." in page
    assert "KE-SW" in page
    assert registered(zambia) is None
    page = send_checked(browser).get_data(as_text=True)
    assert "on its way" in page
    assert registered(zambia) is not None


def test_submitting_twice_sends_once_and_says_so(zambia: House) -> None:
    browser = zambia.as_role(OFFICER)
    raw = certificate().model_dump_json().encode()
    upload(browser, raw, step="send")
    page = upload(browser, raw, step="send").get_data(as_text=True)
    assert "nothing was sent twice" in page
    with zambia.desk.store.read() as conn:
        assert len(outbox.page(conn, limit=9)) == 1


def test_findings_name_box_cause_and_remedy(zambia: House) -> None:
    bad = certificate(items=(certificate().items[0].model_copy(update={"hs_code": "999999"}),))
    page = upload(zambia.as_role(OFFICER), bad.model_dump_json().encode()).get_data(as_text=True)
    assert "would be refused" in page
    assert re.search(r"box <bdi>7</bdi>", page)
    assert "items[0].hs_code" in page
    assert 'name="carried"' not in page


def test_signed_xml_goes_on_byte_for_byte(border: Border, zambia: House) -> None:
    kind = DocumentType.CERTIFICATE_OF_ORIGIN
    signer = border.corridor.zm.desk.signer(kind)
    raw = sign(TABLES[kind].render(certificate()), signer)
    browser = zambia.as_role(OFFICER)
    upload(browser, raw)
    assert "on its way" in send_checked(browser).get_data(as_text=True)
    with zambia.desk.store.read() as conn:
        assert certificates.content(conn, certificates.find(conn, Side.ISSUED, "ZM", SERIAL)) == raw


def test_a_national_format_is_taken_by_its_name(zambia: House) -> None:
    raw = zambia.front.counter.national["csv-lines"].write(certificate())
    page = upload(zambia.as_role(OFFICER), raw, format="csv-lines").get_data(as_text=True)
    assert "In order" in page


@pytest.mark.parametrize(
    ("raw", "form"),
    [(b"", ""), (b"hello", ""), (b"{}", "json"), (b"<a/>", "xml"), (b"x", "no-such-format")],
)
def test_what_is_no_certificate_is_said_so(zambia: House, raw: bytes, form: str) -> None:
    answer = upload(zambia.as_role(OFFICER), raw, format=form)
    page = answer.get_data(as_text=True)
    assert answer.status_code < 500
    assert "Nothing was sent." in page


def test_certificates_of_another_authority_are_not_taken(zambia: House) -> None:
    own = certificate().issuing_authority.model_copy(update={"code": "ZM-OTHER"})
    raw = certificate(issuing_authority=own).model_dump_json().encode()
    page = upload(zambia.as_role(OFFICER), raw).get_data(as_text=True)
    assert "NOT_PERMITTED" in page


def test_refusals_stand_first_then_withdrawals_then_the_rest(border: Border, zambia: House) -> None:
    for last in (1, 2, 3, 4):
        assert border.zm.submit(numbered(last)).status_code == 202
    border.deliver()
    reason = Reason(code="ORIGIN_DOUBT", text="The cones are labelled as made elsewhere.")
    customs, status = border.corridor.ke, UtilisationStatus
    for last, decision, quantity in (
        (2, status.REJECTED, None),
        (3, status.PARTIAL, "100"),
        (3, status.WITHDRAWN, None),
        (4, status.PENDING, None),
        (1, status.PARTIAL, "100"),
    ):
        changes = {"reasons": (reason,)} if decision.needs_reason else {}
        serial = numbered(last).serial_number
        decide(customs, decision, quantity, serial_number=serial, **changes)
    border.deliver()
    page = zambia.as_role(OFFICER).get("/issuing").get_data(as_text=True)
    section = page[page.index("What customs did") : page.index("<h2>Issued")]
    assert re.findall(r"/certificates/ZM/ZM-20260309-00000(\d)", section) == ["2", "3", "4", "1"]
    assert "Origin of the goods is doubted" in section
    refused = zambia.as_role(OFFICER).get(f"/certificates/ZM/{numbered(2).serial_number}")
    assert "labelled as made elsewhere" in refused.get_data(as_text=True)


def test_feedback_is_paged_and_narrowed_to_one_urgency(
    border: Border, zambia: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = Reason(code="ORIGIN_DOUBT", text="The cones are labelled as made elsewhere.")
    for last, decision, more in (
        (1, UtilisationStatus.REJECTED, {"reasons": (reason,)}),
        (2, UtilisationStatus.ACCEPTED, {}),
        (3, UtilisationStatus.ACCEPTED, {}),
    ):
        border.zm.submit(numbered(last))
        border.deliver()
        serial = numbered(last).serial_number
        decide(border.corridor.ke, decision, serial_number=serial, **more)
        border.deliver()
    monkeypatch.setattr(issuing, "_EACH", 1)
    browser, seen, path = zambia.as_role(OFFICER), [], "/issuing/feedback"
    for _ in range(3):
        page = browser.get(path).get_data(as_text=True)
        seen += re.findall(r"/certificates/ZM/ZM-20260309-00000(\d)", page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        path = "" if following is None else html.unescape(following[1])
    assert (sorted(seen), seen[0], path) == (["1", "2", "3"], "1", "")
    page = browser.get("/issuing/feedback?urgency=REFUSED").get_data(as_text=True)
    assert re.findall(r"/certificates/ZM/ZM-20260309-00000(\d)", page) == ["1"]
    assert browser.get("/issuing/feedback?urgency=x&cursor=y").status_code == 400


def test_each_certificate_says_where_it_is(border: Border, zambia: House) -> None:
    border.zm.submit(numbered(1))
    border.deliver()
    border.zm.submit(numbered(2))
    page = zambia.as_role(OFFICER).get("/issuing").get_data(as_text=True)
    issued = page[page.index("<h2>Issued") :]
    places = re.findall(r'class="place">.*?state-(\w+)"', issued, re.S)
    assert sorted(places) == ["queued", "received"]


def message_of(house: House):
    with house.desk.store.read() as conn:
        return outbox.page(conn, limit=1)[0]


def test_a_message_is_held_and_let_go_in_the_name_of_the_officer(
    border: Border, zambia: House
) -> None:
    border.zm.submit(certificate())
    browser = zambia.as_role(OFFICER)
    page = browser.get("/issuing").get_data(as_text=True)
    (hold,) = re.findall(r'action="(/issuing/messages/[^"]+/hold)"', page)
    assert browser.post(hold, reason="wrong truck").headers["Location"] == "/issuing?done=held"
    assert message_of(zambia).state is DeliveryState.HELD
    border.deliver()
    assert message_of(zambia).state is DeliveryState.HELD
    page = browser.get("/issuing").get_data(as_text=True)
    (again,) = re.findall(r'action="(/issuing/messages/[^"]+/resend)"', page)
    browser.post(again, reason="right truck after all")
    border.deliver()
    assert message_of(zambia).state is DeliveryState.DELIVERED
    with zambia.desk.store.read() as conn:
        for action in (JournalAction.DISPATCH_HELD, JournalAction.DISPATCH_RELEASED):
            (entry,) = journal.page(conn, action=action, limit=9)
            assert entry.actor == "user:issuing-officer"


def test_without_a_reason_nothing_is_held(border: Border, zambia: House) -> None:
    border.zm.submit(certificate())
    browser = zambia.as_role(OFFICER)
    browser.get("/issuing")
    number = message_of(zambia).message_id
    assert browser.post(f"/issuing/messages/{number}/hold", reason=" ").status_code == 400
    assert message_of(zambia).state is DeliveryState.QUEUED


def test_messages_of_others_cannot_be_held(border: Border, zambia: House) -> None:
    border.zm.submit(certificate())
    with zambia.desk.store.begin() as conn:
        from sqlalchemy import update

        from gateway.store.tables import organisations

        conn.execute(
            update(organisations)
            .where(organisations.c.kind == "ISSUING_AUTHORITY")
            .values(authority_code="ZM-OTHER")
        )
    browser = zambia.as_role(OFFICER)
    browser.get("/issuing")
    number = message_of(zambia).message_id
    for deed in ("hold", "resend"):
        path = f"/issuing/messages/{number}/{deed}"
        assert browser.post(path, reason="mischief").status_code == 404
    assert message_of(zambia).state is DeliveryState.QUEUED
