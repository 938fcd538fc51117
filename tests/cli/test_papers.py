"""``eco validate``, ``verify``, ``render`` and ``read``: nothing is stored, nothing is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.cli.output import ExitStatus
from tests.cli.eco import eco, eco_json
from tests.cli.homes import SINGLE_WINDOW, Pair, envelope, payload, receipt, sample

FORMAT = ("--format", SINGLE_WINDOW)
BAD = "bad-criterion.json"


@pytest.fixture
def message_id(traded_pair: Pair) -> str:
    found = eco_json("messages", home=traded_pair.zm)["sent"][0]["message_id"]
    assert isinstance(found, str)
    return found


# --- validate ------------------------------------------------------------------------------------


def test_a_good_certificate_is_valid(first_pair: Pair, tmp_path: Path):
    run = eco("validate", sample(tmp_path), *FORMAT, home=first_pair.zm)
    assert run.status is ExitStatus.OK
    assert run.out.endswith(": ACCEPTED\n")


def test_a_bad_certificate_is_told_box_article_and_remedy(first_pair: Pair, tmp_path: Path):
    run = eco("validate", sample(tmp_path, BAD), *FORMAT, home=first_pair.zm)
    assert run.status is ExitStatus.REFUSED
    assert "V39 items[0].criterion.code (box 8)" in run.out
    assert "→" in run.out
    value = eco("validate", sample(tmp_path, BAD), *FORMAT, "--json", home=first_pair.zm).value
    assert value[0]["verdict"] == "REFUSED"
    assert value[0]["findings"][0]["message"].keys() == {"en", "fr", "ar"}


def test_a_warning_refuses_nothing(first_pair: Pair, tmp_path: Path):
    run = eco("validate", sample(tmp_path, "warn-unit-code.json"), *FORMAT, home=first_pair.zm)
    assert run.status is ExitStatus.OK
    assert "ACCEPTED_WITH_WARNINGS" in run.out


@pytest.mark.parametrize("raw", [b"", b"   ", b"hello", b"<a/>", b"\x00\xff", b"[1, 2]", b"{}"])
def test_what_is_no_certificate_is_refused_without_a_traceback(first_pair: Pair, raw: bytes):
    run = eco("validate", "-", home=first_pair.zm, given=raw)
    assert run.status is ExitStatus.REFUSED
    assert run.err.startswith("error [")


# --- verify ---------------------------------------------------------------------------------------


def test_the_receiver_trusts_envelope_and_document(traded_pair: Pair, message_id: str):
    raw = envelope(traded_pair.zm, message_id)
    run = eco("verify", "-", home=traded_pair.ke, given=raw)
    assert run.status is ExitStatus.OK
    for words in (
        "Envelope: trusted",
        "CertificateOfOrigin: trusted",
        "ZM-SW → KE-SW",
        "signed     the whole of it",
        "as         GATEWAY of ZM",
        "as         ISSUING_AUTHORITY of ZM",
        "today      the signer is still good",
        "judged     as of 20",
    ):
        assert words in run.out


def test_the_sender_trusts_its_own_evidence(traded_pair: Pair, message_id: str):
    for raw in (
        envelope(traded_pair.zm, message_id),
        payload(traded_pair.zm, message_id),
        receipt(traded_pair.zm, message_id),
    ):
        value = eco_json("verify", "-", home=traded_pair.zm, given=raw)
        assert value["trusted"] is True


def test_the_giver_of_a_receipt_trusts_it_too(traded_pair: Pair, message_id: str):
    raw = receipt(traded_pair.zm, message_id)
    value = eco_json("verify", "-", home=traded_pair.ke, given=raw)
    assert value["header"]["document_type"] == "Acknowledgement"


def test_a_document_changed_after_signing_is_told_as_such(traded_pair: Pair, message_id: str):
    raw = payload(traded_pair.zm, message_id).replace(b"Nairobi", b"Mombasa")
    for home in (traded_pair.ke, traded_pair.zm):
        run = eco("verify", "-", home=home, given=raw)
        assert run.status is ExitStatus.UNTRUSTED
        assert "CertificateOfOrigin: NOT TRUSTED" in run.out
        assert "SIGNATURE_INVALID" in run.out


def test_an_envelope_changed_after_signing_is_told_as_such(traded_pair: Pair, message_id: str):
    raw = envelope(traded_pair.zm, message_id).replace(b"KE-SW", b"TZ-SW")
    run = eco("verify", "-", "--json", home=traded_pair.ke, given=raw)
    assert run.status is ExitStatus.UNTRUSTED
    assert run.value["trusted"] is False
    assert run.value["reports"][0]["code"] == "SIGNATURE_INVALID"


def test_a_stranger_is_trusted_by_nobody(first_pair: Pair, traded_pair: Pair, message_id: str):
    raw = payload(traded_pair.zm, message_id)
    from gateway.trust import Credential, sign

    signed = eco("read", "-", home=traded_pair.ke, given=raw).out
    unsigned = eco("render", "-", home=traded_pair.ke, given=signed).out
    exporter = Credential.from_pem(
        (first_pair.pki / "KE/exporter.key").read_bytes(),
        (first_pair.pki / "KE/exporter.pem").read_bytes(),
    )
    run = eco("verify", "-", home=traded_pair.ke, given=sign(unsigned.encode(), exporter))
    assert run.status is ExitStatus.UNTRUSTED
    assert "SIGNER_NOT_REGISTERED" in run.out


def test_an_unsigned_document_is_not_trusted(first_pair: Pair, tmp_path: Path):
    canonical = eco("read", sample(tmp_path), *FORMAT, home=first_pair.zm).out
    unsigned = eco("render", "-", home=first_pair.zm, given=canonical).out
    run = eco("verify", "-", home=first_pair.zm, given=unsigned)
    assert run.status is ExitStatus.UNTRUSTED
    assert "SIGNATURE_MISSING" in run.out


def test_an_envelope_of_an_unknown_peer_is_told_as_such(
    traded_pair: Pair, message_id: str, tmp_path: Path
):
    from tests.cli.homes import identity

    eco_json("init", tmp_path / "mw", *identity("ZM"), "--pki", traded_pair.pki)
    raw = receipt(traded_pair.zm, message_id)
    run = eco("verify", "-", home=tmp_path / "mw", given=raw)
    assert run.status is ExitStatus.UNTRUSTED
    assert "UNKNOWN_PEER" in run.out


@pytest.mark.parametrize("raw", [b"", b"{}", b"<a/>", b"<a", b"<!DOCTYPE a><a/>", b"\x00"])
def test_what_is_no_message_cannot_be_verified(first_pair: Pair, raw: bytes):
    run = eco("verify", "-", "--json", home=first_pair.zm, given=raw)
    assert run.status is ExitStatus.REFUSED
    assert run.problem["code"]


# --- render and read --------------------------------------------------------------------------------


def test_reading_what_was_rendered_gives_the_same_document(first_pair: Pair, tmp_path: Path):
    canonical = eco("read", sample(tmp_path), *FORMAT, home=first_pair.zm).out
    message = eco("render", "-", home=first_pair.zm, given=canonical).out
    again = eco("read", "-", home=first_pair.zm, given=message).out
    assert json.loads(again) == json.loads(canonical)


def test_render_with_json_gives_one_value(first_pair: Pair, tmp_path: Path):
    canonical = eco("read", sample(tmp_path), *FORMAT, home=first_pair.zm).out.encode()
    value = eco_json("render", "-", home=first_pair.zm, given=canonical)
    assert value["xml"].startswith("<?xml")


def test_several_documents_are_read_as_a_list(first_pair: Pair, tmp_path: Path):
    tiles = sample(tmp_path, "ke-zm-uht-milk.csv")
    run = eco("read", tiles, "--format", "csv-lines", home=first_pair.ke)
    assert run.status is ExitStatus.OK
    assert run.value["exporting_country"] == "KE"


def test_a_file_of_which_part_is_unreadable_is_not_read_in_part(first_pair: Pair, tmp_path: Path):
    batch = sample(tmp_path, "zm-ke-soya-cake-batch.csv")
    run = eco("read", batch, "--format", "csv-lines", home=first_pair.zm)
    assert run.status is ExitStatus.REFUSED
    assert run.out == ""
    assert "SHAPE" in run.err


def test_an_envelope_is_opened_for_reading(traded_pair: Pair, message_id: str):
    raw = envelope(traded_pair.zm, message_id)
    assert eco("read", "-", home=traded_pair.ke, given=raw).value["exporting_country"] == "ZM"


def test_a_customs_response_is_read_and_rendered_too(traded_pair: Pair):
    response = eco_json("messages", home=traded_pair.ke)["sent"][0]["message_id"]
    raw = payload(traded_pair.ke, response)
    read = eco("read", "-", home=traded_pair.zm, given=raw)
    assert read.value["status"] == "PARTIAL"
    assert "CustomsResponse" in eco("render", "-", home=traded_pair.zm, given=read.out).out
    assert eco("verify", "-", home=traded_pair.zm, given=raw).status is ExitStatus.OK
