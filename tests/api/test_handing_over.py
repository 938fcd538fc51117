"""Submitting: every form, the same answer from a dry run, and keys that make it repeatable."""

from __future__ import annotations

import json
import threading

import pytest

from gateway.demo.manifest import FOLDER, expand
from gateway.documents import CertificateOfOrigin, DocumentType, Purpose, UtilisationStatus
from gateway.exchange.housekeeping import expire_certificates
from gateway.store import PeerProfile, inbox, outbox, peers
from gateway.trust import sign
from tests.api.counter import AUTHORITY, CUSTOMS
from tests.exchange.corridor import TABLES, action
from tests.factories import NOW, certificate, goods_item

SERIAL = "ZM-20260309-000123"
ADDRESS = f"/certificates/ZM/{SERIAL}"
BAD = certificate(items=(goods_item(hs_code="770000"), goods_item(number=3)))


def signed(desk, document: CertificateOfOrigin) -> bytes:
    raw = TABLES[DocumentType.CERTIFICATE_OF_ORIGIN].render(document)
    return sign(raw, desk.signers[DocumentType.CERTIFICATE_OF_ORIGIN])


def counts(front) -> tuple[int, int]:
    with front.desk.store.read() as conn:
        return len(outbox.page(conn)), len(inbox.page(conn))


def test_a_submitted_certificate_is_queued_and_its_links_lead_to_it(border):
    answer = border.zm.submit(certificate(), AUTHORITY)
    assert answer.status_code == 202
    taken = answer.json
    assert (taken["document_number"], taken["receiver"]["identifier"]) == (SERIAL, "KE-SW")
    assert (taken["repeated"], taken["dry_run"], taken["peer"]) == (False, False, None)
    for link in taken["links"].values():
        assert border.zm.get(link.removeprefix("/api/v1"), AUTHORITY).status_code == 200
    border.deliver()
    got = border.ke.get(ADDRESS, CUSTOMS).json
    assert (got["state"], got["side"]) == ("AVAILABLE", "RECEIVED")
    assert CertificateOfOrigin.model_validate_json(json.dumps(got["document"])) == certificate()


def test_the_same_certificate_again_is_answered_as_repeated(border):
    first, second = (border.zm.submit(certificate()).json for _ in range(2))
    assert (first["repeated"], second["repeated"]) == (False, True)
    assert first["message_id"] == second["message_id"]
    assert counts(border.zm) == (1, 0)


def test_signed_xml_is_forwarded_byte_for_byte(border):
    raw = signed(border.zm.desk, certificate())
    answer = border.zm.post("/certificates", raw, AUTHORITY, content_type="application/xml")
    assert answer.status_code == 202, answer.text
    border.deliver()
    for front, who in ((border.zm, AUTHORITY), (border.ke, CUSTOMS)):
        got = front.get(ADDRESS + "/document", who)
        assert got.data == raw
        assert got.content_type == "application/xml"


def test_xml_whose_signature_does_not_hold_is_refused_with_its_finding(border):
    raw = signed(border.zm.desk, certificate()).replace(b"Kafue Textiles", b"Kafue Tektiles")
    answer = border.zm.post("/certificates", raw, AUTHORITY, content_type="application/xml")
    assert answer.status_code == 422
    assert [each["rule"] for each in answer.json["findings"]] == ["V14"]


@pytest.mark.parametrize(
    ("form", "media", "file"),
    [
        ("single-window-json", "application/json", "zm-ke-cotton-yarn.json"),
        ("json", "application/json", None),
    ],
)
def test_a_form_is_named_by_its_format(border, form, media, file):
    raw = (
        certificate().model_dump_json().encode()
        if file is None
        else expand((FOLDER / file).read_text(encoding="utf-8"), NOW).encode()
    )
    answer = border.zm.post(f"/certificates?format={form}", raw, content_type=media)
    assert answer.status_code == 202, answer.text


def test_every_national_format_there_is_can_be_named(border):
    for each in border.zm.get("/formats").json["formats"]:
        answer = border.zm.post(
            f"/certificates?format={each['name']}", b"\x00", content_type=each["media_type"]
        )
        assert answer.status_code in (400, 422), each
        wrong = "text/csv" if each["media_type"] != "text/csv" else "application/xml"
        refused = border.zm.post(f"/certificates?format={each['name']}", b"x", content_type=wrong)
        assert refused.json["code"] == "UNSUPPORTED_MEDIA_TYPE"
    assert border.zm.post("/certificates?format=telex", b"x").json["code"] == "NOT_FOUND"


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_a_refusal_carries_every_finding_in_the_language_asked_for(border, language):
    answer = border.zm.submit(BAD, headers={"Accept-Language": f"{language};q=0.9, *;q=0.1"})
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Content-Language"] == language
    problem = answer.json
    assert (problem["code"], problem["retryable"]) == ("INVALID_DOCUMENT", False)
    assert {"V32", "V34"} <= {each["rule"] for each in problem["findings"]}
    for each in problem["findings"]:
        assert set(each) == {
            "rule", "severity", "path", "box", "article", "message", "remedy"
        }  # fmt: skip
        assert isinstance(each["message"], str)
        assert isinstance(each["remedy"], str)
    arabic = any("\u0600" <= char <= "\u06ff" for char in problem["findings"][0]["message"])
    assert arabic is (language == "ar")
    assert counts(border.zm) == (0, 0)


def comparable(answer) -> tuple[int, dict[str, object]]:
    left_out = {"dry_run", "peer", "message_id", "links", "correlation_id"}
    kept = {name: value for name, value in answer.json.items() if name not in left_out}
    return answer.status_code, kept


CASES = {
    "good": certificate(),
    "bad": BAD,
    "no route": certificate(destination_country="EG"),
    "cancels nothing": certificate(
        purpose=Purpose.CANCELLATION, cancellation_reason="Issued in error, twice"
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_dry_run_answers_what_submission_answers_and_changes_nothing(border, case):
    dry = border.zm.post("/certificates?dry_run=true", CASES[case].model_dump_json().encode())
    assert counts(border.zm) == (0, 0)
    assert border.zm.get("/certificates").json["certificates"] == []
    real = border.zm.submit(CASES[case])
    status, said = comparable(real)
    assert comparable(dry) == (200 if status == 202 else status, said)


def test_a_dry_run_says_what_the_peer_would_refuse(border):
    with border.zm.desk.store.begin() as conn:
        (peer,) = peers.every(conn)
        fields = PeerProfile.__dataclass_fields__
        profile = PeerProfile(**{name: getattr(peer, name) for name in fields} | {"test": True})
        peers.change(conn, peer.id, profile, at=NOW, actor="user:test")
    body = certificate().model_dump_json().encode()
    answer = border.zm.post("/certificates?dry_run=true", body).json
    assert answer["peer"]["would_refuse"] is True
    assert answer["receiver"]["test"] is True


def test_a_dry_run_says_what_only_the_peer_would_find_and_the_peer_finds_it(border):
    """The importing state uses another edition of the tariff, which is no matter of ours."""
    for front in (border.zm, border.ke):
        comesa = front.desk.agreements["COMESA"]
        kenya = comesa.members["KE"].model_copy(update={"hs_edition": "2017"})
        bent = comesa.model_copy(update={"members": {**comesa.members, "KE": kenya}})
        front.desk.__dict__["agreements"] = {**front.desk.agreements, "COMESA": bent}
    body = certificate().model_dump_json().encode()
    tried = border.zm.post("/certificates?dry_run=true", body, headers={"Accept-Language": "fr"})
    assert tried.json["findings"] == []
    assert tried.json["peer"]["would_refuse"] is False
    (foreseen,) = tried.json["peer"]["findings"]
    assert (foreseen["rule"], foreseen["path"]) == ("V35", "items[0].hs_edition")
    message_id = border.zm.submit(certificate()).json["message_id"]
    border.deliver()
    found = border.zm.get(f"/messages/{message_id}", headers={"Accept-Language": "fr"}).json
    assert [(each["rule"], each["path"]) for each in found["findings"]] == [
        (foreseen["rule"], foreseen["path"])
    ]


def test_what_a_dry_run_promises_of_the_peer_is_what_the_peer_then_does(both):
    body = certificate().model_dump_json().encode()
    judged = both.zm.post("/certificates?dry_run=true", body).json
    assert judged["peer"] == {"would_refuse": False, "findings": []}
    assert both.zm.submit(certificate()).status_code == 202
    both.deliver()
    assert both.ke.get(ADDRESS, CUSTOMS).json["state"] == "AVAILABLE"


def test_a_request_repeated_under_its_key_gets_the_very_same_answer(both):
    first, second = (
        both.zm.submit(certificate(), headers={"Idempotency-Key": "order-1"}) for _ in range(2)
    )
    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.json["repeated"] is False


def test_another_request_under_a_used_key_is_refused(border):
    keyed = {"headers": {"Idempotency-Key": "order-1"}}
    assert border.zm.submit(certificate(), **keyed).status_code == 202
    other = border.zm.submit(certificate(serial_number="ZM-20260309-000124"), **keyed)
    assert (other.status_code, other.json["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert border.zm.submit(certificate(), AUTHORITY, **keyed).json["repeated"] is True


def test_a_refused_request_may_be_corrected_under_its_key(border):
    keyed = {"headers": {"Idempotency-Key": "order-1"}}
    assert border.zm.submit(BAD, **keyed).status_code == 422
    assert border.zm.submit(certificate(), **keyed).status_code == 202


def test_a_request_in_work_is_not_begun_a_second_time(border, monkeypatch):
    from gateway.services import submission

    entered, leave, answers = threading.Event(), threading.Event(), []
    real = submission.submit_within

    def slow(*args, **more):
        entered.set()
        assert leave.wait(20)
        return real(*args, **more)

    monkeypatch.setattr(submission, "submit_within", slow)
    keyed = {"Idempotency-Key": "order-1"}
    first = threading.Thread(
        target=lambda: answers.append(border.zm.submit(certificate(), headers=keyed).status_code)
    )
    first.start()
    assert entered.wait(20)
    second = border.zm.submit(certificate(), headers=keyed)
    leave.set()
    first.join(20)
    assert (second.status_code, second.json["code"]) == (409, "REQUEST_IN_WORK")
    assert answers == [202]


def test_an_answer_is_repeated_for_seven_days_and_then_forgotten(border):
    keyed = {"headers": {"Idempotency-Key": "order-1"}}
    border.zm.submit(certificate(), **keyed)
    for days, replayed in ((7, True), (1, False)):
        border.corridor.clock.pass_time(days=days)
        expire_certificates(border.zm.desk, "worker")
        answer = border.zm.submit(certificate(), **keyed)
        assert ("Idempotency-Replayed" in answer.headers) is replayed


def test_a_decision_of_customs_writes_off_and_tells_the_issuer(both):
    both.zm.submit(certificate())
    both.deliver()
    use = action(UtilisationStatus.PARTIAL, "6000").model_dump(mode="json")
    answer = both.ke.post("/responses", use, CUSTOMS)
    assert answer.status_code == 202, answer.text
    assert answer.json["document_type"] == "CustomsResponse"
    both.deliver()
    got = both.zm.get(ADDRESS + "/ledger", AUTHORITY).json
    assert got["items"][0]["remaining"] == "6000"
    assert got["entries"][0]["quantity"] == "6000"
    assert both.ke.post("/responses", use, CUSTOMS).json["repeated"] is True


def test_a_decision_may_name_the_certificate_by_its_address(border):
    border.zm.submit(certificate())
    border.deliver()
    form = action(UtilisationStatus.PARTIAL, "1").model_dump(
        mode="json", exclude={"issuing_country", "serial_number", "issued_on"}
    )
    tried = border.ke.post(f"{ADDRESS}/responses?dry_run=true", form, CUSTOMS)
    assert (tried.status_code, tried.json["message_id"]) == (200, None)
    assert border.ke.get(ADDRESS + "/ledger", CUSTOMS).json["entries"] == []
    assert border.ke.post(f"{ADDRESS}/responses", form, CUSTOMS).status_code == 202
    too_much = form | {"reference": "2"}
    too_much["items"][0]["quantity"]["value"] = "12000"
    for query in ("?dry_run=true", ""):
        refused = border.ke.post(f"{ADDRESS}/responses{query}", too_much, CUSTOMS)
        assert refused.status_code == 422
        assert "V89" in {each["rule"] for each in refused.json["findings"]}


def test_a_gateway_without_the_keys_of_authority_and_customs_says_so(border):
    border.zm.submit(certificate())
    border.deliver()
    for front in (border.zm, border.ke):
        front.desk.__dict__["signers"] = {}
    answer = border.zm.submit(certificate(serial_number="ZM-20260309-000124"))
    assert (answer.status_code, answer.json["code"]) == (403, "SIGNATURE_MISSING")
    decided = action(UtilisationStatus.ACCEPTED).model_dump(mode="json")
    answer = border.ke.post("/responses", decided, CUSTOMS)
    assert (answer.status_code, answer.json["code"]) == (403, "NOT_PERMITTED")


def test_the_timeline_holds_every_message_attempt_receipt_and_use_of_both_sides(traded):
    for front, who, order in (
        (traded.zm, AUTHORITY, ["MESSAGE_QUEUED", "ATTEMPT", "VERDICT", "MESSAGE_RECEIVED"]),
        (traded.ke, CUSTOMS, ["MESSAGE_RECEIVED", "STATE", "MESSAGE_QUEUED", "ATTEMPT", "VERDICT"]),
    ):
        answer = front.get(ADDRESS + "/timeline", who).json
        kinds = [step["kind"] for step in answer["steps"]]
        assert kinds[0] == "REGISTERED"
        assert {*order, "RESPONSE", "USE"} <= set(kinds)
        moments = [step["at"] for step in answer["steps"]]
        assert moments == sorted(moments)
        (use,) = [step for step in answer["steps"] if step["kind"] == "USE"]
        assert (use["quantity"], use["unit"], use["total"]) == ("6000", "KGM", "6000")


def test_a_refusal_of_the_peer_stands_with_its_findings_in_timeline_and_message(border):
    """The peer does not know the agreement, which we cannot know beforehand."""
    border.ke.desk.__dict__["agreements"] = {}
    message = border.zm.submit(certificate()).json["message_id"]
    border.deliver()
    found = border.zm.get(f"/messages/{message}", headers={"Accept-Language": "fr"}).json
    assert (found["state"], found["verdict"]) == ("REFUSED", "REFUSED")
    assert found["findings"]
    steps = border.zm.get(ADDRESS + "/timeline").json["steps"]
    (verdict,) = [step for step in steps if step["kind"] == "VERDICT"]
    assert verdict["findings"][0]["rule"] == found["findings"][0]["rule"]
