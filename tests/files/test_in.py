"""Files in: each is taken once, when it is complete, and answered by a file of its own."""

from __future__ import annotations

import errno
import json
import os
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.demo.manifest import FOLDER, expand
from gateway.documents import Language, UtilisationStatus
from gateway.errors import BusyError
from gateway.files import disk
from gateway.files.leases import Lease
from gateway.store import JournalAction, OrganisationState, clients, journal, tasks
from tests.api.test_handing_over import BAD, SERIAL, signed
from tests.exchange.corridor import action
from tests.factories import NOW, certificate
from tests.files.spool import AUTHORITY_CODE, CUSTOMS_CODE, Spool, make_spool

GOOD = certificate().model_dump_json().encode()


@pytest.fixture
def spool(border, tmp_path) -> Spool:
    return make_spool(border.zm, tmp_path)


def test_a_file_is_submitted_answered_and_put_away(spool):
    spool.put("a.json")
    assert spool.look() == 1
    said = spool.result("a.json")
    assert (said["outcome"], said["file"], said["inbox"]) == ("TAKEN", "a.json", "test")
    (document,) = said["documents"]
    assert (document["serial_number"], document["repeated"]) == (SERIAL, False)
    assert document["receiver"]["identifier"] == "KE-SW"
    assert (spool.lying("done"), spool.lying("work"), spool.sent()) == (["a.json"], [], 1)
    assert (spool.inbox.done / "a.json").read_bytes() == GOOD
    with spool.counter.desk.store.read() as conn:
        (entry,) = journal.page(conn, action=JournalAction.API_SUBMITTED, limit=5)
    assert (entry.actor, entry.detail["organisation"]) == ("files:in test", AUTHORITY_CODE)


def test_a_refused_document_is_answered_with_every_finding_in_the_language_of_the_home(
    border, tmp_path
):
    spool = make_spool(border.zm, tmp_path, inbox_changes={"language": Language.FRENCH})
    spool.put("bad.json", BAD.model_dump_json().encode())
    spool.look()
    said = spool.result("bad.json")
    rest = border.zm.submit(BAD, headers={"Accept-Language": "fr"}).json
    (document,) = said["documents"]
    assert said["outcome"] == document["outcome"] == "REFUSED"
    assert document["problem"]["code"] == "INVALID_DOCUMENT"
    wanted = [(each["rule"], each["path"], each["message"]) for each in rest["findings"]]
    assert [(f["rule"], f["path"], f["message"]) for f in document["findings"]] == wanted
    assert (spool.lying("refused"), spool.sent()) == (["bad.json"], 0)


def test_a_bad_line_of_a_batch_harms_no_other_line(border, tmp_path):
    spool = make_spool(border.zm, tmp_path, inbox_changes={"form": "csv-lines"})
    text = expand((FOLDER / "zm-ke-soya-cake-batch.csv").read_text(encoding="utf-8"), NOW)
    before, last = text.rsplit("\nHDR;", 1)
    spool.put("batch.csv", f"{before}\nHDR;{last.replace(';ZM;KE;', ';ZM;MW;', 1)}".encode())
    spool.look()
    said = spool.result("batch.csv")
    outcomes = [each["outcome"] for each in said["documents"]]
    assert said["outcome"] == "PARTLY"
    assert outcomes.count("TAKEN") == spool.sent() > 1
    assert "REFUSED" in outcomes
    assert spool.lying("refused") == ["batch.csv"]


def test_a_worker_that_lost_its_turn_leaves_a_long_file_to_the_next_one(
    border, tmp_path, monkeypatch
):
    spool = make_spool(border.zm, tmp_path, inbox_changes={"form": "csv-lines"})
    text = expand((FOLDER / "zm-ke-soya-cake-batch.csv").read_text(encoding="utf-8"), NOW)
    spool.put("long.csv", text.encode())
    asked: list[int] = []

    def once(_lease: Lease) -> bool:
        asked.append(1)
        return len(asked) < 4

    with monkeypatch.context() as patched:
        patched.setattr(Lease, "holds", once)
        assert spool.look() == 0
    assert spool.sent() == 1
    assert spool.look() == 1
    said = spool.result("long.csv")
    outcomes = [each["outcome"] for each in said["documents"]]
    assert (outcomes.count("TAKEN"), len(outcomes)) == (spool.sent(), 3)
    assert not any(each["repeated"] for each in said["documents"])


def test_signed_xml_is_forwarded_byte_for_byte(border, tmp_path):
    spool = make_spool(border.zm, tmp_path, inbox_changes={"form": "signed"})
    raw = signed(border.zm.desk, certificate())
    spool.put("signed.xml", raw)
    spool.look()
    assert spool.result("signed.xml")["outcome"] == "TAKEN"
    assert border.zm.get(f"/certificates/ZM/{SERIAL}/document").data == raw


def test_decisions_of_customs_are_taken_from_files_and_written_off_once(border, tmp_path):
    border.zm.submit(certificate())
    border.deliver()
    changes = {"form": "responses", "organisation": CUSTOMS_CODE}
    spool = make_spool(border.ke, tmp_path, inbox_changes=changes)
    decision = action(UtilisationStatus.PARTIAL, "6000").model_dump_json().encode()
    for name in ("one.json", "again.json"):
        spool.put(name, decision)
        spool.look()
        assert spool.result(name)["outcome"] == "TAKEN"
    spool.put("none.json", b'{"status": 1}')
    spool.look()
    assert len(spool.result("none.json")["documents"][0]["findings"]) > 3
    ledger = border.ke.get(f"/certificates/ZM/{SERIAL}/ledger").json
    assert [entry["quantity"] for entry in ledger["entries"]] == ["6000"]


def test_the_same_content_again_is_answered_as_the_first_time(spool):
    for name in ("first.json", "second.json"):
        spool.put(name)
        spool.look()
    first, second = spool.result("first.json"), spool.result("second.json")
    assert first["documents"] == second["documents"]
    assert spool.sent() == 1


def test_a_name_that_was_used_before_replaces_no_file(spool):
    for _ in range(3):
        spool.put("same.json")
        spool.look()
    assert len(spool.lying("done")) == 3


# --- what is complete ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.json.part", "b.TMP", ".hidden", "c.filepart", "d.json.ok"])
def test_a_name_that_says_unfinished_is_left_alone(spool, name):
    spool.put(name)
    assert spool.look() == 0
    assert (spool.inbox.folder / name).exists()


def test_a_file_is_taken_only_after_it_stood_still(border, tmp_path):
    spool = make_spool(border.zm, tmp_path, inbox_changes={"stable_seconds": 5.0})
    path = spool.put("slow.json", GOOD[:100])
    taken = []
    for second in (0.0, 4.0, 6.0, 10.0, 11.1):
        spool.seconds = second
        taken.append(spool.look())
        if second == 4.0:
            with path.open("ab") as file:
                file.write(GOOD[100:])
    assert taken == [0, 0, 0, 0, 1]
    assert spool.result("slow.json")["outcome"] == "TAKEN"


def test_a_marker_says_at_once_that_a_file_is_complete(border, tmp_path):
    spool = make_spool(
        border.zm, tmp_path, inbox_changes={"stable_seconds": 3600.0, "marker": True}
    )
    spool.put("a.json")
    assert spool.look() == 0
    spool.put("a.json.ok", b"")
    assert spool.look() == 1
    assert not (spool.inbox.folder / "a.json.ok").exists()


def test_a_file_that_is_written_to_while_it_is_read_waits_and_is_read_again(spool, monkeypatch):
    spool.put("grows.json", GOOD[:50])
    whole = disk._all_of

    def growing(handle: int, most: int) -> bytes:
        (held,) = spool.inbox.work.iterdir()
        with (held / "grows.json").open("ab") as file:
            file.write(GOOD[50:])
        return whole(handle, most)

    with monkeypatch.context() as patched:
        patched.setattr(disk, "_all_of", growing)
        assert spool.look() == 0
    assert spool.look() == 1
    assert spool.result("grows.json")["outcome"] == "TAKEN"


def test_only_names_of_the_pattern_are_taken_and_folders_never(border, tmp_path):
    spool = make_spool(border.zm, tmp_path, inbox_changes={"pattern": "*.json"})
    spool.put("readme.txt")
    (spool.inbox.folder / "folder.json").mkdir()
    assert spool.look() == 0
    assert (spool.inbox.folder / "folder.json").is_dir()


# --- odd things ------------------------------------------------------------------------------


def lay_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def lay_pipe(path: Path) -> None:
    os.mkfifo(path)


def lay_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def lay_nothing(path: Path) -> None:
    path.touch()


def lay_much(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10**12)  # no block of it is on the disk


def lay_rubbish(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 10)


@pytest.mark.parametrize(
    ("lay", "code", "word"),
    [
        (lay_link, "BAD_REQUEST", "link"),
        (lay_pipe, "BAD_REQUEST", "pipe"),
        (lay_socket, "BAD_REQUEST", "pipe"),
        (lay_nothing, "BAD_REQUEST", "empty"),
        (lay_much, "TOO_LARGE", "allowed"),
    ],
)
def test_what_is_no_document_goes_to_quarantine_with_the_reason(spool, lay, code, word):
    lay(spool.inbox.folder / "odd")
    assert spool.look() == 1
    assert spool.lying("quarantine") == ["odd", "odd.reason.json"]
    said = spool.result("odd")
    assert (said["outcome"], said["problem"]["code"]) == ("QUARANTINED", code)
    assert word in said["problem"]["detail"]
    reason = json.loads((spool.inbox.quarantine / "odd.reason.json").read_bytes())
    assert reason == said


def test_a_file_that_may_not_be_read_goes_to_quarantine(spool, monkeypatch):
    spool.put("secret.json")
    opened = os.open

    def refusing(path: object, flags: int, *args: int, **more: object) -> int:
        if str(path).endswith("secret.json"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, flags, *args, **more)

    monkeypatch.setattr(os, "open", refusing)
    spool.look()
    assert "may not read" in spool.result("secret.json")["problem"]["detail"]


def test_rubbish_is_refused_or_set_aside_in_every_form(border, tmp_path):
    for form in ("canonical", "signed", "responses", *border.zm.counter.national):
        spool = make_spool(border.zm, tmp_path / form, inbox_changes={"form": form})
        lay_rubbish(spool.inbox.folder / "x")
        assert spool.look() == 1
        assert spool.result("x")["outcome"] in ("REFUSED", "QUARANTINED")
        assert spool.sent() == 0


NAMES = [
    "with\nnewline.json",
    "\u202egnp.json",
    "a" * 250 + ".json",
    "é" * 127 + "x",
    "%2e%2e%2f.json",
    "--help",
    "$(reboot).json",
    os.fsdecode(b"latin-\xe9.json"),
]


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_a_file_with_an_odd_name_is_taken_like_any_other(spool, number):
    name = NAMES[number]
    spool.put(name)
    assert spool.look() == 1
    assert spool.lying("done") == [name]
    (result,) = spool.inbox.results.iterdir()
    assert result.name.endswith(".result.json")
    assert len(os.fsencode(result.name)) <= 255
    said = json.loads(result.read_bytes())
    assert said["file"].isprintable()
    assert said["outcome"] == "TAKEN"


def test_two_long_names_with_the_same_beginning_get_results_of_their_own(spool):
    for ending in "ab":
        spool.put("n" * 254 + ending)
        spool.look()
    assert len(list(spool.inbox.results.iterdir())) == 2


# --- what passes -----------------------------------------------------------------------------


def test_while_the_books_are_busy_files_wait_and_the_pause_grows(border, spool, monkeypatch):
    spool.put("a.json")
    spool.clerk.poll = timedelta(seconds=5)
    clock, pauses = border.corridor.clock, []

    def busy(*_args: object, **_more: object) -> None:
        raise BusyError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr("gateway.files.taking.submit_all", busy)
        for _ in range(8):
            assert spool.look() == 0
            with spool.counter.desk.store.read() as conn:
                task = next(each for each in tasks.every(conn) if each.name == "files in test")
            assert task.last_error == "BUSY"
            pauses.append((task.due_at - clock()).total_seconds())
            clock.now = task.due_at
    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]
    assert [name.endswith(".0") for name in spool.lying("work")] == [True]
    assert spool.look() == 1
    assert spool.result("a.json")["outcome"] == "TAKEN"


def test_a_full_disk_takes_no_answer_from_anybody(spool, monkeypatch):
    spool.put("a.json")

    def full(*_args: object, **_more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(disk, "write_synced", full)
        assert spool.look() == 0
    assert spool.sent() == 1
    assert spool.look() == 1
    assert spool.result("a.json")["documents"][0]["repeated"] is False
    assert spool.sent() == 1


def test_a_file_that_breaks_us_again_and_again_is_set_aside_and_stops_no_other(spool, monkeypatch):
    spool.put("poison.json")

    def broken(*_args: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("gateway.files.taking.submit_all", broken)
    for _ in range(7):
        spool.look()
    assert spool.lying("quarantine") == ["poison.json", "poison.json.reason.json"]
    assert spool.result("poison.json")["problem"]["code"] == "INTERNAL"


def test_a_suspended_organisation_is_not_heard_and_its_files_wait(spool):
    with spool.counter.desk.store.begin() as conn:
        clients.set_state(
            conn,
            AUTHORITY_CODE,
            OrganisationState.SUSPENDED,
            at=NOW,
            actor="user:test",
            reason="a test",
        )
    spool.put("a.json")
    assert spool.look() == 0
    assert (spool.inbox.folder / "a.json").exists()


def test_files_of_a_form_that_nobody_reads_are_not_touched(border, tmp_path):
    spool = make_spool(border.zm, tmp_path, inbox_changes={"form": "unheard-of"})
    spool.put("a.json")
    assert spool.look() == 0
    assert (spool.inbox.folder / "a.json").exists()
    with spool.counter.desk.store.read() as conn:
        (task,) = [each for each in tasks.every(conn) if each.name == "files in test"]
    assert task.last_error == "CONFIGURATION"


def test_what_is_not_the_organisations_to_issue_is_refused(border, tmp_path):
    changes = {"organisation": "ZM-CUSTOMS"}
    spool = make_spool(border.zm, tmp_path, inbox_changes=changes)
    spool.put("a.json")
    spool.look()
    assert spool.result("a.json")["documents"][0]["problem"]["code"] == "NOT_PERMITTED"
    assert spool.sent() == 0


def test_quarantine_and_results_may_lie_on_another_file_system(border, tmp_path, monkeypatch):
    spool = make_spool(border.zm, tmp_path)
    renamed = Path.rename

    def far(self: Path, target: Path) -> Path:
        if target.parent == spool.inbox.quarantine and self.parent != target.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return renamed(self, target)

    monkeypatch.setattr(Path, "rename", far)
    spool.put("big.json", b"x" * 300_000)
    spool.look()
    assert spool.lying("quarantine") == ["big.json", "big.json.reason.json"]
    assert (spool.inbox.quarantine / "big.json").stat().st_size == 300_000
