"""Batches in NDJSON: every line as if it had come alone, and what is told of them."""

from __future__ import annotations

import re

import pytest

from gateway.documents import UtilisationStatus
from gateway.services.batch_limits import BatchLimits
from gateway.services.batches import sweep
from gateway.store import JournalAction, OrganisationState, clients, journal, outbox
from tests.api.batches import (
    CSV,
    NDJSON,
    ZIP,
    codes,
    hand_in,
    line,
    ndjson,
    outcomes,
    pieces_left,
    results,
    serial,
    stored,
    worker,
)
from tests.api.counter import (
    AUDITOR,
    AUTHORITY,
    CUSTOMS,
    WINDOW,
    Front,
    add_organisation,
)
from tests.exchange.corridor import action
from tests.factories import certificate, goods_item

BAD_ITEMS = (goods_item(hs_code="770000"), goods_item(number=3))


def limited(front: Front, **limits: object) -> Front:
    """Return the same front with other limits."""
    object.__setattr__(front.counter, "batches", BatchLimits(**limits))
    return front


def queued(front: Front) -> int:
    with front.desk.store.read() as conn:
        return len(outbox.page(conn, limit=1000))


def test_every_line_is_answered_as_if_it_had_come_alone(both):
    lines = [line(number) for number in range(1, 21)]
    lines[3] = b"{no json"
    lines[4] = b"\xff\xfe\xfd"
    lines[5] = line(5)  # as the line before the last
    lines[6] = line(7, items=BAD_ITEMS)
    lines[7] = b"   "
    address = hand_in(both.zm, ndjson(lines), who=AUTHORITY)
    assert both.zm.get(address, AUTHORITY).json["state"] == "WAITING"
    assert worker(both.zm).run() == 1
    alone = both.zm.post("/certificates", lines[6], AUTHORITY).json
    found = {each["line"]: each for each in results(both.zm, address, who=AUTHORITY)}
    assert set(range(1, 21)) - set(found) == {8}
    refused = {number: each["problem"] for number, each in found.items() if each["problem"]}
    assert {number: each["code"] for number, each in refused.items()} == {
        4: "INVALID_DOCUMENT",
        5: "INVALID_DOCUMENT",
        7: "INVALID_DOCUMENT",
    }
    assert refused[7]["findings"] == alone["findings"]
    assert refused[7]["detail"] == alone["detail"]
    got = both.zm.get(address, AUTHORITY).json
    assert (got["state"], got["lines"], got["accepted"], got["repeated"], got["refused"]) == (
        "DONE", 19, 16, 0, 3,
    )  # fmt: skip
    assert got["progress"] == 1.0
    link = found[1]["links"]["certificate"].removeprefix("/api/v1")
    assert both.zm.get(link, AUTHORITY).json["serial_number"] == serial(1)
    assert pieces_left(both.zm) == 0
    both.deliver()
    assert both.ke.get(f"/certificates/ZM/{serial(20)}", CUSTOMS).json["state"] == "AVAILABLE"


def test_the_same_document_again_is_no_error(border):
    first = hand_in(border.zm, ndjson([line(1), line(1), line(2)]))
    worker(border.zm).run()
    again = hand_in(border.zm, ndjson([line(2), line(3)]))
    worker(border.zm).run()
    assert outcomes(border.zm, first) == {1: "ACCEPTED", 2: "REPEATED", 3: "ACCEPTED"}
    assert outcomes(border.zm, again) == {1: "REPEATED", 2: "ACCEPTED"}
    assert queued(border.zm) == 3
    one, two = results(border.zm, first)[:2]
    assert one["message_id"] == two["message_id"]


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_results_are_told_in_the_language_asked_for(border, language):
    address = hand_in(border.zm, ndjson([line(1, items=BAD_ITEMS)]))
    worker(border.zm).run()
    headers = {"Accept-Language": language}
    (told,) = results(border.zm, address, headers=headers)
    alone = border.zm.post("/certificates", line(1, items=BAD_ITEMS), headers=headers).json
    assert told["problem"]["findings"] == alone["findings"]
    assert {"V32", "V34"} <= {each["rule"] for each in told["problem"]["findings"]}


def test_results_come_page_by_page_also_while_the_batch_is_worked_on(border):
    address = hand_in(border.zm, ndjson(line(number) for number in range(1, 41)))
    half = worker(border.zm, turn_seconds=0.0)
    half.turn()
    assert border.zm.get(address).json["state"] == "RUNNING"
    first = border.zm.get(f"{address}/results?limit=10").json
    assert [each["line"] for each in first["results"]] == list(range(1, 11))
    second = border.zm.get(f"{address}/results?limit=10&after={first['next']}").json
    assert [each["line"] for each in second["results"]] == list(range(11, 17))
    assert second["next"] == 16  # there will be more
    half.run()
    last = border.zm.get(f"{address}/results?after=16").json
    assert [each["line"] for each in last["results"]] == list(range(17, 41))
    assert last["next"] is None


def test_progress_tells_rate_and_expected_end(border):
    address = hand_in(border.zm, ndjson(line(number) for number in range(1, 33)))
    slow = worker(border.zm, turn_seconds=0.0)
    assert border.zm.get(address).json["expected_end"] is None
    slow.turn()
    border.corridor.clock.pass_time(seconds=10)
    slow.turn()
    got = border.zm.get(address).json
    assert got["lines_per_second"] == 3.2
    assert got["progress"] == 1.0
    slow.turn()
    assert border.zm.get(address).json["ended_at"] == got["expected_end"]


def test_batches_take_turns(border):
    large = hand_in(border.zm, ndjson(line(number) for number in range(1, 65)))
    border.corridor.clock.pass_time(seconds=1)
    small = hand_in(border.zm, ndjson([line(100)]))
    hands = worker(border.zm, turn_seconds=0.0)
    for _ in range(2):
        border.corridor.clock.pass_time(seconds=1)
        hands.turn()
    assert border.zm.get(small).json["lines"] == 1
    assert border.zm.get(large).json["lines"] == 16


def test_a_trial_answers_what_submission_would_and_stores_nothing(border):
    lines = [line(1), line(2, items=BAD_ITEMS)]
    address = hand_in(border.zm, ndjson(lines), query="?dry_run=true")
    worker(border.zm).run()
    assert queued(border.zm) == 0
    taken, refused = results(border.zm, address)
    alone = border.zm.post("/certificates?dry_run=true", lines[0]).json
    assert taken["peer"] == alone["peer"]
    assert (taken["message_id"], taken["links"]) == (None, None)
    assert refused["problem"]["code"] == "INVALID_DOCUMENT"
    assert border.zm.get(address).json["dry_run"] is True


def test_decisions_of_customs_come_in_batches_too(both):
    both.zm.submit(certificate())
    both.deliver()
    decisions = [
        action(UtilisationStatus.PARTIAL, "6000", reference="D1"),
        action(UtilisationStatus.PARTIAL, "9000", reference="D2"),  # more than remains
        action(UtilisationStatus.PARTIAL, "1000", reference="D3"),
        action(UtilisationStatus.PARTIAL, "6000", reference="D1"),
        action(UtilisationStatus.PARTIAL, "1", reference="D4", serial_number="ZM-1"),
    ]
    raw = ndjson(each.model_dump_json().encode() for each in decisions)
    address = hand_in(both.ke, raw, to="/batches/responses", who=CUSTOMS)
    worker(both.ke).run()
    found = results(both.ke, address, who=CUSTOMS)
    assert [each["outcome"] for each in found] == [
        "ACCEPTED", "REFUSED", "ACCEPTED", "REPEATED", "REFUSED",
    ]  # fmt: skip
    assert found[1]["problem"]["findings"]
    assert found[4]["problem"]["code"] == "NOT_FOUND"
    with both.ke.desk.store.read() as conn:
        query = "SELECT count(*) FROM events WHERE kind = 'OVER_USE_ATTEMPTED'"
        assert conn.exec_driver_sql(query).scalar() == 1
        assert journal.verify_chain(conn).holds
    both.deliver()
    (item,) = both.zm.get("/certificates/ZM/ZM-20260309-000123/ledger", AUTHORITY).json["items"]
    assert (item["used"], item["remaining"]) == ("7000", "5000")


# --- the upload ---------------------------------------------------------------------------------


def test_the_same_upload_under_its_key_is_one_batch(border):
    raw, key = ndjson([line(1)]), {"Idempotency-Key": "batch-1"}
    first = border.zm.post("/batches", raw, content_type=NDJSON, headers=key)
    again = border.zm.post("/batches", raw, content_type=NDJSON, headers=key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.data == first.data
    other = border.zm.post("/batches", raw + b"\n", content_type=NDJSON, headers=key)
    assert (other.status_code, other.json["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert len(border.zm.get("/batches").json["batches"]) == 1
    assert pieces_left(border.zm) == 1


BROKEN = [
    pytest.param(NDJSON, "", b"", 400, "BAD_REQUEST", id="empty"),
    pytest.param(NDJSON, "", "{}".encode("utf-16"), 415, "UNSUPPORTED_MEDIA_TYPE", id="utf-16"),
    pytest.param(NDJSON, "?format=telex", b"{}", 404, "NOT_FOUND", id="unknown-format"),
    pytest.param(NDJSON, "?format=csv-lines", b"{}", 415, "UNSUPPORTED_MEDIA_TYPE", id="not-json"),
    pytest.param(CSV, "", b"HDR;", 400, "BAD_REQUEST", id="csv-without-format"),
    pytest.param(CSV, "?format=customs-xml", b"HDR;", 415, "UNSUPPORTED_MEDIA_TYPE", id="not-csv"),
    pytest.param(ZIP, "", b"PK nothing", 422, "ARCHIVE_UNSAFE", id="no-archive"),
    pytest.param("application/json", "", b"{}", 415, "UNSUPPORTED_MEDIA_TYPE", id="media"),
    pytest.param(NDJSON, "", b"\n" * 60, 413, "TOO_LARGE", id="lines"),
    pytest.param(NDJSON, "", b" " * 20_001, 413, "TOO_LARGE", id="bytes"),
]


@pytest.mark.parametrize(("media", "query", "raw", "status", "code"), BROKEN)
def test_an_upload_that_cannot_be_taken_leaves_nothing_behind(
    border, media, query, raw, status, code
):
    front = limited(border.zm, max_bytes=20_000, max_lines=50)
    answer = front.post("/batches" + query, raw, content_type=media)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert front.get("/batches").json == {"batches": [], "next": None}
    assert pieces_left(front) == 0


def test_an_upload_that_breaks_off_leaves_nothing_behind(border):
    def pieces():
        yield line(1)
        raise OSError("the line was cut")

    environ = {"wsgi.input": Broken(pieces()), "wsgi.input_terminated": True}
    answer = border.zm.client.post(
        "/api/v1/batches",
        environ_overrides=environ,
        content_type=NDJSON,
        headers={"Authorization": f"Bearer {border.zm.tokens[WINDOW]}"},
    )
    assert (answer.status_code, answer.json["code"]) == (400, "BAD_REQUEST")
    assert pieces_left(border.zm) == 0


class Broken:
    """Is a body that breaks off."""

    def __init__(self, pieces):
        self.pieces = pieces

    def read(self, _size=-1):
        return next(self.pieces)


def test_an_organisation_has_only_so_many_batches_in_work(border):
    front = limited(border.zm, max_open=2)
    for number in (1, 2):
        hand_in(front, ndjson([line(number)]))
    refused = front.post("/batches", ndjson([line(3)]), content_type=NDJSON)
    assert (refused.status_code, refused.json["code"]) == (429, "SLOW_DOWN")
    assert "Retry-After" in refused.headers
    worker(front).run()
    hand_in(front, ndjson([line(3)]))


def test_a_line_over_the_limit_is_a_result(border):
    front = limited(border.zm, max_line_bytes=10_000)
    lines = [line(1), b"[" * 10_001, b"x" * 3_000_000, line(2)]
    address = hand_in(front, ndjson(lines))
    worker(front).run()
    assert codes(front, address) == {2: "TOO_LARGE", 3: "TOO_LARGE"}
    assert outcomes(front, address)[4] == "ACCEPTED"


def test_a_byte_order_mark_and_carriage_returns_are_passed_over(border):
    raw = b"\xef\xbb\xbf" + line(1) + b"\r\n\r\n" + line(2)
    address = hand_in(border.zm, raw)
    worker(border.zm).run()
    assert outcomes(border.zm, address) == {1: "ACCEPTED", 3: "ACCEPTED"}


def test_lines_may_be_in_a_national_format(border, national_line):
    address = hand_in(border.zm, ndjson([national_line]), query="?format=single-window-json")
    worker(border.zm).run()
    assert outcomes(border.zm, address) == {1: "ACCEPTED"}


@pytest.fixture
def national_line() -> bytes:
    import json

    from gateway.demo.manifest import FOLDER, expand
    from tests.factories import NOW

    text = expand((FOLDER / "zm-ke-cotton-yarn.json").read_text(encoding="utf-8"), NOW)
    return json.dumps(json.loads(text)).encode()


# --- whose a batch is ---------------------------------------------------------------------------


def test_an_organisation_sees_only_its_own_batches(border):
    address = hand_in(border.zm, ndjson([line(1)]), who=AUTHORITY)
    for other in (WINDOW, AUDITOR, CUSTOMS):
        assert border.zm.get("/batches", other).json["batches"] == []
        for path in (address, f"{address}/results"):
            assert border.zm.get(path, other).status_code == 404
        assert border.zm.post(f"{address}/cancel", b"", other).status_code == 404
    (own,) = border.zm.get("/batches", AUTHORITY).json["batches"]
    assert own["links"]["batch"].endswith(address)


def test_a_line_about_somebody_elses_certificate_is_refused(border):
    other = add_organisation(border.zm.desk, AUTHORITY, code="ZM-OTHER", authority="ZM-OTHER")
    address = hand_in(border.zm, ndjson([line(1)]), who=other)
    worker(border.zm).run()
    (found,) = results(border.zm, address, who=other)
    assert found["problem"]["code"] == "NOT_PERMITTED"


def test_the_journal_names_the_key_for_each_line_and_tells_of_the_batch(border):
    address = hand_in(border.zm, ndjson([line(1)]), who=AUTHORITY)
    worker(border.zm).run()
    with border.zm.desk.store.read() as conn:
        (submitted,) = journal.page(conn, action=JournalAction.API_SUBMITTED)
        (taken,) = journal.page(conn, action=JournalAction.BATCH_TAKEN)
        (ended,) = journal.page(conn, action=JournalAction.BATCH_ENDED)
        assert journal.verify_chain(conn).holds
    assert re.fullmatch(r"key:[0-9a-f]{16}", submitted.actor)
    assert taken.subject == ended.subject == address.rsplit("/", 1)[1]
    assert ended.detail["accepted"] == 1


def test_batches_are_listed_page_by_page_the_newest_first(border):
    made = [hand_in(border.zm, ndjson([line(number)])) for number in (1, 2, 3)]
    first = border.zm.get("/batches?limit=2").json
    rest = border.zm.get(f"/batches?limit=2&cursor={first['next']}").json
    listed = [each["links"]["batch"][7:] for each in first["batches"] + rest["batches"]]
    assert listed == made[::-1]
    assert rest["next"] is None


def test_a_suspended_organisation_is_not_worked_for(border):
    address = hand_in(border.zm, ndjson([line(1)]))
    code = "ZM-SINGLE_WINDOW"
    for state, lines in ((OrganisationState.SUSPENDED, 0), (OrganisationState.ACTIVE, 1)):
        with border.zm.desk.store.begin() as conn:
            at = border.corridor.clock()
            clients.set_state(conn, code, state, at=at, actor="user:test", reason="a test")
        worker(border.zm).run()
        assert stored(border.zm, address).lines == lines


# --- the end of a batch -------------------------------------------------------------------------


def test_a_cancelled_batch_keeps_what_was_done_and_does_no_more(border):
    address = hand_in(border.zm, ndjson(line(number) for number in range(1, 41)))
    worker(border.zm, turn_seconds=0.0).turn()
    answer = border.zm.post(f"{address}/cancel", b"")
    assert (answer.status_code, answer.json["state"]) == (200, "CANCELLED")
    assert worker(border.zm).run() == 0
    assert len(outcomes(border.zm, address)) == 16
    assert queued(border.zm) == 16
    again = border.zm.post(f"{address}/cancel", b"")
    assert (again.status_code, again.json["code"]) == (409, "CONFLICT")
    border.corridor.clock.pass_time(minutes=6)
    sweep(border.zm.counter, "worker")
    assert pieces_left(border.zm) == 0


def test_only_who_could_hand_a_batch_in_may_cancel_it(border):
    address = hand_in(border.zm, ndjson([line(1)]))
    from gateway.services.access import Scope
    from gateway.services.keys import KeyOrder, make_key

    with border.zm.desk.store.begin() as conn:
        owner = clients.by_code(conn, "ZM-SINGLE_WINDOW")
        order = KeyOrder(label="reads", scopes=[Scope.READ])
        reader = make_key(conn, owner, order, at=border.corridor.clock(), actor="user:test").token
    assert border.zm.get(address, reader).status_code == 200
    assert border.zm.post(f"{address}/cancel", b"", reader).json["code"] == "NOT_PERMITTED"


def test_results_go_after_their_time_and_broken_uploads_soon(border):
    old = hand_in(border.zm, ndjson([line(1)]))
    worker(border.zm).run()
    with border.zm.desk.store.begin() as conn:  # as a process leaves it that dies
        conn.exec_driver_sql(
            "INSERT INTO batches SELECT 99, 'ba_x', organisation_id, kind, form, format, dry_run,"
            " 'RECEIVING', credential, scopes, 0, NULL, 0, 0, position, 0, 0, 0, 0, 0, NULL, NULL,"
            " created_at, NULL, NULL, updated_at, due_at, NULL, 0 FROM batches"
        )
        conn.exec_driver_sql("INSERT INTO batch_pieces VALUES (99, 0, x'00')")
    border.corridor.clock.pass_time(minutes=16)
    assert sweep(border.zm.counter, "worker") == 1
    assert sweep(border.zm.counter, "worker") == 0  # not its turn
    assert pieces_left(border.zm) == 0
    assert border.zm.get(old).status_code == 200
    border.corridor.clock.pass_time(days=31)
    with border.zm.desk.store.begin() as conn:
        conn.exec_driver_sql("UPDATE api_keys SET expires_at = '2027-01-01T00:00:00.000000Z'")
    assert sweep(border.zm.counter, "worker") == 1
    assert border.zm.get(old).status_code == 404


def test_limits_stand_in_the_settings(tmp_path):
    from gateway.config import settings_from
    from gateway.national_side import batch_limits
    from tests.keep.books import SETTINGS

    said = SETTINGS + "\n[api.batches]\nmax_lines = 7\nkeep_days = 2\n"
    limits = batch_limits(settings_from(said, tmp_path, source="test"))
    assert (limits.max_lines, limits.kept.days) == (7, 2)


def test_an_upload_that_gets_on_may_take_longer_than_a_request():
    from flask import Flask, request

    from gateway.transport.deadline import deadline, is_over
    from gateway.web.bodies import pieces_of

    for size, late in ((2_000_000, False), (1_000_000, True)):
        with Flask("x").test_request_context(method="POST", data=b"x" * size), deadline(0.0):
            assert is_over()
            assert sum(len(piece) for piece in pieces_of(request, 3_000_000)) == size
            assert is_over() is late
