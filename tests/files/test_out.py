"""Files out: everything that comes for an organisation, whole, once, whatever fails."""

from __future__ import annotations

import errno
import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from gateway.documents import CertificateOfOrigin, CustomsResponse, Language, UtilisationStatus
from gateway.exchange import outbound
from gateway.files import disk
from gateway.files.handing_out import Outbox
from gateway.files.leases import take_turn
from gateway.services.access import Caller
from gateway.store import Event, EventKind, JournalAction, clients, hand_overs, journal
from gateway.store.tables import scheduled_tasks
from tests.api.test_handing_over import BAD, SERIAL
from tests.exchange.corridor import decide
from tests.factories import certificate
from tests.files.spool import Spool, make_spool


@pytest.fixture
def came(border, tmp_path) -> Spool:
    """Kenya's customs, for whom a certificate has come."""
    border.zm.submit(certificate())
    border.deliver()
    return make_spool(border.ke, tmp_path)


def manifests(spool: Spool) -> list[dict]:
    names = [name for name in spool.out() if name.endswith(".manifest.json")]
    return [json.loads((spool.outbox.folder / name).read_bytes()) for name in names]


def test_a_certificate_that_came_is_handed_over_with_its_signed_bytes(came, border):
    came.look()
    (told,) = [m for m in manifests(came) if m["event"]["data"]["kind"] == "CERTIFICATE_AVAILABLE"]
    assert told["event"]["data"]["serial_number"] == SERIAL
    assert [file["what"] for file in told["files"]] == ["certificate", "certificate"]
    contents = {}
    for file in told["files"]:
        content = (came.outbox.folder / file["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            file["bytes"],
            file["sha256"],
        )
        contents[file["media_type"]] = content
    signed = border.ke.get(f"/certificates/ZM/{SERIAL}/document").data
    assert contents["application/xml"] == signed
    assert CertificateOfOrigin.model_validate_json(contents["application/json"]) == certificate()
    with came.counter.desk.store.read() as conn:
        viewed = journal.page(conn, action=JournalAction.DOCUMENT_VIEWED, limit=5)
    assert [entry.actor for entry in viewed if entry.actor.startswith("files:")] == [
        "files:out test"
    ]


def test_a_response_of_customs_reaches_the_authority_that_issued(border, came, tmp_path):
    decide(border.corridor.ke, UtilisationStatus.PARTIAL, "6000")
    border.deliver()
    changes = {"kinds": frozenset({EventKind.RESPONSE_RECEIVED}), "language": Language.FRENCH}
    spool = make_spool(border.zm, tmp_path / "zm", outbox_changes=changes)
    spool.look()
    (told,) = manifests(spool)
    assert told["meaning"].startswith("La douane")
    (text,) = [file["name"] for file in told["files"] if file["name"].endswith(".json")]
    said = CustomsResponse.model_validate_json((spool.outbox.folder / text).read_bytes())
    assert (said.certificate.serial_number, said.status) == (SERIAL, UtilisationStatus.PARTIAL)


def test_a_document_that_the_peer_refused_is_told_with_the_findings(border, tmp_path, monkeypatch):
    monkeypatch.setattr(outbound, "judge", lambda *_args, **_more: ())
    border.zm.submit(BAD)
    monkeypatch.undo()
    border.deliver()
    spool = make_spool(border.zm, tmp_path)
    spool.look()
    (told,) = [m for m in manifests(spool) if m["event"]["data"]["kind"] == "MESSAGE_REFUSED"]
    assert {finding["severity"] for finding in told["findings"]} >= {"ERROR"}


def test_what_was_handed_over_never_comes_again_though_the_reader_took_it_away(came):
    came.look()
    before = came.out()
    for name in before:
        (came.outbox.folder / name).unlink()
    for worker in ("two", "three"):
        came.another_clerk(worker).ring()
    assert before
    assert came.out() == []


def test_a_new_folder_begins_with_the_next_event_unless_told_otherwise(border, came, tmp_path):
    spool = make_spool(border.ke, tmp_path / "later", outbox_changes={"from_beginning": False})
    spool.look()
    assert spool.out() == []
    decide(border.corridor.ke, UtilisationStatus.PARTIAL, "6000")
    spool.look()
    assert manifests(spool)


def test_an_organisation_gets_nothing_that_is_not_its_to_see(border, came, tmp_path):
    changes = {"organisation": "KE-ISSUING_AUTHORITY"}
    spool = make_spool(border.ke, tmp_path / "other", outbox_changes=changes)
    spool.look()
    assert spool.out() == []


def test_a_full_disk_loses_nothing_and_shows_no_half(came, monkeypatch):
    written = []
    whole = disk.write_synced

    def full(path: Path, content: bytes) -> None:
        if len(written) == 2:
            path.write_bytes(content[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        whole(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(disk, "write_synced", full)
        for _ in range(3):
            came.look()
    assert came.out() == []
    assert list(came.outbox.staging.iterdir()) == []
    came.look()
    assert len(manifests(came)) > 0
    assert all(
        (came.outbox.folder / f["name"]).exists() for m in manifests(came) for f in m["files"]
    )


def test_a_manifest_shows_only_after_what_it_names(came, monkeypatch):
    shown = []
    renamed = Path.rename

    def noting(self: Path, target: Path) -> Path:
        if target.parent == came.outbox.folder:
            shown.append(target.name)
        return renamed(self, target)

    monkeypatch.setattr(Path, "rename", noting)
    came.look()
    for number, name in enumerate(shown):
        stem = name.split("-", 1)[0]
        if name.endswith(".manifest.json"):
            assert not [later for later in shown[number + 1 :] if later.startswith(stem)]


@pytest.mark.parametrize("far", ["handed out", "only threw away"])
def test_a_worker_that_lost_its_turn_shows_and_notes_nothing(came, monkeypatch, far):
    """It wakes up after another has taken over and thrown its batch away, or more than that."""
    prepared = Outbox._prepared
    taken_over: list[str] = []

    def slow(self: Outbox, caller: Caller, batch: str, meant: list[Event]) -> list[Event]:
        viewed = prepared(self, caller, batch, meant)
        if not taken_over:
            taken_over.append(batch)
            let_the_lease_end(came)
            if far == "handed out":
                came.another_clerk("two").ring()
            else:
                desk = came.counter.desk
                length = timedelta(seconds=60)
                assert take_turn(desk.store, desk.clock, "files out test", "two", length)
                self._show(None)
        return viewed

    monkeypatch.setattr(Outbox, "_prepared", slow)
    came.look()
    names = came.out()
    let_the_lease_end(came)
    came.another_clerk("three").ring()
    assert (names == []) is (far == "only threw away")
    assert names in ([], came.out())
    assert len(manifests(came)) == len({each["cursor"] for each in manifests(came)}) > 0
    with came.counter.desk.store.read() as conn:
        owner = clients.by_code(conn, came.outbox.organisation).id
        assert hand_overs.find(conn, "test", owner).batch not in taken_over


def let_the_lease_end(spool: Spool) -> None:
    with spool.counter.desk.store.begin() as conn:
        conn.execute(update(scheduled_tasks).values(due_at=spool.counter.desk.clock()))


def test_a_link_in_the_place_of_our_own_folders_leads_nowhere(came, tmp_path):
    precious = tmp_path / "precious" / ("a" * 16)
    precious.mkdir(parents=True)
    came.outbox.staging.symlink_to(precious.parent)
    came.look()
    assert precious.is_dir()
    assert came.out() == []
    came.outbox.staging.unlink()
    came.look()
    assert manifests(came)


def test_folders_that_we_make_are_as_open_as_the_watched_one(border, tmp_path):
    spool = make_spool(border.zm, tmp_path)
    spool.inbox.folder.chmod(0o2770)
    spool.look()
    made = [spool.inbox.work, spool.inbox.done, spool.inbox.results, spool.inbox.quarantine]
    assert {folder.stat().st_mode & 0o7777 for folder in made} == {0o2770}
