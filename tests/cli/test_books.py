"""``eco status``, ``messages`` and ``resend``: what became of everything, without any key."""

from __future__ import annotations

import shutil

import pytest

from gateway.cli.output import ExitStatus
from tests.cli.eco import eco, eco_json
from tests.cli.homes import Pair


def serial_of(pair: Pair) -> str:
    found = eco_json("messages", home=pair.zm)["sent"][0]["document_number"]
    assert isinstance(found, str)
    return found


def test_status_tells_what_is_left_and_what_happened(traded_pair: Pair):
    run = eco("status", serial_of(traded_pair), home=traded_pair.zm)
    assert run.status is ExitStatus.OK
    for words in (
        "20000 of 60000 KGM used, 40000 left",
        "KE-SW: RECEIVED",
        "customs response 1: PARTIAL",
        "peer's verdict ACCEPTED",
        "Nakambala Valley Sugar Ltd → Nairobi Provisions Ltd",
    ):
        assert words in run.out
    assert ".000000" not in run.out


def test_status_says_who_must_act_next_and_by_when(traded_pair: Pair):
    serial = serial_of(traded_pair)
    waits = eco_json("status", serial, home=traded_pair.ke)[0]["waits_for"]
    assert waits["owner"] == "TRADER", "the rest has not been declared yet"
    assert waits["reason"].keys() == {"en", "fr", "ar"}
    for language in ("en", "fr", "ar"):
        out = eco("status", serial, "--language", language, home=traded_pair.ke).out
        assert "waits for   TRADER, until 20" in out
        assert waits["next_step"][language] in out


def test_both_sides_books_agree(traded_pair: Pair):
    serial = serial_of(traded_pair)
    issued = eco_json("status", serial, home=traded_pair.zm)[0]
    received = eco_json("status", serial, home=traded_pair.ke)[0]
    assert (issued["side"], received["side"]) == ("ISSUED", "RECEIVED")
    assert issued["items"] == received["items"]
    assert issued["customs_status"] == received["customs_status"] == "PARTIAL"


def test_status_needs_no_keys(traded_pair: Pair, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(traded_pair.zm, home)
    shutil.rmtree(home / "keys")
    assert eco("status", serial_of(traded_pair), home=home).status is ExitStatus.OK
    assert eco("messages", home=home).status is ExitStatus.OK
    assert eco("peer", "list", home=home).status is ExitStatus.OK


def test_the_issuing_country_tells_two_certificates_apart(traded_pair: Pair):
    serial = serial_of(traded_pair)
    assert eco_json("status", serial, "--country", "ZM", home=traded_pair.zm)
    run = eco("status", serial, "--country", "KE", home=traded_pair.zm)
    assert run.status is ExitStatus.NOT_FOUND
    assert "of KE" in run.err


def test_an_unknown_serial_number_is_not_found(traded_pair: Pair):
    run = eco("status", "ZM-1-1", "--json", home=traded_pair.zm)
    assert run.status is ExitStatus.NOT_FOUND
    assert run.out == ""
    assert run.problem["code"] == "NOT_FOUND"


def test_messages_lists_both_directions(traded_pair: Pair):
    out = eco("messages", home=traded_pair.zm).out
    assert "CertificateOfOrigin" in out
    assert "CustomsResponse" in out
    value = eco_json("messages", home=traded_pair.zm)
    assert [row["peer"] for row in value["sent"] + value["received"]] == ["KE-SW", "KE-SW"]


def test_messages_can_be_narrowed_to_a_state_of_delivery(traded_pair: Pair):
    words = ("messages", "--state")
    assert len(eco_json(*words, "DELIVERED", home=traded_pair.zm)["sent"]) == 1
    assert eco_json(*words, "FAILED", home=traded_pair.zm) == {"sent": [], "received": []}
    assert eco(*words, "FAILED", home=traded_pair.zm).out == "no such message was sent\n"
    assert eco(*words, "EATEN", home=traded_pair.zm).status is ExitStatus.USAGE


def test_an_empty_book_says_so(first_pair: Pair):
    out = eco("messages", home=first_pair.zm).out
    assert "no such message was sent" in out
    assert "no message was received" in out


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many"])
def test_the_limit_is_a_number_that_makes_sense(first_pair: Pair, limit: str):
    assert eco("messages", "--limit", limit, home=first_pair.zm).status is ExitStatus.USAGE


def test_a_message_on_its_way_is_not_queued_again(pair: Pair):
    pair.sugar()
    message = eco_json("messages", home=pair.zm)["sent"][0]["message_id"]
    run = eco("resend", message, "--reason", "x", home=pair.zm)
    assert run.status is ExitStatus.REFUSED
    assert "what to do" in run.err


def test_an_unknown_message_is_not_queued_again(first_pair: Pair):
    run = eco("resend", "urn:uuid:0", "--reason", "x", home=first_pair.zm)
    assert run.status is ExitStatus.NOT_FOUND


def test_a_failed_message_is_queued_again_under_its_id(pair: Pair):
    settings = pair.zm / "gateway.toml"
    settings.write_text(settings.read_text() + "\n[delivery]\ngive_up_after_hours = 0.000001\n")
    with pytest.raises(AssertionError):
        break_the_line(pair)
    failed = eco_json("messages", "--state", "FAILED", home=pair.zm)["sent"]
    assert [row["code"] for row in failed] == ["UNREACHABLE"]
    message = failed[0]["message_id"]
    run = eco("resend", message, "--reason", "line is up again", home=pair.zm)
    assert run.status is ExitStatus.OK
    assert f"queued again for KE-SW as {message}" in run.out
    eco_json("peer", "resume", "KE-SW", "--reason", "no need to wait", home=pair.zm)
    assert pair.deliver() == 1
    assert eco_json("messages", home=pair.zm)["sent"][0]["state"] == "DELIVERED"


def break_the_line(pair: Pair) -> None:
    """Let Zambia's worker give up, because nobody listens at Kenya's address."""
    from tests.cli.homes import SINGLE_WINDOW, sample

    eco_json("submit", sample(pair.folder), "--format", SINGLE_WINDOW, home=pair.zm)
    value = eco_json("work", "--once", home=pair.zm)
    raise AssertionError(value)
