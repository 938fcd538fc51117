"""A backup is taken while work goes on, proves itself, and comes back on either database."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.errors import (
    BackupDamagedError,
    ConfigError,
    ConflictError,
    SignatureInvalidError,
    SignerUntrustedError,
)
from gateway.exchange.delivery import deliver_due
from gateway.exchange.outbound import submit_document
from gateway.keeping.backup import make_backup
from gateway.keeping.books import CURSOR_GAP, Proof
from gateway.keeping.restore import RestoreOrder, restore, verify_backup
from gateway.keeping.settings_text import store_url_of, with_store_url, without_password
from gateway.store import DeliveryState, Store, certificates, events, inbox, journal, outbox
from gateway.store.portable import rows, shapes
from tests.exchange.corridor import Corridor
from tests.factories import NOW, certificate
from tests.keep.books import PASSPHRASE, SERIAL, SETTINGS, order, send, use_up

LEFT_TO_THE_RESTORE = {"journal", "events", "chain_heads"}


def contents(store: Store) -> dict[str, list[list[object]]]:
    """Return every row of every table but those that the restore itself adds to."""
    with store.read() as conn:
        return {
            shape.name: list(rows(conn, shape))
            for shape in shapes()
            if shape.name not in LEFT_TO_THE_RESTORE
        }


def taken(corridor: Corridor, tmp_path: Path) -> tuple[Path, RestoreOrder]:
    """Return a backup of Zambia's used books, and the order that would restore it."""
    with corridor.zm.desk.store.read() as conn:
        used = certificates.find(conn, "ISSUED", "ZM", SERIAL)
    if used is None:
        send(corridor)
        use_up(corridor)
    path = tmp_path / "zm.backup"
    manifest = make_backup(path, order(corridor.zm), at=NOW, actor="user:test")
    return path, RestoreOrder(
        path=path, signer=manifest.signer_sha256, store_url=None, passphrase=PASSPHRASE
    )


def rewritten(path: Path, **members: bytes) -> Path:
    """Return a copy of a backup with some members replaced (``__`` for ``/``)."""
    changed = {name.replace("__", "/").replace("_dot_", "."): raw for name, raw in members.items()}
    copy = path.with_name("changed.backup")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            new.writestr(name, changed.pop(name, None) or old.read(name))
        for name, raw in changed.items():
            new.writestr(name, raw)
    return copy


def copy_of_kenyas_books(corridor: Corridor, tmp_path: Path) -> str:
    """Return the address of books that are not empty."""
    path = tmp_path / "kenya.db"
    with corridor.ke.desk.store.read() as conn:
        conn.exec_driver_sql("PRAGMA query_only=OFF")
        conn.exec_driver_sql("COMMIT")
        conn.exec_driver_sql("VACUUM INTO ?", (str(path),))
        conn.exec_driver_sql("BEGIN")
    return f"sqlite:///{path}"


# --- there and back ----------------------------------------------------------------------------


def test_everything_comes_back_on_a_new_host(corridor: Corridor, tmp_path: Path):
    _, wanted = taken(corridor, tmp_path)
    report = restore(wanted, tmp_path / "new" / "zm", at=NOW, actor="user:test")
    home = tmp_path / "new" / "zm"
    restored = Store.open(f"sqlite:///{home}/gateway.db")
    assert contents(restored) == contents(corridor.zm.desk.store)
    restored.close()
    assert {proved.proof for proved in report.proved} == set(Proof)
    assert (home / "gateway.toml").read_text() == SETTINGS
    assert (home / "keys/gateway.key.pem").read_bytes().startswith(b"-----BEGIN")
    for secret in ("keys/gateway.key.pem", "keys/tls.key.pem", "gateway.db"):
        assert stat.S_IMODE((home / secret).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["zm"]


def test_a_backup_of_either_database_restores_onto_the_other(
    corridor: Corridor, tmp_path: Path, sqlite_template: Path, request: pytest.FixtureRequest
):
    _, wanted = taken(corridor, tmp_path)
    if corridor.zm.desk.store.dialect == "postgresql":
        url = f"sqlite:///{tmp_path / 'other.db'}"
    else:
        import psycopg
        from sqlalchemy import make_url

        server = make_url(request.getfixturevalue("postgresql_server"))
        with psycopg.connect(server.render_as_string(False), autocommit=True) as conn:
            conn.execute("DROP DATABASE IF EXISTS eco_restored")
            conn.execute("CREATE DATABASE eco_restored")
        url = server.set(database="eco_restored").render_as_string(False)
    restore(replace(wanted, store_url=url), tmp_path / "zm", at=NOW, actor="user:test")
    other = Store.open(url)
    try:
        assert contents(other) == contents(corridor.zm.desk.store)
        with other.begin() as conn:  # and numbering goes on behind what was restored
            peer = corridor.zm.peer()
            row = certificates.find(conn, "ISSUED", "ZM", SERIAL)
            certificates.add_delivery(
                conn, row, peer_id=peer.id, message_id="urn:new", role="DOCUMENT", at=NOW
            )
    finally:
        other.close()


def test_a_snapshot_shows_one_moment_while_others_write(sqlite_corridor: Corridor, tmp_path: Path):
    send(sqlite_corridor)
    started, stop = threading.Event(), threading.Event()

    def keep_writing() -> None:
        while not stop.is_set():
            with sqlite_corridor.zm.desk.store.begin() as conn:
                journal.append(conn, at=NOW, action=journal.Action.SYSTEM_EVENT, subject="noise")
            started.set()

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        started.wait(10)
        path = tmp_path / "busy.backup"
        manifest = make_backup(path, order(sqlite_corridor.zm), at=NOW, actor="user:test")
    finally:
        stop.set()
        writer.join()
    lines = next(table.rows for table in manifest.tables if table.name == "journal")
    assert lines == manifest.journal.sequence
    wanted = RestoreOrder(path=path, signer=None, store_url=None, passphrase=None)
    assert {each.proof for each in verify_backup(wanted).proved} >= {Proof.JOURNAL, Proof.TABLES}


def test_the_restored_journal_tells_of_the_gap_and_no_cursor_comes_twice(
    used_books: Corridor, tmp_path: Path
):
    _, wanted = taken(used_books, tmp_path)
    restore(wanted, tmp_path / "zm", at=NOW, actor="user:test")
    store = Store.open(f"sqlite:///{tmp_path / 'zm' / 'gateway.db'}")
    with store.read() as conn:
        assert journal.page(conn, limit=1)[0].action == "backup:restored"
        (last,) = events.newest(conn, limit=1)
        assert last.kind is events.Kind.BOOKS_RESTORED
        assert last.cursor == last.data["last_cursor_in_backup"] + CURSOR_GAP + 1
        assert journal.verify_chain(conn).holds
    store.close()


def test_restored_from_yesterday_both_sides_agree_again(
    sqlite_corridor: Corridor, sqlite_template: Path, tmp_path: Path
):
    """F19: what was sent since the backup is a duplicate to the peer, with the same receipt."""
    path = tmp_path / "zm.backup"
    submitted = submit_document(sqlite_corridor.zm.desk, certificate())
    manifest = make_backup(path, order(sqlite_corridor.zm), at=NOW, actor="u")  # still queued
    sqlite_corridor.zm.work()
    with sqlite_corridor.ke.desk.store.read() as conn:
        (arrival,) = inbox.find_by_message(conn, submitted.message_id)
    wanted = RestoreOrder(
        path=path, signer=manifest.signer_sha256, store_url=None, passphrase=PASSPHRASE
    )
    restore(wanted, tmp_path / "zm", at=NOW, actor="u")
    restored = Store.open(f"sqlite:///{tmp_path / 'zm' / 'gateway.db'}")
    worker = replace(
        sqlite_corridor.zm.worker, desk=replace(sqlite_corridor.zm.desk, store=restored)
    )
    assert deliver_due(worker) == 1
    with restored.read() as conn:
        sent = outbox.dispatch(conn, submitted.message_id)
        assert sent.state is DeliveryState.DELIVERED
        assert outbox.receipt(conn, submitted.message_id) == arrival.receipt
    with sqlite_corridor.ke.desk.store.read() as conn:
        (again,) = inbox.find_by_message(conn, submitted.message_id)
    assert again.repeats == 1
    restored.close()


# --- the file --------------------------------------------------------------------------------


def test_the_file_is_for_its_owner_only_and_never_replaces_another(
    used_books: Corridor, tmp_path: Path
):
    path = tmp_path / "zm.backup"
    make_backup(path, order(used_books.zm), at=NOW, actor="user:test")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(ConflictError):
        make_backup(path, order(used_books.zm), at=NOW, actor="user:test")
    assert path.read_bytes() == before


def test_a_backup_that_fails_half_way_leaves_no_file(used_books: Corridor, tmp_path: Path):
    folder = tmp_path / "out"
    folder.mkdir()
    short = order(used_books.zm, passphrase=b"short")
    with pytest.raises(ConfigError):
        make_backup(folder / "zm.backup", short, at=NOW, actor="user:test")
    assert list(folder.iterdir()) == []


def test_no_private_key_is_readable_in_the_file(used_books: Corridor, tmp_path: Path):
    path, _ = taken(used_books, tmp_path)
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            assert b"PRIVATE KEY" not in archive.read(name)


def test_without_a_passphrase_the_keys_are_not_in_it_and_the_report_says_so(
    used_books: Corridor, tmp_path: Path
):
    path = tmp_path / "zm.backup"
    manifest = make_backup(path, order(used_books.zm, passphrase=None), at=NOW, actor="u")
    assert manifest.keys is None
    wanted = RestoreOrder(path=path, signer=manifest.signer_sha256, store_url=None, passphrase=None)
    report = restore(wanted, tmp_path / "zm", at=NOW, actor="u")
    assert not (tmp_path / "zm/keys/gateway.key.pem").exists()
    assert any("keys" in note for note in report.notes)


def test_openssl_alone_checks_the_signature(used_books: Corridor, tmp_path: Path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path, _ = taken(used_books, tmp_path)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "parts")
    key = used_books.zm.pki.gateway.credential.signing_cert.public_key()
    public = tmp_path / "public.pem"
    public.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    parts = tmp_path / "parts"
    told = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", public, "-signature", parts / "manifest.sig",
         parts / "manifest.json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.stdout.strip() == "Verified OK"


# --- what is refused ---------------------------------------------------------------------------


def test_a_changed_manifest_is_refused(used_books: Corridor, tmp_path: Path):
    path, wanted = taken(used_books, tmp_path)
    with zipfile.ZipFile(path) as archive:
        said = archive.read("manifest.json").replace(b"ZM-SW", b"ZM-SX")
    with pytest.raises(SignatureInvalidError):
        verify_backup(replace(wanted, path=rewritten(path, manifest_dot_json=said)))


def test_a_changed_row_is_refused(used_books: Corridor, tmp_path: Path):
    path, wanted = taken(used_books, tmp_path)
    with zipfile.ZipFile(path) as archive:
        lines = archive.read("tables/certificates.jsonl").replace(b'"ISSUED"', b'"EXPIRED"', 1)
    changed = rewritten(path, tables__certificates_dot_jsonl=lines)
    with pytest.raises(BackupDamagedError):
        verify_backup(replace(wanted, path=changed))


def test_a_part_too_many_is_refused(used_books: Corridor, tmp_path: Path):
    path, wanted = taken(used_books, tmp_path)
    with pytest.raises(BackupDamagedError):
        verify_backup(replace(wanted, path=rewritten(path, tables__more_dot_jsonl=b"[]")))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused(used_books: Corridor, tmp_path: Path, share: float):
    path, wanted = taken(used_books, tmp_path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(BackupDamagedError):
        verify_backup(wanted)


def test_a_backup_signed_by_somebody_else_is_refused(used_books: Corridor, tmp_path: Path):
    _, wanted = taken(used_books, tmp_path)
    stranger = used_books.ke.pki.gateway.credential.fingerprint
    with pytest.raises(SignerUntrustedError):
        restore(replace(wanted, signer=stranger), tmp_path / "zm", at=NOW, actor="u")
    with pytest.raises(ConfigError):
        restore(replace(wanted, signer=None), tmp_path / "zm", at=NOW, actor="u")
    assert not (tmp_path / "zm").exists()


def test_a_wrong_passphrase_opens_nothing_and_leaves_nothing(used_books: Corridor, tmp_path: Path):
    _, wanted = taken(used_books, tmp_path)
    with pytest.raises(ConfigError):
        restore(
            replace(wanted, passphrase=b"wrong horse battery"), tmp_path / "zm", at=NOW, actor="u"
        )
    assert not (tmp_path / "zm").exists()


def test_a_home_or_books_that_exist_are_never_overwritten(used_books: Corridor, tmp_path: Path):
    _, wanted = taken(used_books, tmp_path)
    (tmp_path / "zm").mkdir()
    (tmp_path / "zm" / "gateway.toml").write_text("mine")
    with pytest.raises(ConflictError):
        restore(wanted, tmp_path / "zm", at=NOW, actor="u")
    used = copy_of_kenyas_books(used_books, tmp_path)
    with pytest.raises(ConflictError):
        restore(replace(wanted, store_url=used), tmp_path / "other", at=NOW, actor="u")
    assert not (tmp_path / "other").exists()


def test_a_backup_of_newer_software_is_refused_with_its_version(
    used_books: Corridor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from gateway.keeping import books

    _, wanted = taken(used_books, tmp_path)
    monkeypatch.setattr(books, "known_revisions", lambda: ("0001",))
    with pytest.raises(ConfigError, match="newer version"):
        verify_backup(wanted)


def test_the_database_that_the_settings_name_is_not_taken_unasked(
    used_books: Corridor, tmp_path: Path
):
    path = tmp_path / "zm.backup"
    settings = with_store_url(SETTINGS, "postgresql://eco@db.example/eco").encode()
    what = order(used_books.zm, **{"gateway.toml": settings})
    manifest = make_backup(path, what, at=NOW, actor="u")
    wanted = RestoreOrder(
        path=path, signer=manifest.signer_sha256, store_url=None, passphrase=PASSPHRASE
    )
    with pytest.raises(ConfigError, match="--store-url"):
        restore(wanted, tmp_path / "zm", at=NOW, actor="u")
    url = "sqlite:///elsewhere.db"
    restore(replace(wanted, store_url=url), tmp_path / "zm", at=NOW, actor="u")
    assert store_url_of((tmp_path / "zm/gateway.toml").read_text()) == url
    assert (tmp_path / "zm/elsewhere.db").exists()


# --- the settings ------------------------------------------------------------------------------


def test_a_database_password_never_reaches_the_file():
    url = "postgresql://eco:s3cret@db.example:5432/eco"
    assert without_password(url) == "postgresql://eco@db.example:5432/eco"
    assert without_password("sqlite:///gateway.db") == "sqlite:///gateway.db"


@pytest.mark.parametrize(
    "text", [SETTINGS, "[store]\n\n[gateway]\nname = 'x'\n", "[gateway]\nname = 'x'"]
)
def test_the_address_is_changed_and_everything_else_stays(text: str):
    changed = with_store_url(text, "sqlite:///b.db")
    assert store_url_of(changed) == "sqlite:///b.db"
    kept = {line for line in text.splitlines() if not line.startswith("url")}
    assert kept <= set(changed.splitlines())


def test_settings_written_in_an_odd_way_are_refused_instead_of_spoilt():
    with pytest.raises(ConfigError):
        with_store_url('store = { url = "sqlite:///a.db" }\n', "sqlite:///b.db")


def test_the_manifest_names_every_table(used_books: Corridor, tmp_path: Path):
    path, _ = taken(used_books, tmp_path)
    with zipfile.ZipFile(path) as archive:
        said = json.loads(archive.read("manifest.json"))
    assert [table["name"] for table in said["tables"]] == [shape.name for shape in shapes()]
