"""Who may: keys, scopes, and that what is not the caller's to see does not exist for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.documents import UtilisationStatus
from gateway.documents.parties import Authority
from gateway.errors import InputError, NotFoundError
from gateway.services.access import SCOPES_OF, Scope
from gateway.services.keys import KeyOrder, make_key, rotate_key
from gateway.store import JournalAction, OrganisationKind, OrganisationState, clients, journal
from gateway.web.api import ROUTES
from tests.api.counter import AUDITOR, AUTHORITY, CUSTOMS, WINDOW, add_organisation
from tests.exchange.corridor import action
from tests.factories import NOW, certificate

SERIAL = "ZM-20260309-000123"
ADDRESS = f"/certificates/ZM/{SERIAL}"
CONCRETE = {
    "/certificates/{country}/{serial}": ADDRESS,
    "/messages/{message_id}": "/messages/urn:uuid:00000000-0000-0000-0000-000000000000",
    "/code-lists/{id}": "/code-lists/packages",
    "/agreements/{id}": "/agreements/COMESA",
    "/webhooks/{webhook}": "/webhooks/wh_aaaaaaaaaaaaaaaa",
    "/batches/{batch}": "/batches/ba_aaaaaaaaaaaaaaaaaaaaaaaa",
}


def address(path: str) -> str:
    for template, concrete in CONCRETE.items():
        if path.startswith(template):
            return concrete + path.removeprefix(template)
    return path


def by(front, token: str):
    return front.get("/me", token)


MATRIX = [
    pytest.param(kind, route, id=f"{kind.value.lower()}-{route.name}")
    for kind in OrganisationKind
    for route in ROUTES
]


@pytest.mark.parametrize(("kind", "route"), MATRIX)
def test_an_organisation_passes_the_scope_of_an_address_only_if_its_kind_has_it(
    traded, kind, route
):
    raw = {"data": b"{}"} if route.method == "POST" else {}
    answer = traded.zm.ask(route.method.value, address(route.path), kind, **raw)
    allowed = route.scope is None or route.scope in SCOPES_OF[kind]
    assert (answer.status_code == 403) is not allowed, answer.get_data(as_text=True)
    if not allowed:
        assert answer.json["code"] == "NOT_PERMITTED"


SIGHT = [
    ("zm", AUTHORITY, 200),
    ("zm", CUSTOMS, 404),
    ("zm", WINDOW, 200),
    ("zm", AUDITOR, 200),
    ("ke", AUTHORITY, 404),
    ("ke", CUSTOMS, 200),
    ("ke", WINDOW, 200),
    ("ke", AUDITOR, 200),
]


@pytest.mark.parametrize("part", ["", "/document", "/timeline", "/ledger"])
@pytest.mark.parametrize(("side", "kind", "status"), SIGHT)
def test_a_certificate_is_seen_by_its_issuer_and_by_whom_it_came_for(
    traded, side, kind, status, part
):
    front = getattr(traded, side)
    assert front.get(ADDRESS + part, kind).status_code == status
    listed = front.get("/certificates", kind).json["certificates"]
    assert [row["serial_number"] for row in listed] == ([SERIAL] if status == 200 else [])
    message = front.get("/certificates/ZM/" + SERIAL, AUDITOR).json["message_id"]
    assert front.get(f"/messages/{message}", kind).status_code == status


def test_what_another_authority_issued_is_answered_like_what_does_not_exist(border):
    other = add_organisation(border.zm.desk, AUTHORITY, code="ZNCC", authority="ZM-ZNCC")
    assert border.zm.submit(certificate(), AUTHORITY).status_code == 202
    refused = border.zm.submit(certificate(), other)
    assert (refused.status_code, refused.json["code"]) == (403, "NOT_PERMITTED")
    theirs = border.zm.get(ADDRESS, other, headers={"X-Correlation-ID": "one"})
    missing = border.zm.get(ADDRESS + "9", other, headers={"X-Correlation-ID": "one"})
    assert theirs.status_code == missing.status_code == 404
    assert theirs.json == missing.json
    assert border.zm.get("/certificates?exporter=kafue", other).json["certificates"] == []
    mine = certificate(
        serial_number="ZM-20260309-000777",
        issuing_authority=Authority(code="ZM-ZNCC", name="Chamber", country="ZM"),
    )
    assert border.zm.submit(mine, other).status_code == 202
    assert border.zm.get("/certificates/ZM/ZM-20260309-000777", AUTHORITY).status_code == 404


def test_certificates_of_another_state_are_not_for_anybody_here_to_submit(border):
    foreign = certificate(exporting_country="KE", destination_country="ZM")
    for kind in (AUTHORITY, WINDOW):
        assert border.zm.submit(foreign, kind).json["code"] == "NOT_PERMITTED"


def test_every_view_of_a_foreign_certificate_leaves_a_line_in_the_journal(border):
    border.zm.submit(certificate())
    border.deliver()
    border.ke.get(ADDRESS, CUSTOMS, headers={"X-Purpose": "post-clearance audit 7"})
    border.ke.get("/certificates?serial=zm-2026", CUSTOMS)
    border.zm.get(ADDRESS, AUTHORITY)
    with border.ke.desk.store.read() as conn:
        search, view = journal.page(conn, action=JournalAction.DOCUMENT_VIEWED)
        key = clients.keys(conn, clients.by_code(conn, "KE-CUSTOMS").id)[0]
    assert view.subject == SERIAL
    assert view.detail["purpose"] == "post-clearance audit 7"
    assert view.detail["organisation"] == "KE-CUSTOMS"
    assert view.actor == search.actor
    assert view.actor.startswith("key:")
    assert key.key_id not in view.actor
    assert search.subject.startswith("search ")
    with border.zm.desk.store.read() as conn:
        assert journal.page(conn, action=JournalAction.DOCUMENT_VIEWED) == ()


def test_who_submitted_stands_in_the_journal_beside_what_was_submitted(border):
    message = border.zm.submit(certificate(), AUTHORITY).json["message_id"]
    with border.zm.desk.store.read() as conn:
        (entry,) = journal.page(conn, action=JournalAction.API_SUBMITTED)
    assert (entry.subject, entry.detail["message_id"]) == (SERIAL, message)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "eco_",
        "eco_aaaaaaaaaaaaaaaa_" + "A" * 43,
        "ey.ey.ey",
        "eco_ÄÄÄ",
        "x" * 7000,
    ],
)
def test_without_a_key_that_holds_nothing_is_answered(border, token):
    answer = border.zm.get("/me", token or "")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json["code"] == "NOT_AUTHENTICATED"


def test_a_key_in_the_address_or_by_another_scheme_is_no_key(border):
    token = border.zm.tokens[WINDOW]
    client = border.zm.client
    assert client.get(f"/api/v1/me?key={token}").status_code == 401
    assert client.get("/api/v1/me", headers={"Authorization": f"Basic {token}"}).status_code == 401
    twice = {"Authorization": f"Bearer {token} {token}"}
    assert client.get("/api/v1/me", headers=twice).status_code == 401


def test_one_changed_character_of_the_secret_opens_nothing(border):
    token = border.zm.tokens[WINDOW]
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert by(border.zm, token).status_code == 200
    assert by(border.zm, changed).status_code == 401


def test_the_secret_is_stored_nowhere(border):
    secret = border.zm.tokens[WINDOW].rsplit("_", 1)[1]
    by(border.zm, border.zm.tokens[WINDOW])
    with border.zm.desk.store.read() as conn:
        keys = conn.execute(text("SELECT * FROM api_keys")).all()
        entries = conn.execute(text("SELECT * FROM journal")).all()
    assert keys
    assert secret not in repr(keys)
    assert secret not in repr(entries)


def test_a_key_ends_at_its_expiry(border):
    assert by(border.zm, border.zm.tokens[WINDOW]).status_code == 200
    border.corridor.clock.pass_time(days=30)
    assert by(border.zm, border.zm.tokens[WINDOW]).status_code == 401


def key_id(token: str) -> str:
    return token.split("_")[1]


def test_a_revoked_key_opens_nothing_from_that_moment(border):
    token = border.zm.tokens[WINDOW]
    with border.zm.desk.store.begin() as conn:
        clients.revoke_key(
            conn, key_id(token), ends_at=NOW, at=NOW, actor="user:test", reason="lost"
        )
    assert by(border.zm, token).status_code == 401


def test_while_keys_are_exchanged_both_hold_and_then_only_the_new_one(border):
    token = border.zm.tokens[CUSTOMS]
    with border.zm.desk.store.begin() as conn:
        made = rotate_key(conn, key_id(token), overlap=timedelta(days=2), at=NOW, actor="user:test")
    assert made.token not in repr(made)
    assert made.key.replaces == key_id(token)
    assert {by(border.zm, each).status_code for each in (token, made.token)} == {200}
    border.corridor.clock.pass_time(days=2)
    assert by(border.zm, token).status_code == 401
    assert by(border.zm, made.token).json["kind"] == "CUSTOMS"
    with border.zm.desk.store.begin() as conn, pytest.raises(NotFoundError):
        rotate_key(conn, key_id(token), at=border.corridor.clock(), actor="user:test")


def test_a_suspended_organisation_opens_nothing_until_it_is_resumed(border):
    store = border.zm.desk.store
    for state, status in ((OrganisationState.SUSPENDED, 401), (OrganisationState.ACTIVE, 200)):
        with store.begin() as conn:
            clients.set_state(conn, "ZM-CUSTOMS", state, at=NOW, actor="user:test", reason="a test")
        assert border.zm.get("/me", CUSTOMS).status_code == status


def test_the_last_use_of_a_key_is_noted_once_a_minute(both):
    token = both.zm.tokens[WINDOW]

    def last_use():
        with both.zm.desk.store.read() as conn:
            return clients.key_with_owner(conn, key_id(token))[0].last_used_at

    seen = []
    for seconds in (0, 30, 40):
        both.corridor.clock.pass_time(seconds=seconds)
        assert by(both.zm, token).status_code == 200
        seen.append(last_use() - NOW)
    assert seen == [timedelta(0), timedelta(0), timedelta(seconds=70)]


def test_a_key_has_no_scope_that_its_organisation_may_not_have(border):
    with border.zm.desk.store.begin() as conn:
        owner = clients.by_code(conn, "ZM-AUDITOR")
        for order in (
            KeyOrder(label="x", scopes=[Scope.SUBMIT]),
            KeyOrder(label="x", scopes=[]),
            KeyOrder(label="x", lifetime=timedelta(days=731)),
        ):
            with pytest.raises(InputError):
                make_key(conn, owner, order, at=NOW, actor="user:test")


def test_a_key_with_fewer_scopes_does_no_more_than_they_say(border):
    with border.zm.desk.store.begin() as conn:
        owner = clients.by_code(conn, "ZM-SINGLE_WINDOW")
        order = KeyOrder(label="lists only", scopes=[Scope.REFERENCE])
        token = make_key(conn, owner, order, at=NOW, actor="user:test").token
    assert border.zm.get("/me", token).json["scopes"] == ["reference:read"]
    assert border.zm.get("/peers", token).status_code == 200
    assert border.zm.get("/certificates", token).status_code == 403
    assert border.zm.submit(certificate(), token).status_code == 403


def test_customs_decide_only_on_what_came_for_them(border):
    border.zm.submit(certificate())
    border.deliver()
    decided = action(UtilisationStatus.ACCEPTED).model_dump(mode="json")
    assert border.zm.post("/responses", decided, CUSTOMS).status_code == 404
    assert border.ke.post("/responses", decided, AUTHORITY).status_code == 403
    assert border.ke.post("/responses", decided, CUSTOMS).status_code == 202
