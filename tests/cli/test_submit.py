"""``eco submit`` and ``eco respond``: every file stands for itself, nothing counts twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.cli import sending
from gateway.cli.output import ExitStatus
from gateway.errors import BusyError
from tests.cli.eco import eco, eco_json
from tests.cli.homes import SINGLE_WINDOW, SUGAR, YARN, Pair, payload, sample

FORMAT = ("--format", SINGLE_WINDOW)
BATCH = "zm-ke-soya-cake-batch.csv"
BAD = "bad-criterion.json"


def test_a_certificate_is_queued_for_the_state_that_needs_it(pair: Pair):
    run = eco("submit", sample(pair.folder), *FORMAT, home=pair.zm)
    assert run.status is ExitStatus.OK
    assert "queued for KE-SW as urn:uuid:" in run.out
    assert eco_json("messages", home=pair.zm)["sent"][0]["state"] == "QUEUED"


def test_the_same_certificate_again_is_answered_as_before(pair: Pair):
    words = ("submit", sample(pair.folder), *FORMAT)
    first = eco_json(*words, home=pair.zm)[0]
    again = eco_json(*words, home=pair.zm)[0]
    assert again == first | {"repeated": True}
    assert "was submitted before" in eco(*words, home=pair.zm).out
    assert len(eco_json("messages", home=pair.zm)["sent"]) == 1


def test_a_dry_run_stores_nothing(pair: Pair):
    run = eco("submit", sample(pair.folder), *FORMAT, "--dry-run", home=pair.zm)
    assert run.status is ExitStatus.OK
    assert "would be sent to KE-SW" in run.out
    assert eco_json("messages", home=pair.zm)["sent"] == []


def test_a_dry_run_refuses_as_submission_would(pair: Pair):
    bad = sample(pair.folder, BAD)
    dry = eco("submit", bad, *FORMAT, "--dry-run", home=pair.zm)
    real = eco("submit", bad, *FORMAT, home=pair.zm)
    assert dry.status is real.status is ExitStatus.REFUSED
    assert "V39" in dry.out
    assert dry.out == real.out


def test_a_bad_file_harms_no_other(pair: Pair):
    broken = pair.folder / "broken.json"
    broken.write_text('{"certificates": [')
    empty = pair.folder / "empty.json"
    empty.write_text("")
    files = [
        sample(pair.folder),
        broken,
        empty,
        sample(pair.folder, BAD),
        sample(pair.folder, YARN),
    ]
    run = eco("submit", *files, *FORMAT, "--json", home=pair.zm)
    assert run.status is ExitStatus.REFUSED
    assert [answer["accepted"] for answer in run.value] == [True, False, False, False, True]
    assert [answer["file"] for answer in run.value] == [str(file) for file in files]
    assert len(eco_json("messages", home=pair.zm)["sent"]) == 2


def test_a_bad_line_harms_no_other(pair: Pair):
    words = ("submit", sample(pair.folder, BATCH), "--format", "csv-lines", "--json")
    run = eco(*words, home=pair.zm)
    assert run.status is ExitStatus.REFUSED
    assert [answer["accepted"] for answer in run.value] == [True, False, True]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        (SUGAR, SINGLE_WINDOW),
        ("zm-ke-copper-cathodes.xml", "customs-xml"),
        (BATCH, "csv-lines"),
    ],
)
def test_every_national_format_can_be_submitted(pair: Pair, name: str, form: str):
    run = eco("submit", sample(pair.folder, name), "--format", form, "--json", home=pair.zm)
    assert run.value[0]["accepted"]


def test_canonical_json_and_message_xml_are_recognised(pair: Pair):
    canonical = eco("read", sample(pair.folder), *FORMAT, home=pair.zm).out
    assert eco_json("submit", "-", home=pair.zm, given=canonical.encode())[0]["accepted"]
    yarn = eco("read", sample(pair.folder, YARN), *FORMAT, home=pair.zm).out
    message = eco("render", "-", home=pair.zm, given=yarn).out
    assert eco_json("submit", "-", home=pair.zm, given=message.encode())[0]["accepted"]


def test_what_the_authority_signed_is_forwarded_untouched(pair: Pair):
    from gateway.trust import Credential, sign

    yarn = eco("read", sample(pair.folder, YARN), *FORMAT, home=pair.zm).out
    message = eco("render", "-", home=pair.zm, given=yarn).out
    keys = pair.zm / "keys"
    authority = Credential.from_pem(
        (keys / "authority.key.pem").read_bytes(), (keys / "authority.cert.pem").read_bytes()
    )
    signed = sign(message.encode(), authority)
    answer = eco_json("submit", "-", home=pair.zm, given=signed)[0]
    assert payload(pair.zm, answer["message_id"]) == signed
    tampered = signed.replace(b"Nairobi", b"Mombasa")
    run = eco("submit", "-", home=pair.zm, given=tampered)
    assert run.status is ExitStatus.REFUSED


def test_standard_input_is_named_in_the_answer(pair: Pair):
    raw = sample(pair.folder).read_bytes()
    answer = eco_json("submit", "-", *FORMAT, home=pair.zm, given=raw)[0]
    assert answer["file"] == "standard input"


def test_an_unknown_format_is_answered_with_those_known(first_pair: Pair):
    run = eco("submit", first_pair.zm / "gateway.toml", "--format", "edifact", home=first_pair.zm)
    assert run.status is ExitStatus.USAGE
    for name in ("json", "xml", "csv-lines", "customs-xml", SINGLE_WINDOW):
        assert name in run.err


@pytest.mark.parametrize("name", [SUGAR, "zm-ke-copper-cathodes.xml", BATCH])
def test_a_national_file_without_its_format_is_answered_with_the_formats(pair: Pair, name: str):
    run = eco("submit", sample(pair.folder, name), home=pair.zm)
    assert run.status is ExitStatus.REFUSED
    assert "name it with --format: json, xml, csv-lines" in run.out


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "is not on the agreement's list"), ("fr", "critère"), ("ar", "معيار")],
)
def test_findings_are_told_in_the_language_asked_for(pair: Pair, language: str, words: str):
    bad = sample(pair.folder, BAD)
    run = eco("submit", bad, *FORMAT, "--language", language, home=pair.zm)
    assert words in run.out
    assert words in eco("validate", bad, *FORMAT, "--language", language, home=pair.zm).out


def test_the_environment_may_name_home_and_language(pair: Pair, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ECO_HOME", str(pair.zm))
    monkeypatch.setenv("ECO_LANGUAGE", "fr")
    assert "critère" in eco("submit", sample(pair.folder, BAD), *FORMAT).out


def test_a_gateway_without_the_authoritys_key_says_so(pair: Pair):
    settings = pair.zm / "gateway.toml"
    text = settings.read_text()
    section = text[text.index("[keys.authority]") : text.index("[keys.customs]")]
    settings.write_text(text.replace(section, ""))
    run = eco("submit", sample(pair.folder), *FORMAT, home=pair.zm)
    assert run.status is ExitStatus.CONFIGURATION
    assert "no issuing_authority key is configured" in run.out


def test_a_busy_database_is_no_refusal(pair: Pair, monkeypatch: pytest.MonkeyPatch):
    def busy(*_: object, **__: object) -> None:
        raise BusyError("the database is locked")

    monkeypatch.setattr(sending, "submit_document", busy)
    run = eco("submit", sample(pair.folder), *FORMAT, "--json", home=pair.zm)
    assert run.status is ExitStatus.BUSY
    assert run.value[0]["retryable"] is True


def test_a_fault_of_our_own_in_one_file_harms_no_other(pair: Pair, monkeypatch: pytest.MonkeyPatch):
    real = sending.submit_document
    secret = "Nakambala"

    def faulty(desk: object, document: object, **more: object) -> object:
        if document.serial_number.endswith("101"):  # type: ignore[attr-defined]
            raise ZeroDivisionError(secret)
        return real(desk, document, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(sending, "submit_document", faulty)
    files = (sample(pair.folder), sample(pair.folder, YARN))
    run = eco("submit", *files, *FORMAT, "--json", home=pair.zm)
    assert [answer["code"] for answer in run.value] == ["INTERNAL", None]
    assert secret not in run.out + run.err
    assert run.status is ExitStatus.FAILED
    with pytest.raises(ZeroDivisionError):
        eco("submit", *files, *FORMAT, "--debug", home=pair.zm)


# --- respond -----------------------------------------------------------------------------------


def test_a_decision_is_answered_with_the_response_that_goes_out(pair: Pair):
    decision = pair.decision(pair.sugar())
    run = eco("respond", decision, home=pair.ke)
    assert run.status is ExitStatus.OK
    assert "queued for ZM-SW" in run.out


def test_a_decision_said_again_writes_nothing_off_twice(pair: Pair):
    serial = pair.sugar()
    decision = pair.decision(serial)
    first = eco_json("respond", decision, home=pair.ke)[0]
    assert eco_json("respond", decision, home=pair.ke)[0] == first | {"repeated": True}
    item = eco_json("status", serial, home=pair.ke)[0]["items"][0]
    assert (item["used"], item["remaining"]) == ("20000", "40000")


def test_more_than_is_left_is_refused_and_the_other_decision_stands(pair: Pair):
    serial = pair.sugar()
    good = pair.decision(serial, reference="GOOD")
    much = pair.decision(serial, kilos=99_999, reference="MUCH")
    run = eco("respond", much, good, "--json", home=pair.ke)
    assert run.status is ExitStatus.REFUSED
    assert [answer["accepted"] for answer in run.value] == [False, True]
    assert "V89" in {finding["rule"] for finding in run.value[0]["findings"]}


def test_a_decision_on_an_unknown_certificate_is_not_found(pair: Pair):
    run = eco("respond", pair.decision("ZM-20200101-000001"), "--json", home=pair.ke)
    assert run.status is ExitStatus.NOT_FOUND
    assert run.value[0]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"status": "EATEN"}'])
def test_what_is_no_decision_is_refused_with_findings(first_pair: Pair, text: str):
    run = eco("respond", "-", "--json", home=first_pair.ke, given=text)
    assert run.status is ExitStatus.REFUSED
    assert run.value[0]["findings"]


def test_the_documented_decision_is_one(first_pair: Pair):
    from gateway.documents import from_json
    from gateway.exchange.responding import CustomsAction
    from tests.cli.eco import ROOT

    page = (ROOT / "docs/command-forms.md").read_text(encoding="utf-8")
    example = page.partition("```json\n")[2].partition("```")[0]
    action = from_json(CustomsAction, example)
    assert action.items[0].quantity.value == 20_000
    documented = set(json.loads(example)) | {"issued_on", "security", "language"}
    assert documented == set(CustomsAction.model_fields)


def test_a_file_that_cannot_be_read_harms_no_other(pair: Pair, monkeypatch: pytest.MonkeyPatch):
    real = Path.read_bytes

    def broken(path: Path) -> bytes:
        if path.name == YARN:
            raise OSError(5, "Input/output error", str(path))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", broken)
    files = (sample(pair.folder, YARN), sample(pair.folder))
    run = eco("submit", *files, *FORMAT, "--json", home=pair.zm)
    assert [answer["accepted"] for answer in run.value] == [False, True]
    assert "Input/output error" in run.value[0]["detail"]
