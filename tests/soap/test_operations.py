"""Every operation does what its address of REST does, in both versions of SOAP."""

from __future__ import annotations

import base64
import json

import pytest
from sqlalchemy import update

from gateway.demo.manifest import FOLDER, expand
from gateway.documents import UtilisationStatus
from gateway.services.reference import CodeListView
from gateway.services.wording import CertificateSummary, FindingView, ItemView, ReceiverView
from gateway.store import JournalAction, events, journal
from gateway.store.tables import bodies
from gateway.web.api import answers, telling
from gateway.web.api.soap.contract import _contract
from gateway.web.api.soap.operations import OPERATIONS
from tests.api.counter import AUTHORITY, CUSTOMS, WINDOW
from tests.api.test_handing_over import BAD, SERIAL, counts, signed
from tests.exchange.corridor import action
from tests.factories import NOW, certificate, goods_item
from tests.soap.calls import BOTH, SOAP_12, call, fields, refused

ONE = {"IssuingCountry": "ZM", "SerialNumber": SERIAL}
JSON_TEXT = certificate().model_dump_json()


@pytest.mark.parametrize("version", BOTH)
def test_a_certificate_in_canonical_json_is_submitted_and_travels(border, version):
    zm = border.zm
    said = call(
        zm.client,
        zm.tokens[AUTHORITY],
        "SubmitDocument",
        fields(CanonicalJson=JSON_TEXT),
        version=version,
    )
    assert (said.text("SerialNumber"), said.text("Repeated")) == (SERIAL, "false")
    assert said.text("Receiver/Identifier") == "KE-SW"
    border.deliver()
    ke = border.ke
    inner = fields(**ONE, IssuedOn="2026-03-09", WithSignedXml="true", Purpose="clearance")
    got = call(ke.client, ke.tokens[CUSTOMS], "GetCertificate", inner, version=version)
    assert (got.text("State"), got.text("Item/Remaining")) == ("AVAILABLE", "12000")
    rest = ke.get(f"/certificates/ZM/{SERIAL}", CUSTOMS).json
    assert json.loads(got.text("Document")) == rest["document"]
    raw = ke.get(f"/certificates/ZM/{SERIAL}/document", CUSTOMS).data
    assert base64.b64decode(got.text("SignedXml")) == raw


def test_a_national_format_is_submitted_by_its_name(border):
    text = (FOLDER / "zm-ke-honey-simplified.json").read_text(encoding="utf-8")
    content = base64.b64encode(expand(text, NOW).encode()).decode()
    zm = border.zm
    said = call(
        zm.client,
        zm.tokens[AUTHORITY],
        "DryRun",
        fields(NationalFormat="single-window-json", NationalContent=content),
    )
    assert (said.text("DryRun"), said.text("MessageId")) == ("true", None)
    assert said.text("Peer/WouldRefuse") in ("true", "false")
    assert counts(zm) == (0, 0)


def test_signed_xml_is_forwarded_byte_for_byte(border):
    zm, raw = border.zm, signed(border.zm.desk, certificate())
    inner = fields(SignedXml=base64.b64encode(raw).decode())
    call(zm.client, zm.tokens[AUTHORITY], "SubmitDocument", inner)
    assert zm.get(f"/certificates/ZM/{SERIAL}/document", AUTHORITY).data == raw


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("language", ["fr", "ar"])
def test_a_fault_carries_every_finding_in_the_language_asked_for(border, version, language):
    zm = border.zm
    inner = fields(CanonicalJson=BAD.model_dump_json(), Language=language)
    said = refused(zm.client, zm.tokens[AUTHORITY], "SubmitDocument", inner, version=version)
    assert said.code == "INVALID_DOCUMENT"
    rest = zm.submit(BAD, AUTHORITY, headers={"Accept-Language": language}).json
    shown = [
        {child.tag.rpartition("}")[2].lower(): child.text for child in finding}
        for finding in said.detail
        if finding.tag.endswith("}Finding")
    ]
    for finding in rest["findings"]:
        expected = {key: value for key, value in finding.items() if value is not None}
        assert expected in shown
    assert len(shown) == len(rest["findings"]) > 1
    assert said.text("CorrelationId")
    assert counts(zm) == (0, 0)


def test_the_language_comes_from_the_http_header_where_the_call_names_none(border):
    zm, inner = border.zm, fields(CanonicalJson=BAD.model_dump_json())
    said = [
        refused(
            zm.client, zm.tokens[AUTHORITY], "DryRun", inner, headers={"Accept-Language": tag}
        ).text("Finding/Message")
        for tag in ("en", "fr", "ar")
    ]
    assert len(set(said)) == 3


def test_the_same_key_gets_the_same_answer_and_another_document_is_refused(border):
    zm, token = border.zm, border.zm.tokens[AUTHORITY]
    inner = fields(CanonicalJson=JSON_TEXT, IdempotencyKey="k-1")
    first, again = (call(zm.client, token, "SubmitDocument", inner) for _ in range(2))
    assert first.response.data == again.response.data
    other = certificate(items=(goods_item(number=1), goods_item(number=2)))
    changed = fields(CanonicalJson=other.model_dump_json(), IdempotencyKey="k-1")
    assert refused(zm.client, token, "SubmitDocument", changed).code == "IDEMPOTENCY_KEY_REUSED"
    assert counts(zm) == (1, 0)


def test_a_decision_of_customs_is_tried_and_then_taken(border):
    border.zm.submit(certificate())
    border.deliver()
    ke, inner = border.ke, decision("PARTIAL", "6000")
    tried = call(ke.client, ke.tokens[CUSTOMS], "SubmitCustomsResponse", inner + dry())
    assert tried.text("MessageId") is None
    said = call(ke.client, ke.tokens[CUSTOMS], "SubmitCustomsResponse", inner, version=SOAP_12)
    again = call(ke.client, ke.tokens[CUSTOMS], "SubmitCustomsResponse", inner)
    assert said.text("MessageId") == again.text("MessageId")
    assert again.text("Repeated") == "true"
    ledger = call(ke.client, ke.tokens[CUSTOMS], "GetLedger", fields(**ONE))
    assert (ledger.text("Entry/Quantity"), ledger.text("Item/Used")) == ("6000", "6000")
    border.deliver()
    zm = border.zm
    told = call(zm.client, zm.tokens[AUTHORITY], "ReadEvents", fields(After="0", Limit="500"))
    kinds = told.texts("Event/Kind")
    assert "RESPONSE_RECEIVED" in kinds
    facts = {
        datum.get("name"): datum.text
        for event in told.payload
        if event.findtext("{*}Kind") == "RESPONSE_RECEIVED"
        for datum in event.findall("{*}Datum")
    }
    assert (facts["serial_number"], facts["status"]) == (SERIAL, "PARTIAL")


def test_a_write_off_beyond_what_remains_is_a_fault_and_writes_nothing(border):
    border.zm.submit(certificate())
    border.deliver()
    ke = border.ke
    said = refused(
        ke.client, ke.tokens[CUSTOMS], "SubmitCustomsResponse", decision("PARTIAL", "99999")
    )
    assert (said.code, said.kind) == ("INVALID_DOCUMENT", "Client")
    ledger = call(ke.client, ke.tokens[CUSTOMS], "GetLedger", fields(**ONE))
    assert ledger.texts("Entry") == []


def test_certificates_are_searched_page_by_page(border):
    zm, token = border.zm, border.zm.tokens[WINDOW]
    serials = [f"ZM-20260309-00020{number}" for number in range(3)]
    for serial in serials:
        zm.submit(certificate(serial_number=serial))
    found, cursor = [], None
    for _ in serials:
        more = {} if cursor is None else {"Cursor": cursor}
        inner = fields(IssuingCountry="ZM", Limit="1", **more)
        page = call(zm.client, token, "SearchCertificates", inner)
        found += page.texts("Certificate/SerialNumber")
        cursor = page.text("Next")
    assert sorted(found) == serials
    assert (
        refused(zm.client, token, "SearchCertificates", fields(Serial="X", Cursor="stolen")).code
        == "BAD_REQUEST"
    )


def test_a_search_by_a_state_that_does_not_exist_names_the_parameter(traded):
    said = refused(
        traded.zm.client, traded.zm.tokens[WINDOW], "SearchCertificates", fields(State="LOST")
    )
    assert said.text("Finding/Path") == "state"


def test_a_timeline_says_what_rest_says(traded):
    zm = traded.zm
    said = call(zm.client, zm.tokens[WINDOW], "GetTimeline", fields(**ONE))
    rest = zm.get(f"/certificates/ZM/{SERIAL}/timeline").json
    assert said.texts("Step/Kind") == [step["kind"] for step in rest["steps"]]
    assert said.text("Certificate/SerialNumber") == SERIAL


def test_events_are_confirmed_and_read_on_from_there(traded):
    zm, token = traded.zm, traded.zm.tokens[AUTHORITY]
    first = call(zm.client, token, "ReadEvents", fields(Limit="1"))
    assert len(first.texts("Event")) == 1
    done = call(zm.client, token, "ConfirmEvents", fields(Cursor=first.text("Next")))
    assert done.text("Confirmed") == first.text("Next")
    after = call(zm.client, token, "ReadEvents", fields(Limit="1"))
    assert int(after.text("Event/Sequence")) > int(first.text("Event/Sequence"))
    with zm.desk.store.read() as conn:
        beyond = events.last_cursor(conn) + 1
    said = refused(zm.client, token, "ConfirmEvents", fields(Cursor=str(beyond)))
    assert said.code == "BAD_REQUEST"


def test_reference_data_is_given_with_names_in_three_languages(traded):
    zm, token = traded.zm, traded.zm.tokens[AUTHORITY]
    said = call(zm.client, token, "GetCodeList", fields(Id="packages"))
    rest = zm.get("/code-lists/packages", AUTHORITY).json
    assert int(said.text("Values")) == len(said.texts("Code")) == rest["values"]
    first = said.payload.find("{*}Code")
    names = {each.get("language"): each.text for each in first.findall("{*}Name")}
    assert names == {key: value for key, value in rest["codes"][0]["names"].items() if value}
    peers = call(zm.client, token, "ListPeers")
    assert peers.texts("Peer/Identifier") == ["KE-SW"]
    assert refused(zm.client, token, "GetCodeList", fields(Id="nothing")).code == "NOT_FOUND"


def test_a_submission_is_journalled_with_the_organisation(border):
    zm = border.zm
    call(zm.client, zm.tokens[AUTHORITY], "SubmitDocument", fields(CanonicalJson=JSON_TEXT))
    with zm.desk.store.read() as conn:
        (entry,) = journal.page(conn, action=JournalAction.API_SUBMITTED, limit=10)
    assert entry.detail["organisation"] == "ZM-ISSUING_AUTHORITY"


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_an_operation_is_refused_where_its_address_is(traded, operation):
    """A key of customs may not submit, one of an authority may not decide."""
    wrong = CUSTOMS if OPERATIONS[operation].route.name == "submitCertificate" else AUTHORITY
    if operation not in ("SubmitDocument", "DryRun", "SubmitCustomsResponse"):
        said = refused(traded.zm.client, "eco_" + "a" * 16 + "_" + "b" * 43, operation)
        assert (said.code, said.status) == ("NOT_AUTHENTICATED", 401)
        return
    said = refused(traded.zm.client, traded.zm.tokens[wrong], operation)
    assert said.code == "NOT_PERMITTED"


def decision(status: str, quantity: str) -> str:
    form = action(UtilisationStatus(status), quantity)
    moment = NOW.replace(second=0, microsecond=0).isoformat()
    return (
        fields(**ONE, Status=status, Reference=form.reference, DecidedAt=moment)
        + nested(
            "CustomsAuthority",
            Code="KE-KRA",
            Name="Kenya Revenue Authority",
            Country="KE",
            OfficeCode="KE-KRA-NMG",
            OfficeName="Namanga OSBP",
        )
        + nested("Officer", Identifier=form.officer.identifier, Role=form.officer.role)
        + "<n:Item>"
        + fields(Number="1")
        + nested("Quantity", Value=quantity, Unit="KGM")
        + "</n:Item>"
        + nested("Declaration", Number="2026MSA100234", DeclaredOn=NOW.date().isoformat())
    )


def nested(name: str, **values: str) -> str:
    return f"<n:{name}>{fields(**values)}</n:{name}>"


def dry() -> str:
    return fields(DryRun="true")


PARTS = {
    "SubmitDocumentResponse": answers.TakenAnswer,
    "GetCertificateResponse": answers.CertificateAnswer,
    "SearchCertificatesResponse": answers.SearchAnswer,
    "GetTimelineResponse": answers.TimelineAnswer,
    "GetLedgerResponse": answers.LedgerAnswer,
    "ReadEventsResponse": telling.FeedAnswer,
    "ListPeersResponse": answers.PeersAnswer,
    "GetCodeListResponse": CodeListView,
    "CertificateSummaryType": CertificateSummary,
    "FindingType": FindingView,
    "PeerType": ReceiverView,
    "ItemType": ItemView,
    "StepType": answers.StepView,
    "LedgerLineType": answers.LedgerLine,
}
DIFFERENT = {"links", "signed_xml"}


@pytest.mark.parametrize("name", sorted(PARTS))
def test_the_contract_names_every_member_of_the_answers_of_rest(name):
    members = {member.key for member in _contract().shapes[name].members}
    assert members ^ PARTS[name].model_fields.keys() <= DIFFERENT


def test_a_certificate_whose_document_was_erased_is_still_found(border):
    border.zm.submit(certificate())
    zm, token = border.zm, border.zm.tokens[AUTHORITY]
    sha256 = zm.get(f"/certificates/ZM/{SERIAL}", AUTHORITY).json["sha256"]
    with zm.desk.store.begin() as conn:
        conn.execute(update(bodies).where(bodies.c.sha256 == sha256).values(content=b""))
    said = call(zm.client, token, "GetCertificate", fields(**ONE, WithSignedXml="true"))
    assert (said.text("State"), said.text("Document"), said.text("SignedXml")) == (
        "ISSUED",
        None,
        None,
    )
    assert zm.get(f"/certificates/ZM/{SERIAL}", AUTHORITY).json["document"] is None
    gone = zm.get(f"/certificates/ZM/{SERIAL}/document", AUTHORITY)
    assert (gone.status_code, gone.json["code"]) == (404, "NOT_FOUND")
