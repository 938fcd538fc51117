"""Webhooks: registered, told in order and at least once, retried, stopped, replayed, signed."""

from __future__ import annotations

import socket
import stat
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.documents import UtilisationStatus
from gateway.errors import ConfigError
from gateway.services.webhook_desk import HookSecrets
from gateway.services.webhook_sending import Patience
from gateway.store import EventKind, OrganisationState, clients, clock_back, events, webhooks
from tests.api.counter import AUDITOR, AUTHORITY, CUSTOMS, WINDOW
from tests.exchange.corridor import decide
from tests.factories import certificate
from tests.telling.receiver import is_genuine, receiving, register, tell, teller

ROOT = Path(__file__).resolve().parents[2]


def hook_of(front, made):
    return front.get(f"/webhooks/{made['webhook']}").json


def raw_hook(front, made):
    with front.desk.store.read() as conn:
        return webhooks.find(conn, made["webhook"])


# --- registering -------------------------------------------------------------------------------


def test_a_webhook_is_registered_listed_and_deleted_and_its_secret_shown_once(told, receiver):
    made = register(told, receiver.url)
    assert made["secret"].startswith("whsec_")
    shown = told.get("/webhooks").get_data(as_text=True)
    assert made["webhook"] in shown
    assert made["secret"] not in shown
    assert "secret_version" not in shown
    gone = told.ask("DELETE", f"/webhooks/{made['webhook']}", WINDOW)
    assert gone.status_code == 200
    assert told.get("/webhooks").json == {"webhooks": []}
    assert told.get(f"/webhooks/{made['webhook']}").status_code == 404


def test_a_webhook_of_another_organisation_does_not_exist_for_the_caller(told, receiver):
    made = register(told, receiver.url)
    path = f"/webhooks/{made['webhook']}"
    answers = [
        told.get(path, AUTHORITY),
        told.ask("DELETE", path, AUTHORITY),
        *(told.post(f"{path}/{deed}", b"", AUTHORITY) for deed in ("secret", "disable", "enable")),
        told.post(f"{path}/replay", {"after": 0}, AUTHORITY),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert told.get("/webhooks", AUTHORITY).json == {"webhooks": []}


FORBIDDEN = [
    "http://receiver.example.org/",
    "https://receiver.example.org:22/",
    "https://user:word@receiver.example.org/",
    "https://receiver.example.org/#part",
    "https://10.1.2.3/",
    "https://[::1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://169.254.169.254/latest/meta-data",
    "https:///told",
    "https://receiver.example.org:99999/",
    "https://receiver.example.org\\@10.0.0.1/",
    "ftp://receiver.example.org/",
    "https://receiver.example.org/ told",
]


@pytest.mark.parametrize("url", FORBIDDEN)
def test_an_address_that_may_not_be_told_is_refused_at_once(told, url):
    answer = told.post("/webhooks", {"url": url, "label": "tests"})
    assert (answer.status_code, answer.json["code"]) == (400, "BAD_REQUEST")
    assert told.get("/webhooks").json == {"webhooks": []}


def test_an_organisation_has_no_more_webhooks_than_can_be_told(told, receiver):
    for _ in range(10):
        register(told, receiver.url)
    answer = told.post("/webhooks", {"url": receiver.url, "label": "one more"})
    assert answer.status_code == 409


def test_an_unknown_kind_is_a_finding(told, receiver):
    form = {"url": receiver.url, "label": "tests", "kinds": ["MOON_PHASE"]}
    answer = told.post("/webhooks", form)
    assert answer.status_code == 422
    assert answer.json["findings"]


# --- what is told ------------------------------------------------------------------------------


def test_a_webhook_is_told_what_the_feed_says_byte_for_byte_the_same(border, told, receiver):
    register(told, receiver.url)
    assert border.zm.submit(certificate()).status_code == 202
    border.deliver()
    decide(border.corridor.ke, UtilisationStatus.PARTIAL, "6000")
    border.deliver()
    assert teller(told).drain() == 3
    feed = told.get("/events?after=0").json["events"]
    assert [call.event for call in receiver.calls] == feed
    assert {call.headers["content-type"] for call in receiver.calls} == {
        "application/cloudevents+json"
    }
    assert teller(told).drain() == 0


def test_a_webhook_is_told_only_of_its_kinds_and_of_what_its_owner_may_see(told, receiver):
    register(told, receiver.url, kinds=["PEER_BACK"])
    register(told, receiver.url, CUSTOMS)
    tell(told, "silent")
    tell(told, "back", kind=EventKind.PEER_BACK)
    with told.desk.store.begin() as conn:
        at = told.desk.clock()
        events.append(conn, at=at, kind=EventKind.BOOKS_DIFFER, subject="operators")
    assert teller(told).drain() == 3
    assert Counter(call.event["subject"] for call in receiver.calls) == {"back": 2, "silent": 1}


def test_a_webhook_begins_where_it_was_registered_or_where_it_wants(told, receiver):
    tell(told, "before")
    register(told, receiver.url)
    register(told, receiver.url, after=0)
    tell(told, "after")
    assert teller(told).drain() == 3
    assert Counter(call.event["subject"] for call in receiver.calls) == {"before": 1, "after": 2}


def test_nothing_is_told_for_an_organisation_that_is_suspended(told, receiver):
    register(told, receiver.url)
    tell(told, "meanwhile")
    at = told.desk.clock()
    for state, taken in ((OrganisationState.SUSPENDED, 0), (OrganisationState.ACTIVE, 1)):
        with told.desk.store.begin() as conn:
            clients.set_state(conn, "ZM-SINGLE_WINDOW", state, at=at, actor="user:t", reason="t")
        assert teller(told).drain() == taken


# --- the signature -------------------------------------------------------------------------------


def test_a_receiver_knows_what_is_genuine_and_what_is_not(told, receiver):
    made = register(told, receiver.url)
    tell(told, "a")
    teller(told).drain()
    (call,) = receiver.calls
    now = told.desk.clock().timestamp()
    assert is_genuine(made["secret"], call.headers, call.body, now)
    assert not is_genuine(made["secret"], call.headers, call.body + b" ", now)
    assert not is_genuine(made["secret"], {**call.headers, "webhook-id": "9"}, call.body, now)
    assert not is_genuine(made["secret"], call.headers, call.body, now + 301)
    moved = {**call.headers, "webhook-timestamp": str(int(now) + 1)}
    assert not is_genuine(made["secret"], moved, call.body, now)
    other = register(told, receiver.url)["secret"]
    assert not is_genuine(other, call.headers, call.body, now)


def test_for_a_day_after_an_exchange_both_secrets_sign(told, receiver, border):
    made = register(told, receiver.url)
    changed = told.post(f"/webhooks/{made['webhook']}/secret", b"").json
    assert changed["secret"] != made["secret"]
    tell(told, "a")
    teller(told).drain()
    border.corridor.clock.pass_time(hours=25)
    tell(told, "b")
    teller(told).drain()
    during, after = receiver.calls
    now = told.desk.clock().timestamp()
    for secret, holds in ((made["secret"], False), (changed["secret"], True)):
        assert is_genuine(secret, during.headers, during.body, now - 25 * 3600)
        assert is_genuine(secret, after.headers, after.body, now) is holds


def test_the_snippet_of_the_documentation_is_the_one_that_is_tried():
    source = (ROOT / "tests/telling/receiver.py").read_text()
    snippet = source.split("# --8<-- snippet\n")[1].split("# --8<-- end")[0]
    assert snippet.strip() in (ROOT / "docs/api.md").read_text()


def test_neither_database_nor_log_holds_a_secret(told, receiver):
    with capture_logs() as lines:
        made = register(told, receiver.url)
        again = told.post(f"/webhooks/{made['webhook']}/secret", b"").json
        receiver.behave = lambda _call: 500
        tell(told, "a")
        teller(told).drain()
    with told.desk.store.read() as conn:
        stored = repr(webhooks.every(conn)) + repr(events.after(conn, 0))
    for secret in (made["secret"], again["secret"]):
        assert secret not in stored + repr(lines)
        assert secret.removeprefix("whsec_") not in stored + repr(lines)
    assert receiver.url not in repr(lines), "an address may hold a token"


def test_the_key_behind_the_secrets_is_made_once_and_for_its_owner_only(tmp_path: Path):
    first, second = (HookSecrets(file=tmp_path / "keys" / "webhooks.key") for _ in range(2))
    assert first.secret("wh_a", 1) == second.secret("wh_a", 1)
    assert first.secret("wh_a", 1) != first.secret("wh_a", 2)
    assert first.secret("wh_a", 1) != first.secret("wh_b", 1)
    assert stat.S_IMODE(first.file.stat().st_mode) == 0o600
    assert [each.name for each in first.file.parent.iterdir()] == ["webhooks.key"]
    first.file.write_bytes(b"short")
    with pytest.raises(ConfigError, match="32 bytes"):
        first.secret("wh_a", 1)


def test_nothing_is_signed_with_another_key_than_the_webhook_was_made_with(told, receiver):
    made = register(told, receiver.url)
    told.counter.hooks.secrets.file.write_bytes(b"x" * 32)
    tell(told, "a")
    assert teller(told).drain() == 0
    assert receiver.calls == []
    assert hook_of(told, made)["last_error"] == "CONFIGURATION"


# --- receivers that fail ------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 410, 429, 500, 503])
def test_any_other_answer_than_yes_is_told_again_and_no_redirect_is_followed(
    told, receiver, border, status
):
    made = register(told, receiver.url)
    receiver.behave = lambda _call: status
    tell(told, "a")
    assert teller(told).drain() == 0
    assert len(receiver.calls) == 1
    assert hook_of(told, made)["last_error"] == f"HTTP_{status}"
    assert teller(told).drain() == 0, "there is a pause before the next try"
    assert len(receiver.calls) == 1
    receiver.behave = lambda _call: 204
    border.corridor.clock.pass_time(seconds=5)
    assert teller(told).drain() == 1
    assert receiver.calls[0].body == receiver.calls[1].body
    assert receiver.calls[0].id == receiver.calls[1].id
    assert (hook_of(told, made)["failures"], hook_of(told, made)["waiting"]) == (0, 0)


def test_a_receiver_that_is_down_costs_nobody_anything_and_gets_all_when_it_is_back(border, hooked):
    with socket.socket() as kept:  # bound without listening: nobody else gets the port
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        port = kept.getsockname()[1]
        front = hooked(border.zm, port)
        made = register(front, f"http://127.0.0.1:{port}/told")
        tell(front, "a", "b", "c")
        assert teller(front).drain() == 0
        assert hook_of(front, made)["last_error"] == "UNREACHABLE"
        assert border.zm.submit(certificate()).status_code == 202
        border.deliver()
        border.corridor.clock.pass_time(minutes=20)
        with receiving(port=port) as back:
            assert teller(front).drain() == 4
        assert sorted(back.ids) == [1, 2, 3, 4]


def test_a_slow_receiver_is_given_up_in_time_and_delays_no_other(border, hooked, receiver):
    with receiving() as quick:
        ports = frozenset({receiver.port, quick.port})
        front = hooked(border.zm, receiver.port, seconds=0.4, ports=ports)
        slow = register(front, receiver.url)
        register(front, quick.url)
        receiver.slow_seconds = 1.5
        tell(front, "a", "b")
        telling = teller(front)
        begun = time.monotonic()
        telling.ring()
        while len(quick.calls) < 2 and time.monotonic() < begun + 10:
            time.sleep(0.02)
        assert time.monotonic() - begun < 1.4, "it did not wait for the slow one"
        telling.stop()
        assert hook_of(front, slow)["last_error"] == "TIMED_OUT"
        assert len(receiver.calls) == 1


def test_pauses_grow_are_spread_by_chance_and_heed_what_the_receiver_asks():
    patience = Patience()
    drawn = {patience.pause(3) for _ in range(50)}
    assert len(drawn) > 40
    assert all(timedelta(seconds=8) <= each <= timedelta(seconds=16) for each in drawn)
    assert patience.pause(400) <= timedelta(minutes=15)
    assert patience.pause(0, 60.0) == timedelta(seconds=60)
    assert patience.pause(0, 86_400.0) == timedelta(minutes=15)


def test_of_one_certificate_nothing_is_told_before_what_came_first(told, receiver, border):
    register(told, receiver.url)
    tell(told, "stuck", "free", "stuck", "free")
    receiver.behave = lambda call: 500 if call.event["subject"] == "stuck" else 204
    for _ in range(6):
        teller(told).drain()
        border.corridor.clock.pass_time(minutes=16)
    taken = [call.event["subject"] for call in receiver.calls]
    assert taken.count("free") == 2
    assert {call.id for call in receiver.calls if call.event["subject"] == "stuck"} == {1}
    receiver.behave = lambda _call: 204
    assert teller(told).drain() == 2
    assert receiver.ids[-2:] == [1, 3]


def test_a_webhook_that_fails_for_long_is_stopped_with_an_event_and_goes_on_when_enabled(
    told, receiver, border
):
    made = register(told, receiver.url)
    receiver.behave = lambda _call: 500
    tell(told, "a", "b")
    telling = teller(told, give_up_after=timedelta(hours=1))
    for _ in range(4):
        telling.drain()
        border.corridor.clock.pass_time(minutes=20)
    telling.drain()
    assert hook_of(told, made)["state"] == "STOPPED"
    tries = len(receiver.calls)
    border.corridor.clock.pass_time(hours=5)
    assert telling.drain() == 0
    assert len(receiver.calls) == tries
    last = told.get("/events?after=0", AUDITOR).json["events"][-1]["data"]
    assert (last["kind"], last["webhook"]) == ("WEBHOOK_STOPPED", made["webhook"])
    assert last["organisation"] == "ZM-SINGLE_WINDOW"
    receiver.behave = lambda _call: 204
    assert told.post(f"/webhooks/{made['webhook']}/enable", b"").json["state"] == "ACTIVE"
    assert telling.drain() == 2, "nothing that came meanwhile is lost"


def test_a_disabled_webhook_is_told_afterwards_what_came_meanwhile(told, receiver):
    made = register(told, receiver.url)
    assert told.post(f"/webhooks/{made['webhook']}/disable", b"").json["state"] == "DISABLED"
    tell(told, "a")
    assert teller(told).drain() == 0
    told.post(f"/webhooks/{made['webhook']}/enable", b"")
    assert teller(told).drain() == 1


def test_a_webhook_disabled_in_the_middle_of_its_turn_is_told_nothing_more(told, receiver):
    made = register(told, receiver.url)

    def disable(_call) -> int:
        told.app.test_client().post(
            f"/api/v1/webhooks/{made['webhook']}/disable",
            headers={"Authorization": f"Bearer {told.tokens[WINDOW]}"},
        )
        return 204

    receiver.behave = disable
    tell(told, "a", "b", "c")
    assert teller(told).drain() == 1
    assert len(receiver.calls) == 1
    assert hook_of(told, made)["waiting"] == 2


def test_an_address_that_is_forbidden_meanwhile_is_told_nothing(told, receiver):
    made = register(told, receiver.url)
    telling = teller(told)
    telling.hooks = replace(telling.hooks, plain_hosts=frozenset())
    tell(told, "a")
    assert telling.drain() == 0
    assert receiver.calls == []
    assert hook_of(told, made)["last_error"] == "BAD_ANSWER"


def test_an_address_in_our_own_network_is_told_nothing_unless_it_is_allowed(told, receiver):
    made = register(told, f"http://receiver.example:{receiver.port}/")
    telling = teller(told)
    telling.hooks = replace(telling.hooks, networks=(ip_network("192.0.2.0/24"),))
    tell(told, "a")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", leading_to("127.0.0.1", receiver.port))
        assert telling.drain() == 0
    assert receiver.calls == []
    assert hook_of(told, made)["last_error"] == "UNREACHABLE"


def leading_to(address: str, port: int):
    """Return a stand-in of the name server's answer."""
    found = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
    return lambda *_args, **_kwargs: [found]


# --- again -----------------------------------------------------------------------------------------


def test_everything_after_a_cursor_is_told_once_more(told, receiver):
    made = register(told, receiver.url)
    tell(told, "a", "b", "c")
    teller(told).drain()
    before = [call.body for call in receiver.calls]
    path = f"/webhooks/{made['webhook']}/replay"
    assert told.post(path, {"after": 1}).json["cursor"] == 1
    assert teller(told).drain() == 2
    assert [call.body for call in receiver.calls[3:]] == before[1:]
    told.post("/events/confirmation", {"cursor": 2})
    told.post(path, {})
    assert teller(told).drain() == 1
    assert told.post(path, {"after": 999}).status_code == 400


def test_what_is_under_way_while_a_replay_is_asked_for_is_told_again(told, receiver):
    made = register(told, receiver.url)
    asked = []

    def replay_once(_call) -> int:
        if not asked:
            asked.append(True)
            told.app.test_client().post(
                f"/api/v1/webhooks/{made['webhook']}/replay",
                json={"after": 0},
                headers={"Authorization": f"Bearer {told.tokens[WINDOW]}"},
            )
        return 204

    receiver.behave = replay_once
    tell(told, "a", "b")
    telling = teller(told)
    while telling.drain():
        pass
    telling.drain()
    assert receiver.ids[0] == 1
    assert receiver.ids[-2:] == [1, 2]
    assert hook_of(told, made)["waiting"] == 0


def test_what_a_clock_ahead_of_the_time_put_off_is_told_when_it_is_right_again(
    told, receiver, border
):
    made = register(told, receiver.url)
    receiver.behave = lambda _call: 500
    tell(told, "a")
    border.corridor.clock.pass_time(hours=3)
    teller(told).drain()
    border.corridor.clock.pass_time(hours=-3)
    receiver.behave = lambda _call: 204
    assert teller(told).drain() == 0
    with told.desk.store.begin() as conn:
        clock_back.bring_back(conn, told.desk.clock(), lease_seconds=60)
    assert teller(told).drain() == 1
    assert raw_hook(told, made).parked_until is None


def test_several_workers_tell_each_event_once_and_each_lane_in_order(both, hooked):
    with receiving() as receiver:
        front = hooked(both.zm, receiver.port)
        register(front, receiver.url)
        subjects = [f"lane-{number % 5}" for number in range(40)]
        tell(front, *subjects)
        tellers = [teller(front) for _ in range(3)]

        def work(one) -> None:
            while len(receiver.calls) < len(subjects):
                one.drain()

        threads = [threading.Thread(target=work, args=(one,)) for one in tellers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert Counter(receiver.ids) == dict.fromkeys(range(1, 41), 1)
        for lane in set(subjects):
            own = [call.id for call in receiver.calls if call.event["subject"] == lane]
            assert own == sorted(own)
