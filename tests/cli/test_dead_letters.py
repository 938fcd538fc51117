"""``eco dead``, ``resend`` of many and ``hold``: a person sees all of it before anything goes."""

from __future__ import annotations

import pytest

from gateway.cli.output import ExitStatus
from tests.cli.eco import eco, eco_json
from tests.cli.homes import SINGLE_WINDOW, YARN, Pair, sample

WHY = ("--reason", "the line is up again")


@pytest.fixture
def letters(pair: Pair) -> Pair:
    """Two consignments that Zambia gave up, because nobody listens at Kenya's address."""
    settings = pair.zm / "gateway.toml"
    settings.write_text(settings.read_text() + "\n[delivery]\ngive_up_after_hours = 0.000001\n")
    for name in (None, YARN):
        file = sample(pair.folder) if name is None else sample(pair.folder, name)
        eco_json("submit", file, "--format", SINGLE_WINDOW, home=pair.zm)
    eco_json("work", "--once", home=pair.zm)
    eco_json("peer", "resume", "KE-SW", "--reason", "no need to wait", home=pair.zm)
    eco_json("work", "--once", home=pair.zm)
    assert states(pair) == ["FAILED", "FAILED"]
    return pair


def states(pair: Pair) -> list[str]:
    return [row["state"] for row in eco_json("messages", home=pair.zm)["sent"]]


def test_dead_letters_are_listed_with_reason_remedy_age_and_peer(letters: Pair):
    (first, _) = found = eco_json("dead", home=letters.zm)
    assert {row["peer"] for row in found} == {"KE-SW"}
    assert {row["code"] for row in found} == {"UNREACHABLE"}
    assert first["owner"] == "OPERATOR"
    assert 0 <= first["age_hours"] < 1
    for language in ("en", "fr", "ar"):
        out = eco("dead", "--language", language, home=letters.zm).out
        assert out.count(first["why"][language]) == 2
        assert first["remedy"][language] in out
    assert "and 1 more" in eco("dead", "--limit", "1", home=letters.zm).out
    assert eco("dead", "--code", "TLS", home=letters.zm).out == "no message waits for a person\n"


def test_many_are_only_shown_until_the_count_is_confirmed(letters: Pair):
    words = ("resend", "--peer", "KE-SW", "--code", "UNREACHABLE", *WHY)
    shown = eco(*words, home=letters.zm)
    assert shown.status is ExitStatus.OK
    assert "2 messages would be queued: 2 to KE-SW" in shown.out
    assert "--confirm 2" in shown.out
    value = eco_json(*words, home=letters.zm)
    assert (value["count"], value["queued"], len(value["messages"])) == (2, 0, 2)
    wrong = eco(*words, "--confirm", "3", home=letters.zm)
    assert wrong.status is ExitStatus.REFUSED
    assert "2 are chosen now" in wrong.err
    assert states(letters) == ["FAILED", "FAILED"]
    done = eco(*words, "--confirm", "2", home=letters.zm)
    assert "2 messages are queued again for KE-SW" in done.out
    assert "2 of 2 queued" in done.err
    eco_json("peer", "resume", "KE-SW", "--reason", "no need to wait", home=letters.zm)
    assert states(letters) == ["QUEUED", "QUEUED"]


def test_the_cap_is_taken_from_the_option_or_else_from_the_settings(letters: Pair):
    settings = letters.zm / "gateway.toml"
    settings.write_text(settings.read_text() + "resend_most = 1\nresend_per_second = 0.5\n")
    words = ("resend", "--all", *WHY)
    shown = eco_json(*words, home=letters.zm)
    assert (shown["most"], shown["per_second"]) == (1, 0.5)
    assert "of them 1 now" in eco(*words, home=letters.zm).out
    assert eco_json(*words, "--confirm", "2", home=letters.zm)["left"] == 1
    assert sorted(states(letters)) == ["FAILED", "QUEUED"]
    assert eco_json(*words, "--most", "7", home=letters.zm)["most"] == 7


@pytest.mark.parametrize(
    "words",
    [
        ("resend", *WHY),
        ("resend", "urn:uuid:1", "--all", *WHY),
        ("resend", "--all"),
        ("resend", "--all", "--confirm", "0", *WHY),
        ("resend", "--all", "--rate", "0", *WHY),
    ],
    ids=["nothing chosen", "one and many", "no reason", "none confirmed", "no rate"],
)
def test_a_vague_or_careless_resend_is_misuse(first_pair: Pair, words: tuple[str, ...]):
    assert eco(*words, home=first_pair.zm).status is ExitStatus.USAGE


def test_an_unknown_peer_is_named(first_pair: Pair):
    run = eco("dead", "--peer", "XX-GW", home=first_pair.zm)
    assert run.status is ExitStatus.NOT_FOUND
    assert "KE-SW" in run.err


def test_a_message_is_kept_back_and_let_go_by_hand(pair: Pair):
    eco_json("submit", sample(pair.folder), "--format", SINGLE_WINDOW, home=pair.zm)
    message = eco_json("messages", home=pair.zm)["sent"][0]["message_id"]
    held = eco_json("hold", message, "--reason", "customs asked", home=pair.zm)
    assert held["state"] == "HELD"
    assert pair.deliver() == 0
    assert len(eco_json("dead", "--state", "HELD", home=pair.zm)) == 1
    assert eco_json("resend", message, *WHY, home=pair.zm)["state"] == "QUEUED"
    assert pair.deliver() == 1
    assert states(pair) == ["DELIVERED"]
    assert eco("hold", message, "--reason", "too late", home=pair.zm).status is ExitStatus.REFUSED
