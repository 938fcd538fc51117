"""The retry table: every failure has its class, and a home may say otherwise."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.errors import (
    BusyError,
    ConfigError,
    GatewayError,
    HtmlAnswerError,
    NameUnknownError,
    PeerFaultError,
    ReceiptError,
    TimedOutError,
    TransportError,
    UnreachableError,
    all_error_types,
)
from gateway.exchange.outbound import submit_document
from gateway.exchange.retry import RetryPolicy
from gateway.exchange.retry_table import RetryTable, Treatment
from gateway.resources import data_path
from gateway.store import DeliveryState
from tests.exchange.corridor import Corridor
from tests.factories import NOW, certificate

TABLE = RetryTable.load()
POLICY = RetryPolicy(
    first=timedelta(seconds=5), longest=timedelta(minutes=15), give_up_after=timedelta(hours=72)
)
CODES = sorted(cls.code for cls in all_error_types() if cls.__module__ == "gateway.errors")


def name_of(kind: object) -> str:
    return next(name for name, each in TABLE.classes.items() if each is kind)


def failure(cls: type[TransportError]) -> TransportError:
    if issubclass(cls, PeerFaultError):
        return cls("no", peer_code="HTTP_502", peer_retryable=True)
    return cls("no")


LEAVES = [
    cls
    for cls in all_error_types()
    if issubclass(cls, TransportError | ReceiptError) and cls.__module__ == "gateway.errors"
]


@pytest.mark.parametrize("cls", LEAVES, ids=lambda cls: cls.code)
def test_every_failure_of_the_way_and_of_a_receipt_has_a_class_of_its_own(cls):
    error = ReceiptError("no") if cls is ReceiptError else failure(cls)
    own = [one for one in TABLE.classes.values() if error.code in one.causes]
    assert len(own) == 1
    assert POLICY.next_attempt(since=NOW, now=NOW, attempt=1, error=error) is not None


@pytest.mark.parametrize("code", CODES)
def test_every_wire_code_that_a_peer_may_state_has_a_class(code: str):
    own = [one for one in TABLE.classes.values() if code in one.faults]
    assert len(own) == 1
    fault = PeerFaultError("no", peer_code=code, peer_retryable=True)
    assert TABLE.class_of(fault) is own[0]
    assert TABLE.explain(code) is not None


@pytest.mark.parametrize(
    ("code", "retryable", "name"),
    [
        ("HTTP_502", True, "peer-down"),
        ("HTTP_599", True, "peer-fault"),
        ("HTTP_418", False, "not-understood"),
        ("HTTP_429", True, "peer-busy"),
        ("THEIR_OWN", True, "peer-fault"),
        ("THEIR_OWN", False, "not-understood"),
    ],
)
def test_a_status_or_code_that_is_not_listed_falls_into_its_range(code, retryable, name):
    assert name_of(TABLE.fault_class(code, retryable=retryable)) == name


def test_what_the_peer_states_is_never_mistaken_for_our_own_failure():
    theirs = PeerFaultError("theirs", peer_code="UNREACHABLE", peer_retryable=True)
    assert not TABLE.class_of(theirs).blocks_lane
    assert not TABLE.class_of(BusyError("our own database")).blocks_lane
    assert TABLE.class_of(PeerFaultError("b", peer_code="BUSY", peer_retryable=True)).blocks_lane


def test_an_error_without_an_entry_counts_as_our_own_fault():
    assert name_of(TABLE.class_of(GatewayError("bytes were changed"))) == "own-fault"


@pytest.mark.parametrize(
    ("cls", "name"), [(HtmlAnswerError, "html-answer"), (NameUnknownError, "name-unknown")]
)
def test_html_and_dns_are_told_apart_from_what_they_are_kinds_of(cls, name):
    assert name_of(TABLE.class_of(cls("x"))) == name


def test_every_class_tells_the_operator_in_three_languages_what_it_is_and_what_to_do():
    for each in TABLE.classes.values():
        for text in (each.says, each.todo):
            assert len({text.en, text.fr, text.ar}) == 3


def test_only_a_reused_message_id_waits_for_a_person_at_once():
    held = [name for name, one in TABLE.classes.items() if one.treatment is Treatment.HOLD]
    assert held == ["id-conflict"]
    reused = PeerFaultError("no", peer_code="MESSAGE_ID_REUSED", peer_retryable=False)
    assert POLICY.next_attempt(since=NOW, now=NOW, attempt=1, error=reused) is None


# --- the lane -------------------------------------------------------------------------------------


def test_the_lane_is_parked_for_longer_with_each_failure_of_the_way():
    error = UnreachableError("x")
    pauses = [POLICY.parked_until(NOW, failures, error) for failures in (0, 1, 2, 40)]
    seconds = [(moment - NOW).total_seconds() for moment in pauses if moment]
    assert seconds == [2, 4, 8, 50]
    assert POLICY.parked_until(NOW, 5, GatewayError("of one message only")) is None


def test_a_peer_that_asks_for_a_pause_gets_it_for_all_its_messages():
    busy = PeerFaultError("busy", peer_code="SLOW_DOWN", peer_retryable=True, retry_after=42.0)
    assert POLICY.parked_until(NOW, 0, busy) == NOW + timedelta(seconds=42)
    for_ever = PeerFaultError("busy", peer_code="BUSY", peer_retryable=True, retry_after=86_400.0)
    assert POLICY.parked_until(NOW, 0, for_ever) == NOW + POLICY.longest


def test_what_waits_for_the_way_goes_at_once_when_one_message_got_through(corridor: Corridor):
    ids = [
        submit_document(
            corridor.zm.desk, certificate(serial_number=f"ZM-20260309-{number:06}")
        ).message_id
        for number in (1, 2, 3)
    ]
    corridor.zm.wire.down = True
    for _ in range(12):  # the lane opens for one probe at a time
        corridor.zm.work()
        corridor.clock.pass_time(seconds=61)
    waiting = [corridor.zm.dispatch(one) for one in ids]
    last = max(one.due_at for one in waiting if one.state is DeliveryState.RETRYING)
    assert last > corridor.clock()
    corridor.zm.wire.down = False
    while corridor.zm.work() == 0:
        corridor.clock.pass_time(seconds=5)
    while corridor.zm.work():
        pass
    assert corridor.clock() < last
    assert {corridor.zm.dispatch(one).state for one in ids} == {DeliveryState.DELIVERED}


def test_what_timed_out_keeps_its_own_pause_lest_it_block_the_others_again():
    assert TimedOutError.code not in TABLE.resuming_codes
    assert UnreachableError.code in TABLE.resuming_codes


# --- the file -------------------------------------------------------------------------------------

SHIPPED = data_path("mappings", "delivery", "retry-classes.yaml").read_text(encoding="utf-8")


def own_table(folder: Path, text: str) -> Path:
    path = folder / "retry.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def one_class(name: str) -> str:
    """Return the shipped file with this class alone."""
    rest = SHIPPED.split("classes:\n", 1)[1].split(f"  {name}:\n", 1)[1:]
    lines = [f"  {name}:"]
    for line in rest[0].splitlines():
        if not line.startswith("    "):
            break
        lines.append(line)
    return "classes:\n" + "\n".join(lines) + "\n"


def test_a_home_replaces_single_classes_and_the_rest_stays(tmp_path: Path):
    changed = one_class("tls").replace("treatment: BACKOFF", "treatment: SLOW\n    longest: 77")
    table = RetryTable.load(own_table(tmp_path, changed))
    assert table.classes["tls"].longest == 77
    assert table.classes["timed-out"] == TABLE.classes["timed-out"]


def test_a_home_may_say_when_a_lane_is_parked(tmp_path: Path):
    table = RetryTable.load(own_table(tmp_path, "lane: {after: 3, first: 10}\n"))
    policy = RetryPolicy(
        first=POLICY.first, longest=POLICY.longest, give_up_after=POLICY.longest, table=table
    )
    parked = [policy.parked_until(NOW, failures, UnreachableError("x")) for failures in range(4)]
    assert parked == [None, None, NOW + timedelta(seconds=10), NOW + timedelta(seconds=20)]


def test_a_class_may_have_its_own_pauses_and_age(tmp_path: Path):
    changed = one_class("tls").replace(
        "treatment: BACKOFF",
        "treatment: BACKOFF\n    first: 30\n    factor: 3\n    longest: 100\n    give_up_hours: 1",
    )
    table = RetryTable.load(own_table(tmp_path, changed))
    policy = RetryPolicy(
        first=POLICY.first, longest=POLICY.longest, give_up_after=POLICY.give_up_after, table=table
    )
    error = next(cls for cls in LEAVES if cls.code == "TLS")("x")
    pauses = [policy.pause(attempt, error).total_seconds() for attempt in (1, 2, 3)]
    assert [30 <= pauses[0] <= 36, 90 <= pauses[1] <= 108, 100 <= pauses[2] <= 120] == [True] * 3
    late = NOW + timedelta(hours=1)
    assert policy.next_attempt(since=NOW, now=late, attempt=1, error=error) is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("treatment: BACKOFF", "treatment: SOMETIMES"), r"classes\.tls\.treatment \(line 4\)"),
        (
            ("treatment: BACKOFF", "treatment: BACKOFF\n    fast: 1"),
            r"fast \(line 5\).*no such key",
        ),
        (("treatment: BACKOFF", "treatment: [BACKOFF"), r"retry\.yaml, line \d+"),
        (("[TLS]", "[TLS, UNREACHABLE]"), "stand in two classes: UNREACHABLE"),
        (("[TLS]", "[THEIR_OWN]"), "stand in no class: TLS"),
        (("blocks_lane: true", "blocks_lane: false"), "only what blocks the lane"),
        (("      ar:", "      de:"), r"ar \(line \d+\)"),
    ],
)
def test_a_broken_table_is_refused_with_its_place(tmp_path: Path, change, complaint: str):
    text = one_class("tls").replace(*change)
    with pytest.raises(ConfigError, match=complaint):
        RetryTable.load(own_table(tmp_path, text))
