"""Searching: every business key on both databases, pages that stay whole, no scan anywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from gateway.documents import CertificateKind
from gateway.documents.certificate_of_origin import Invoice
from gateway.documents.parties import Address, Consignee, DocumentReference, Exporter
from gateway.register.carriage import Carriage
from gateway.register.register import record_issued, record_received
from gateway.store import (
    IssueState,
    SearchField,
    Side,
    Store,
    certificates,
    search,
    search_keys,
)
from gateway.store.migrations.versions import v0012_clients
from gateway.store.search import Criteria, Visible, walk
from gateway.store.tables import search_keys as keys_table
from tests.factories import NOW, certificate, goods_item

ALL = Visible(issued=True, received=True)


def register(conn, number: int, **changes: object) -> None:
    """Register a certificate issued here."""
    coo = certificate(serial_number=f"ZM-20260309-{number:06}", **changes)
    record_issued(
        conn,
        coo,
        Carriage(
            payload=coo.model_dump_json().encode(),
            message_id=f"urn:test:{number}",
            conversation_id=f"urn:conversation:{number}",
            peer_id=None,
            at=NOW,
        ),
    )


def found(store: Store, criteria: Criteria, *, limit: int = 50, visible: Visible = ALL):
    serials, after = [], None
    with store.read() as conn:
        while True:
            page = search.search(conn, visible, criteria, after=after, limit=limit)
            serials += [int(row.serial_number[-6:]) for row in page.certificates]
            if page.go_on is None:
                return serials
            after = page.go_on


def key(field: SearchField, written: str) -> Criteria:
    return Criteria(keys=(search_keys.key(field, written),))


@pytest.fixture
def stocked(store: Store) -> Store:
    """Gives a store with a handful of certificates that differ in every business key."""
    tea = Exporter(
        name="Kericho Téa «Growers»",
        registration_number="COM-ZM000002",
        trader_id="77-88",
        address=Address(country="ZM"),
    )
    buyer = Consignee(name="Cairo Trading", address=Address(country="EG"))
    with store.begin() as conn:
        register(conn, 1)
        register(conn, 2, exporter=tea, destination_country="EG", consignee=buyer)
        register(conn, 3, items=(goods_item(hs_code="09024000", invoices=()),), invoices=())
        register(
            conn,
            4,
            invoices=(Invoice(number="INV-2027-1"), Invoice(number="INV-2027-2")),
            export_declaration=DocumentReference(number="E 4711/26"),
            kind=CertificateKind.RETROSPECTIVE,
        )
        register(conn, 5, issued_at=certificate().issued_at - timedelta(days=400))
    return store


CASES = [
    (key(SearchField.SERIAL, "zm‑20260309‑00000"), [1, 2, 3, 4, 5]),
    (key(SearchField.SERIAL, "ZM-20260309-000003"), [3]),
    (key(SearchField.EXPORTER, "kericho TÉA"), [2]),
    (key(SearchField.EXPORTER, "COM-ZM000002"), [2]),
    (key(SearchField.EXPORTER, "77‐88"), [2]),
    (key(SearchField.CONSIGNEE, "cairo"), [2]),
    (key(SearchField.INVOICE, "INV-2027"), [4]),
    (key(SearchField.INVOICE, "inv-2026-778"), [1, 2, 4, 5]),
    (key(SearchField.DECLARATION, "e 4711/26"), [4]),
    (key(SearchField.HS, "0902"), [3]),
    (key(SearchField.HS, "52"), [5, 4, 2, 1]),
    (key(SearchField.HS, "520513"), []),
    (Criteria(issuing_country="ZM", destination_country="EG"), [2]),
    (Criteria(destination_country="EG"), [2]),
    (Criteria(kind=CertificateKind.RETROSPECTIVE), [4]),
    (Criteria(issued_until=date(2025, 12, 31)), [5]),
    (Criteria(issued_from=date(2026, 3, 9), issued_until=date(2026, 3, 9)), [4, 3, 2, 1]),
    (Criteria(side=Side.ISSUED, state=IssueState.ISSUED), [5, 4, 3, 2, 1]),
    (Criteria(side=Side.ISSUED, state=IssueState.CANCELLED), []),
    (Criteria(side=Side.RECEIVED), []),
    (Criteria(), [4, 3, 2, 1, 5]),
    (replace(key(SearchField.EXPORTER, "kafue"), destination_country="KE"), [1, 3, 4, 5]),
    (
        Criteria(
            keys=(
                search_keys.key(SearchField.HS, "5205"),
                search_keys.key(SearchField.INVOICE, "INV-2027"),
                search_keys.key(SearchField.EXPORTER, "Kafue"),
            )
        ),
        [4],
    ),
    (key(SearchField.EXPORTER, "%"), []),
    (key(SearchField.EXPORTER, "_afue"), []),
]


def test_certificates_are_found_by_every_business_key(stocked: Store):
    for criteria, expected in CASES:
        assert found(stocked, criteria) == expected, criteria
        assert found(stocked, criteria, limit=1) == expected, criteria


def test_nothing_is_found_that_is_not_visible(stocked: Store):
    for visible in (
        Visible(issued=False, received=True),
        Visible(issued=False, received=False),
        Visible(issued=True, received=False, authority="ZM-OTHER"),
        Visible(issued=True, received=True, country="MW"),
    ):
        for criteria, _ in CASES:
            assert found(stocked, criteria, visible=visible) == []
    own = Visible(issued=True, received=False, authority="ZM-ZRA", country="ZM")
    assert found(stocked, Criteria(), visible=own) == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "criteria",
    [key(SearchField.EXPORTER, "KAFUE"), key(SearchField.HS, "52"), Criteria()],
    ids=["by-prefix", "by-term", "by-day"],
)
def test_pages_show_what_was_there_once_each_while_certificates_are_added(store, criteria):
    with store.begin() as conn:
        for number in range(1, 10):
            register(conn, number)
    seen, after, added = [], None, 100
    while True:
        with store.read() as conn:
            page = search.search(conn, ALL, criteria, after=after, limit=2)
        seen += [int(row.serial_number[-6:]) for row in page.certificates]
        if page.go_on is None:
            break
        after = page.go_on
        with store.begin() as conn:
            register(conn, added)
            added += 1
    assert len(seen) == len(set(seen))
    assert set(range(1, 10)) <= set(seen)


def test_a_walk_that_finds_nothing_ends_and_says_where_to_go_on(store, monkeypatch):
    monkeypatch.setattr(search, "WALK", 3)
    with store.begin() as conn:
        for number in range(1, 9):
            register(conn, number, destination_country="EG" if number == 1 else "KE")
    criteria = Criteria(destination_country="EG")
    with store.read() as conn:
        first = search.search(conn, ALL, criteria, after=None, limit=5)
    assert first.certificates == ()
    assert first.go_on is not None
    assert found(store, criteria) == [1]


PLANS = {
    "serial": key(SearchField.SERIAL, "ZM-2026"),
    "exporter": key(SearchField.EXPORTER, "KAFUE"),
    "consignee": key(SearchField.CONSIGNEE, "NAIROBI"),
    "invoice": key(SearchField.INVOICE, "INV"),
    "declaration": key(SearchField.DECLARATION, "KE"),
    "hs": key(SearchField.HS, "52"),
    "route": Criteria(issuing_country="ZM", destination_country="KE"),
    "side": Criteria(side=Side.ISSUED),
    "state": Criteria(side=Side.ISSUED, state=IssueState.ISSUED),
    "dates": Criteria(issued_from=date(2026, 1, 1), issued_until=date(2026, 12, 31)),
    "kind": Criteria(kind=CertificateKind.STANDARD),
    "nothing": Criteria(),
    "all at once": Criteria(
        keys=(
            search_keys.key(SearchField.HS, "52"),
            search_keys.key(SearchField.INVOICE, "INV"),
        ),
        state=IssueState.ISSUED,
        issuing_country="ZM",
        destination_country="KE",
        issued_from=date(2026, 1, 1),
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_no_search_scans_a_table_or_sorts_more_than_a_page(stocked: Store, name: str):
    """At a million certificates a page must cost what it costs at a thousand."""
    criteria = PLANS[name]
    steps = walk(ALL, criteria, after=None)
    with stocked.read() as conn:
        first = search.search(conn, ALL, criteria, after=None, limit=1)
        walks = [steps]
        if first.go_on is not None:
            walks.append(walk(ALL, criteria, after=first.go_on))
        hits = [search._hits(each, ALL, criteria).limit(51) for each in walks]
        for query in (*walks, *hits):
            plan = explained(conn, query)
            assert not scans(plan, inner=query in hits), f"{name}:\n" + "\n".join(plan)


def explained(conn, query) -> list[str]:
    if conn.dialect.name == "sqlite":
        said = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
        return [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}")]
    dialect = postgresql.dialect()
    said = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    # Few rows are read fastest in one go; what counts is that nothing *needs* that.
    for method in ("seqscan", "hashjoin", "mergejoin", "bitmapscan"):
        conn.exec_driver_sql(f"SET LOCAL enable_{method} = off")
    return [row[0] for row in conn.exec_driver_sql(f"EXPLAIN {said}".replace("%", "%%"))]


def scans(plan: list[str], *, inner: bool) -> list[str]:
    found = [line for line in plan if "Seq Scan" in line]
    for line in plan:
        # Walking an index from its end without a bound is what the last page of all costs too.
        bare = line.startswith("SCAN ") and "USING" not in line and "steps" not in line
        sorts = "TEMP B-TREE" in line and not inner  # at most WALK rows of the steps
        found += [line] if bare or sorts else []
    return found


def rows_of(conn) -> set[tuple[int, str, str]]:
    query = keys_table.select()
    return {(row.certificate_id, row.field, row.term) for row in conn.execute(query)}


def test_the_migration_indexes_what_was_registered_before_as_if_it_came_today(both):
    both.zm.submit(certificate(invoices=(Invoice(number="INV-9"),)))
    both.deliver()
    for front in (both.zm, both.ke):
        with front.desk.store.begin() as conn:
            before = rows_of(conn)
            conn.execute(keys_table.delete())
            v0012_clients._fill(conn)
            after = rows_of(conn)
        trader_ids = {row for row in before if row[2] == "1002003004"}
        assert after == before - trader_ids


def test_an_import_declaration_finds_the_certificate_on_both_sides(traded):
    for front in (traded.zm, traded.ke):
        got = front.get("/certificates?declaration=ke2026nmg").json["certificates"]
        assert [row["serial_number"] for row in got] == ["ZM-20260309-000123"]


def test_what_retention_erases_is_found_by_no_name_or_paper_any_more(stocked: Store):
    with stocked.begin() as conn:
        row = certificates.find(conn, Side.ISSUED, "ZM", "ZM-20260309-000004")
        search_keys.forget_personal(conn, {row.id})
    for criteria, expected in CASES:
        personal = {each.field for each in criteria.keys} & {
            SearchField.EXPORTER,
            SearchField.CONSIGNEE,
            SearchField.INVOICE,
            SearchField.DECLARATION,
        }
        left = [number for number in expected if number != 4] if personal else expected
        assert found(stocked, criteria) == left


def test_the_next_page_is_asked_for_with_the_cursor_of_the_page_before(border):
    for number in range(5):
        border.zm.submit(certificate(serial_number=f"ZM-20260309-00012{number}"))
    seen, cursor = [], ""
    while cursor is not None:
        got = border.zm.get(f"/certificates?exporter=kafue&limit=2{cursor}").json
        seen += [row["serial_number"][-1] for row in got["certificates"]]
        cursor = got["next"] and f"&cursor={got['next']}"
    assert seen == ["0", "1", "2", "3", "4"]
    first = border.zm.get("/certificates?exporter=kafue&limit=2").json["next"]
    other = border.zm.get(f"/certificates?exporter=other&limit=2&cursor={first}")
    assert (other.status_code, other.json["code"]) == (400, "BAD_REQUEST")


def test_few_received_among_many_issued_are_on_the_first_page(
    stocked: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    coo = certificate(serial_number="KE-20260309-000099", exporting_country="KE")
    with stocked.begin() as conn:
        record_received(
            conn,
            coo,
            Carriage(
                payload=b"99",
                message_id="urn:test:99",
                conversation_id="urn:conversation:99",
                peer_id=None,
                at=NOW,
            ),
        )
        for number in (91, 92, 93):
            register(conn, number, issued_at=NOW + timedelta(days=1))
    monkeypatch.setattr(search, "WALK", 2)
    with stocked.read() as conn:
        for visible, criteria in (
            (Visible(issued=False, received=True), Criteria()),
            (ALL, Criteria(side=Side.RECEIVED)),
        ):
            page = search.search(conn, visible, criteria, after=None, limit=5)
            assert [row.serial_number for row in page.certificates] == ["KE-20260309-000099"]
            assert page.go_on is None
