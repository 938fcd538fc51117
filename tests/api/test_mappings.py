"""The mapping workbench by REST: bounded, nothing stored, for single windows only."""

from __future__ import annotations

import base64
import json

import pytest

from gateway.services.mappings.forms import MOST_MAPPING, MOST_SAMPLE
from gateway.store import journal
from gateway.xml.national import load_national_formats
from tests.api.counter import AUDITOR, AUTHORITY, CUSTOMS, WINDOW
from tests.factories import certificate
from tests.national.bench_format import source, yaml_of
from tests.national.test_mistakes import tidy

TEXT = tidy(yaml_of())
SAMPLE = {"text": json.dumps(source())}
XML = "customs-xml"


@pytest.fixture
def front(traded):
    return traded.zm


def test_the_formats_in_force_are_listed_with_their_digests(front) -> None:
    (found,) = [each for each in front.get("/mappings").json["mappings"] if each["name"] == XML]
    shipped = load_national_formats()[XML]
    assert (found["version"], found["sha256"]) == (shipped.version, shipped.sha256)
    assert found["own"] is False
    assert found["refused"] == []


def test_what_a_format_covers_is_told_by_name(front) -> None:
    sections = front.get(f"/mappings/{XML}/coverage", AUDITOR).json["sections"]
    assert [each["unfillable"] for each in sections] == [[], []]
    assert front.get("/mappings/nowhere/coverage").status_code == 404


@pytest.mark.parametrize("verb", ["check", "coverage", "try", "diff"])
@pytest.mark.parametrize("who", [AUTHORITY, CUSTOMS, AUDITOR])
def test_only_a_single_window_works_at_the_bench(front, verb: str, who) -> None:
    answer = front.post(f"/mappings:{verb}", {"mapping": {"name": XML}}, who)
    assert answer.status_code == 403
    assert "mappings:try" in answer.json["detail"]


def test_a_text_with_mistakes_is_told_all_of_them(front) -> None:
    wrong = TEXT.replace("STANDARD", "SPECIAL").replace("source: exporter", "source: 'a//b'")
    found = front.post("/mappings:check", {"mapping": {"text": wrong}}).json
    assert found["sound"] is False
    assert len(found["mistakes"]) >= 3
    assert {"file", "line", "row", "severity", "problem", "remedy"} == set(found["mistakes"][0])
    assert front.post("/mappings:check", {"mapping": {"text": TEXT}}).json["sound"] is True


def test_a_sample_is_shown_side_by_side_with_place_box_and_message(front) -> None:
    raw = load_national_formats()[XML].write(certificate(serial_number="ZM-20260309-000777"))
    body = {"mapping": {"name": XML}, "sample": {"base64": base64.b64encode(raw).decode()}}
    (document,) = front.post("/mappings:try", body).json["documents"]
    fields = {each["field"]: each for each in document["fields"]}
    serial = fields["serial_number"]
    assert serial["document"] == serial["xml"] == "ZM-20260309-000777"
    assert [each["text"] for each in serial["source"]] == ["ZM-20260309-000777"]
    assert serial["source"][0]["line"] is not None
    assert serial["xml_path"].startswith("/rsm:CertificateOfOrigin/")
    assert fields["items[0].hs_code"]["box"] == "7"
    assert fields["items[0].quantity.unit"]["xml_path"].endswith("/@unitCode")
    assert fields["exporter.name"]["origin"] == "SOURCE"
    assert document["receiver"] == "KE-SW"
    assert document["verdict"] != "REFUSED"
    assert document["readable"] is True


def test_every_value_of_a_full_certificate_has_its_place_in_the_message(front) -> None:
    raw = load_national_formats()["single-window-json"].write(certificate())
    body = {"mapping": {"name": "single-window-json"}, "sample": {"text": raw.decode()}}
    (document,) = front.post("/mappings:try", body).json["documents"]
    without = [each["field"] for each in document["fields"] if each["xml_path"] is None]
    assert without == []
    assert len(document["fields"]) > 40


def test_a_sample_of_many_documents_is_tried_as_far_as_it_is_bounded(front) -> None:
    body = {"mapping": {"text": TEXT}, "sample": {"text": json.dumps([source()] * 21)}}
    found = front.post("/mappings:try", body).json
    assert (len(found["documents"]), found["cut"]) == (20, True)


def test_a_constant_says_that_the_mapping_wrote_it_and_in_which_line(front) -> None:
    body = {"mapping": {"text": TEXT}, "sample": SAMPLE}
    (document,) = front.post("/mappings:try", body).json["documents"]
    fields = {each["field"]: each for each in document["fields"]}
    assert fields["kind"]["origin"] == "CONSTANT"
    line = TEXT[: TEXT.index("{field: kind")].count("\n") + 1
    assert fields["kind"]["row_line"] == line
    assert fields["kind"]["source"] == []
    assert fields["purpose"]["origin"] == "MODEL"


def test_a_document_that_cannot_be_read_still_shows_what_stood_there(front) -> None:
    body = {
        "mapping": {"text": TEXT},
        "sample": {"text": json.dumps(source(at="gestern", clerk="17"))},
    }
    (document,) = front.post("/mappings:try", body).json["documents"]
    assert document["readable"] is False
    assert document["verdict"] == "REFUSED"
    (issued,) = [each for each in document["fields"] if each["field"] == "issued_at"]
    assert issued["document"] is None
    assert issued["source"][0]["text"] == "gestern"
    assert [each["place"] for each in document["unread"]] == ["/clerk"]


def test_findings_of_the_rules_come_in_the_language_asked_for(front) -> None:
    body = {"mapping": {"text": TEXT}, "sample": SAMPLE}
    said = front.post("/mappings:try", body, headers={"Accept-Language": "fr"}).json
    (found,) = [each for each in said["documents"][0]["findings"] if each["rule"] == "V53"]
    assert "factur" in found["message"].lower()
    assert found["box"] == "10"


def test_a_trial_with_a_mapping_that_is_not_sound_says_why(front) -> None:
    body = {"mapping": {"text": "a: ["}, "sample": SAMPLE}
    found = front.post("/mappings:try", body)
    assert found.status_code == 200
    assert found.json["documents"] == []
    assert found.json["mapping"]["mistakes"][0]["line"] >= 1


def test_samples_are_covered_and_compared(front) -> None:
    samples = [{"name": "a.json", "text": json.dumps(source(clerk="17"))}]
    found = front.post("/mappings:coverage", {"mapping": {"text": TEXT}, "samples": samples}).json
    assert [each["field"] for each in found["sections"][0]["unread"]] == ["clerk"]
    newer = TEXT.replace("constant: KGM", "constant: TNE")
    body = {"old": {"text": TEXT}, "new": {"text": newer}, "samples": samples}
    (change,) = front.post("/mappings:diff", body).json["changes"]
    assert change["became"] == "CHANGED"
    assert change["fields"] == [{"field": "items[0].quantity.unit", "old": "KGM", "new": "TNE"}]


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("check", {"mapping": {}}),
        ("check", {"mapping": {"name": XML, "text": "x"}}),
        ("check", {"mapping": {"text": "x" * (MOST_MAPPING + 1)}}),
        ("check", {"mapping": {"name": "../../etc"}}),
        ("try", {"mapping": {"name": XML}, "sample": {"text": "x" * (MOST_SAMPLE + 1)}}),
        ("try", {"mapping": {"name": XML}, "sample": {}}),
        ("try", {"mapping": {"name": XML}, "sample": {"base64": "%%"}}),
        ("coverage", {"mapping": {"name": XML}, "samples": [{"text": "x"}] * 21}),
        ("coverage", {"mapping": {"name": XML}, "samples": [{"text": "x" * 400_000}] * 3}),
        ("diff", {"old": {"name": XML}, "new": {"name": XML}, "samples": []}),
        ("try", {"mapping": {"name": XML}, "sample": {"text": "x"}, "response": "yes"}),
    ],
)
def test_what_is_too_much_or_unclear_is_refused(front, verb: str, body: object) -> None:
    assert 400 <= front.post(f"/mappings:{verb}", body).status_code < 500


def test_a_name_that_is_none_is_not_found(front) -> None:
    answer = front.post("/mappings:check", {"mapping": {"name": "nowhere"}})
    assert answer.status_code == 404


def test_nothing_that_is_tried_leaves_a_trace(front) -> None:
    def count() -> tuple[int, str]:
        with front.desk.store.read() as conn:
            return journal.head(conn)

    before = count()
    front.post("/mappings:try", {"mapping": {"text": TEXT}, "sample": SAMPLE}, WINDOW)
    assert count() == before


def test_the_journal_keeps_the_mapping_that_a_certificate_was_read_with(border) -> None:
    form = load_national_formats()["single-window-json"]
    raw = form.write(certificate(serial_number="ZM-20260309-000778"))
    path = "/certificates?format=single-window-json"
    answer = border.zm.post(path, raw)
    assert answer.status_code == 202, answer.json
    with border.zm.desk.store.read() as conn:
        (entry,) = journal.page(conn, action=journal.Action.DOCUMENT_MAPPED)
    assert entry.subject == "ZM-20260309-000778"
    assert entry.detail == {
        "message_id": answer.json["message_id"],
        "mapping": form.name,
        "version": form.version,
        "sha256": form.sha256,
    }
    assert border.zm.submit(certificate(serial_number="ZM-20260309-000779")).status_code == 202
    with border.zm.desk.store.read() as conn:
        assert len(journal.page(conn, action=journal.Action.DOCUMENT_MAPPED)) == 1
