"""Specimens: what is circulated, what is believed of it, and what it makes of certificates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from gateway.agreements import SpecimenMatch
from gateway.documents.parties import Image
from gateway.documents.pictures import picture_digest
from gateway.errors import (
    BundleDamagedError,
    ConflictError,
    GatewayError,
    NotFoundError,
    PeerSuspendedError,
    PictureRefusedError,
    SenderMismatchError,
    SignatureInvalidError,
    SignatureMissingError,
    SignerNotRegisteredError,
    TestFlagError,
    UnknownPeerError,
    VersionNotSupportedError,
)
from gateway.exchange.circulating import export_directory, import_directory
from gateway.exchange.directory_file import FiledEntry, render_directory
from gateway.exchange.outbound import submit_document
from gateway.exchange.specimens import SpecimenBook, book_of
from gateway.services import specimens
from gateway.services.lookup import receipt_findings
from gateway.services.specimens import EntryOrder
from gateway.store import (
    DirectoryKind,
    Duty,
    NewDirectoryEntry,
    Store,
    directory,
    inbox,
    journal,
    peers,
)
from gateway.trust import sign
from gateway.trust.demo_pki import DemoPki
from tests.databases import copied_stores
from tests.exchange.corridor import Corridor, Side, make_corridor
from tests.factories import NOW, certificate
from tests.paper.pictures import png

STAMP, PEN, OTHER = png(40, 40), png(60, 20), png(30, 30)
OFFICER = "ZM-ZRA-SIG-007"
WRITER = "user:mary"


def order(picture: bytes | None, **changed) -> EntryOrder:
    values = {
        "authority_code": "ZM-ZRA",
        "name": "Round stamp",
        "valid_from": date(2026, 1, 1),
        "picture": picture,
    }
    return EntryOrder(**values | changed)


def enter(side: Side, kind: DirectoryKind, picture: bytes | None, *, country="ZM", **changed):
    made = order(picture, **changed)
    return specimens.enter(side.desk, kind, Duty.ISSUING, country, made, actor=WRITER)


def circulate(corridor: Corridor) -> bytes:
    """Let Zambia enter a stamp and a signature, and Kenya take them."""
    enter(corridor.zm, DirectoryKind.STAMP, STAMP)
    enter(corridor.zm, DirectoryKind.SIGNATURE, PEN, name="Jane Mulenga", officer_number=OFFICER)
    signed = export_directory(corridor.zm.desk, actor=WRITER)
    import_directory(corridor.ke.desk, signed, actor=WRITER)
    return signed


def coo(stamp: bytes | None = STAMP, pen: bytes | None = PEN, **changed):
    base = certificate()
    image = pen and Image(media_type="image/png", content=pen)
    officer = {"image": image, "identifier": OFFICER} | changed.pop("officer", {})
    return certificate(
        stamp=stamp and Image(media_type="image/png", content=stamp),
        certification=base.certification.model_copy(update=officer),
        **changed,
    )


def book(side: Side) -> SpecimenBook:
    with side.desk.store.read() as conn:
        return book_of(conn, "ZM")


def matches(side: Side, document) -> tuple[SpecimenMatch | None, ...]:
    known = book(side)
    found = known.stamp(document), known.signature(document)
    return tuple(each and each.match for each in found)


EQUAL, DIFFERENT, UNLISTED = SpecimenMatch


@pytest.fixture
def corridor(pki: DemoPki, sqlite_template: Path, tmp_path: Path) -> Iterator[Corridor]:
    """Gives Zambia and Kenya on SQLite; the tests of what is stored ask for either database."""
    with copied_stores(sqlite_template, tmp_path) as make:
        made = make_corridor(pki, make)
        yield made
        made.close()


@pytest.fixture
def either(pki: DemoPki, make_store: Callable[[], Store]) -> Iterator[Corridor]:
    """Gives Zambia and Kenya, once on each database."""
    made = make_corridor(pki, make_store)
    yield made
    made.close()


def findings_of(corridor: Corridor, document) -> list[tuple[str, str]]:
    """Send a certificate to Kenya; return what rule V16 said there."""
    submit_document(corridor.zm.desk, document)
    assert corridor.zm.work() == 1
    with corridor.ke.desk.store.read() as conn:
        arrival = inbox.page(conn, limit=1)[0]
        found = receipt_findings(corridor.ke.desk, conn, arrival)
    return [(each.severity.value, each.path) for each in found if each.rule == "V16"]


def test_pictures_equal_to_circulated_specimens_are_no_finding(corridor: Corridor) -> None:
    circulate(corridor)
    assert matches(corridor.ke, coo()) == (EQUAL, EQUAL)
    assert findings_of(corridor, coo()) == []


def test_other_pictures_are_queried_by_the_receiver(corridor: Corridor) -> None:
    circulate(corridor)
    document = coo(stamp=OTHER, pen=OTHER)
    assert matches(corridor.ke, document) == (DIFFERENT, DIFFERENT)
    assert findings_of(corridor, document) == [("QUERY", "stamp"), ("QUERY", "certification.image")]


def test_an_authority_of_which_nothing_is_known_gives_no_finding(corridor: Corridor) -> None:
    assert matches(corridor.ke, coo()) == (None, None)
    assert findings_of(corridor, coo()) == []


def test_a_sender_whose_specimens_are_read_costs_no_further_question(corridor: Corridor) -> None:
    circulate(corridor)
    asked: list[str] = []

    def note(conn, cursor, statement, *more):
        if "directory_entries" in statement:
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for number in range(3):
            findings_of(corridor, coo(serial_number=f"ZM-20260309-{number:06}"))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(asked) == 1


def test_specimens_count_from_the_next_message_on_in_a_process_that_runs(
    corridor: Corridor,
) -> None:
    assert findings_of(corridor, coo(stamp=OTHER)) == []
    circulate(corridor)
    later = coo(stamp=OTHER, serial_number="ZM-20260309-000124")
    assert findings_of(corridor, later) == [("QUERY", "stamp")]


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "match"),
    [
        (date(2026, 3, 9), date(2026, 3, 9), EQUAL),
        (date(2026, 3, 10), None, UNLISTED),
        (date(2026, 1, 1), date(2026, 3, 8), UNLISTED),
    ],
)
def test_a_specimen_counts_on_the_days_on_which_it_holds(
    corridor: Corridor, valid_from: date, valid_until: date | None, match: SpecimenMatch
) -> None:
    enter(corridor.zm, DirectoryKind.STAMP, STAMP, valid_from=valid_from, valid_until=valid_until)
    assert matches(corridor.zm, coo())[0] is match


def test_the_officer_counts_by_number_and_where_that_is_missing_by_name(
    corridor: Corridor,
) -> None:
    name = certificate().certification.name
    enter(corridor.zm, DirectoryKind.SIGNATURE, PEN, name=name.upper())
    enter(corridor.zm, DirectoryKind.SIGNATURE, OTHER, name="Somebody", officer_number="X-1")
    assert matches(corridor.zm, coo())[1] is EQUAL
    assert matches(corridor.zm, coo(pen=OTHER))[1] is DIFFERENT
    assert matches(corridor.zm, coo(pen=OTHER, officer={"identifier": "x-1"}))[1] is EQUAL
    assert matches(corridor.zm, coo(pen=PEN, officer={"identifier": "X-1"}))[1] is EQUAL
    assert matches(corridor.zm, coo(officer={"name": "Nobody"}))[1] is UNLISTED


def test_a_stamp_of_another_office_is_not_this_offices(corridor: Corridor) -> None:
    authority = certificate().issuing_authority
    own = authority.office_code
    assert own is not None
    enter(corridor.zm, DirectoryKind.STAMP, STAMP, office_code="ZM-ZRA-XYZ")
    assert matches(corridor.zm, coo())[0] is UNLISTED
    enter(corridor.zm, DirectoryKind.STAMP, OTHER, office_code=own.lower())
    assert matches(corridor.zm, coo())[0] is DIFFERENT
    enter(corridor.zm, DirectoryKind.STAMP, STAMP)
    assert matches(corridor.zm, coo())[0] is EQUAL


def test_a_stamp_of_customs_is_no_stamp_of_the_issuing_authority(corridor: Corridor) -> None:
    desk = corridor.zm.desk
    specimens.enter(desk, DirectoryKind.STAMP, Duty.CUSTOMS, "ZM", order(STAMP), actor=WRITER)
    assert matches(corridor.zm, coo())[0] is None


def test_a_correction_is_another_version_and_nothing_is_lost(either: Corridor) -> None:
    desk = either.zm.desk
    first = enter(either.zm, DirectoryKind.STAMP, OTHER)
    with pytest.raises(GatewayError, match="say why"):
        specimens.correct(desk, first, order(STAMP), actor=WRITER)
    second = specimens.correct(desk, first, order(STAMP, reason="wrong file"), actor=WRITER)
    with pytest.raises(ConflictError, match="differs"):  # somebody still looks at the first one
        specimens.correct(desk, first, order(PEN, reason="no, this"), actor="user:joe")
    ended = specimens.end(desk, second, date(2026, 6, 30), "stamp lost", actor=WRITER)
    assert ended.picture_sha256 == second.picture_sha256
    with desk.store.read() as conn:
        found = directory.versions(conn, "ZM-SW", first.key)
        pictures = [directory.picture(conn, each) for each in found]
        noted = [
            (entry.actor, entry.detail["version"])
            for entry in journal.page(conn, limit=50)
            if entry.action == "directory:entered"
        ]
    assert [(each.version, each.reason) for each in found] == [
        (3, "stamp lost"),
        (2, "wrong file"),
        (1, None),
    ]
    assert pictures == [STAMP, STAMP, OTHER]
    assert sorted(noted) == [(WRITER, 1), (WRITER, 2), (WRITER, 3)]


def test_no_name_of_an_officer_stands_in_the_journal(corridor: Corridor) -> None:
    circulate(corridor)
    for side in (corridor.zm, corridor.ke):
        with side.desk.store.read() as conn:
            entries = journal.page(conn, limit=50)
        assert any(entry.action == "directory:entered" for entry in entries)
        assert "Mulenga" not in repr(entries)


def test_what_is_entered_must_be_whole(corridor: Corridor) -> None:
    with pytest.raises(PictureRefusedError) as refused:
        enter(corridor.zm, DirectoryKind.STAMP, b"<svg/>")
    assert refused.value.fault == "NOT_A_PICTURE"
    for kind, picture, changed in (
        (DirectoryKind.STAMP, None, {}),
        (DirectoryKind.OFFICE, STAMP, {}),
        (DirectoryKind.OFFICE, None, {"name": "  "}),
        (DirectoryKind.OFFICE, None, {"name": "x" * 201}),
        (DirectoryKind.OFFICE, None, {"email": "a\x07b"}),
        (DirectoryKind.OFFICE, None, {"valid_until": date(2025, 12, 31)}),
    ):
        with pytest.raises(GatewayError):
            enter(corridor.zm, kind, picture, **changed)
    with corridor.zm.desk.store.read() as conn:
        assert directory.newest(conn) == ()


def test_the_same_file_again_and_an_older_one_change_nothing(either: Corridor) -> None:
    corridor = either
    first = circulate(corridor)
    with corridor.zm.desk.store.read() as conn:
        stamp = directory.newest(conn, kinds=[DirectoryKind.STAMP])[0]
    specimens.end(corridor.zm.desk, stamp, date(2026, 2, 1), "lost", actor=WRITER)
    second = export_directory(corridor.zm.desk, actor=WRITER)
    assert import_directory(corridor.ke.desk, second, actor=WRITER).new == 1
    for signed in (first, second):
        assert import_directory(corridor.ke.desk, signed, actor=WRITER).new == 0
    assert matches(corridor.ke, coo())[0] is UNLISTED


def test_nobody_keeps_the_entries_of_another_gateway(corridor: Corridor) -> None:
    circulate(corridor)
    with corridor.ke.desk.store.read() as conn:
        taken = directory.newest(conn)[0]
    with pytest.raises(ConflictError, match="kept by ZM-SW"):
        specimens.end(corridor.ke.desk, taken, date(2026, 2, 1), "no", actor=WRITER)
    with pytest.raises(NotFoundError):
        export_directory(corridor.ke.desk, actor=WRITER)


def test_what_was_entered_here_about_another_state_is_not_circulated(corridor: Corridor) -> None:
    enter(corridor.ke, DirectoryKind.STAMP, STAMP, country="ZM")
    assert matches(corridor.ke, coo())[0] is EQUAL
    with pytest.raises(NotFoundError):
        export_directory(corridor.ke.desk, actor=WRITER)


def filed(picture: bytes | None = STAMP, **changed) -> FiledEntry:
    entry = NewDirectoryEntry(
        **{
            "origin": "ZM-SW",
            "key": "ABCDEFGH",
            "version": 1,
            "kind": DirectoryKind.STAMP,
            "duty": Duty.ISSUING,
            "country": "ZM",
            "authority_code": "ZM-ZRA",
            "name": "Round stamp",
            "picture_sha256": picture and picture_digest(picture),
            "valid_from": date(2026, 1, 1),
        }
        | changed
    )
    return FiledEntry(entry=entry, picture=picture)


def rendered(corridor: Corridor, *entries: FiledEntry, **changed) -> bytes:
    said = {"sender": "ZM-SW", "country": "ZM", "test": corridor.zm.desk.identity.test, "at": NOW}
    return render_directory(**said | changed, entries=entries or (filed(),))


def written(corridor: Corridor, *entries: FiledEntry, **changed) -> bytes:
    return sign(rendered(corridor, *entries, **changed), corridor.zm.desk.gateway_credential)


def test_only_the_gateway_of_the_peer_itself_is_believed(corridor: Corridor) -> None:
    own = corridor.zm.desk
    whole, unsigned = written(corridor), rendered(corridor)
    authority = next(iter(own.signers.values()))
    for raw, error in (
        (whole.replace(b"Round stamp", b"Sound stamp"), SignatureInvalidError),
        (unsigned, SignatureMissingError),
        (sign(unsigned, authority), SignerNotRegisteredError),
        (written(corridor, sender="XX-SW"), UnknownPeerError),
        (written(corridor, country="KE"), SenderMismatchError),
        (written(corridor, test=not own.identity.test), TestFlagError),
        (written(corridor, at=NOW + timedelta(days=2)), BundleDamagedError),
        (b"<x/>", VersionNotSupportedError),
    ):
        with pytest.raises(error):
            import_directory(corridor.ke.desk, raw, actor=WRITER)
    with corridor.ke.desk.store.begin() as conn:
        peers.suspend(conn, corridor.ke.peer().id, at=NOW, actor=WRITER, reason="test")
    with pytest.raises(PeerSuspendedError):
        import_directory(corridor.ke.desk, whole, actor=WRITER)
    assert book(corridor.ke).entries == ()


@pytest.mark.parametrize(
    "entries",
    [
        (filed(b"<svg/>"),),
        (filed(STAMP + b"PK"),),
        (filed(None),),
        (filed(STAMP, kind=DirectoryKind.OFFICE),),
        (filed(key="short"),),
        (filed(name="x" * 300),),
        (filed(), filed()),
        (filed(), filed(OTHER, key="IJKLMNOP"), filed(b"nothing", key="QRSTUVWX")),
    ],
    ids=["svg", "polyglot", "no picture", "office", "key", "name", "twice", "the last of three"],
)
def test_a_file_with_anything_wrong_in_it_is_refused_whole(
    corridor: Corridor, entries: tuple[FiledEntry, ...]
) -> None:
    with pytest.raises(BundleDamagedError):
        import_directory(corridor.ke.desk, written(corridor, *entries), actor=WRITER)
    assert book(corridor.ke).entries == ()


def test_a_peer_that_says_something_else_under_the_same_version_is_refused(
    corridor: Corridor,
) -> None:
    import_directory(corridor.ke.desk, written(corridor), actor=WRITER)
    bent = written(corridor, filed(OTHER), filed(key="IJKLMNOP"))
    with pytest.raises(ConflictError):
        import_directory(corridor.ke.desk, bent, actor=WRITER)
    assert len(book(corridor.ke).entries) == 1


def test_a_file_of_hundreds_of_specimens_is_read(corridor: Corridor) -> None:
    keys = (
        f"AAAAAA{a}{b}" for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    )
    entries = [replace(filed(), entry=replace(filed().entry, key=key)) for key in keys]
    taken = import_directory(corridor.ke.desk, written(corridor, *entries), actor=WRITER)
    assert taken.new == 676
