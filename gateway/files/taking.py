"""Taking files: claimed by a rename, submitted, answered, and put away; again after any crash.

1. The file is moved to ``work/<claim>.0/``; from then on nobody else takes it.
2. ``<claim>.0`` becomes ``<claim>.1`` and so on, at each attempt: whoever renames has it.
3. Its documents are submitted, each once (``gateway.files.submitting``).
4. The result is written aside and renamed.
5. The file is moved to ``done/``, ``refused/`` or the quarantine; the claim is removed.

A process that ends between two steps leaves a claim behind, which the next turn takes up at 2.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from gateway.errors import ConfigError, GatewayError, InputError, InternalError, TooLargeError
from gateway.files import disk
from gateway.files.disk import Trouble, Unfit
from gateway.files.leases import Lease
from gateway.files.looking import MARKER, Watch
from gateway.files.plans import FileForm, InboxPlan
from gateway.files.results import FileResult, Outcome, outcome_of, problem_part
from gateway.files.submitting import submit_all
from gateway.services.access import Caller
from gateway.services.counter import Counter
from gateway.services.wording import finding_view

log = structlog.get_logger(__name__)

ATTEMPTS: Final = 5
"""So often a file may be begun without coming to an end before it is set aside."""
RESULT: Final = ".result.json"
REASON: Final = ".reason.json"
FILES_A_TURN: Final = 500
_CLAIM: Final = re.compile(r"[0-9a-f]{16}\.[0-9]+")
_GONE: Final = frozenset({errno.ENOENT, errno.ESTALE})
_PASSING: Final = frozenset(
    getattr(errno, name)
    for name in (
        *("ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EPERM", "EBUSY", "EMFILE", "ENFILE"),
        *("ENOMEM", "ETIMEDOUT", "EHOSTDOWN", "ENOTCONN", "EREMOTEIO"),
    )
)
"""Troubles of a disk or folder, not of the file; they last until somebody mends them."""


@dataclass
class Inbox:
    """Takes the files of one folder.

    Attributes:
        watch: what was seen of the folder so far.
    """

    counter: Counter
    plan: InboxPlan
    watch: Watch = field(default_factory=Watch)

    def take_all(self, caller: Caller, lease: Lease, now: float) -> int:
        """Take what was left behind and what is complete; return how many files were answered.

        Args:
            now: seconds on a clock that only rises.

        Raises:
            ConfigError: nobody reads files of this form.
            GatewayError, OSError: nothing more can be taken now; what was claimed waits.
        """
        plan = self.plan
        self._require_form()
        disk.make_folders(plan.folder, plan.work, plan.done, plan.refused)
        disk.make_folders(plan.results, plan.quarantine)
        claims = [each for each in sorted(plan.work.iterdir()) if _CLAIM.fullmatch(each.name)]
        answered = sum(self._take(caller, lease, claim) for claim in claims if lease.holds())
        for name in self.watch.complete(plan, now)[:FILES_A_TURN]:
            if not lease.holds():
                break
            claimed = self._claim(name)
            if claimed is not None:
                answered += self._take(caller, lease, claimed)
        return answered

    def _require_form(self) -> None:
        """Raise if nobody reads the form of the files, before any is touched."""
        form, national = self.plan.form, self.counter.national
        if form not in set(FileForm) and form not in national:
            known = ", ".join((*FileForm, *sorted(national)))
            raise ConfigError(f"[files] no format is called {form!r}; known: {known}")

    def _claim(self, name: str) -> Path | None:
        claim = self.plan.work / f"{secrets.token_hex(8)}.0"
        claim.mkdir()
        try:
            (self.plan.folder / name).rename(claim / name)  # 1
        except OSError as exc:
            with contextlib.suppress(OSError):
                claim.rmdir()
            if exc.errno in _GONE:
                return None
            raise
        disk.sync_folder(claim)
        disk.sync_folder(self.plan.folder)
        with contextlib.suppress(OSError):  # there is none, or its name were too long
            (self.plan.folder / (name + MARKER)).unlink()
        return claim

    def _take(self, caller: Caller, lease: Lease, claim: Path) -> int:
        """Return how many files of a claim were answered: one, or none where it is not ours."""
        try:
            return self._taken(caller, lease, claim)
        except GatewayError:
            raise
        except OSError as exc:
            if exc.errno in _PASSING:
                raise
            if exc.errno not in _GONE:  # else another process has it
                log.error("file failed", inbox=self.plan.name, errno=exc.errno)  # noqa: TRY400
            return 0
        except Exception as exc:  # noqa: BLE001 - one file's trouble is not the others'
            log.error("file failed", inbox=self.plan.name, error=type(exc).__name__)  # noqa: TRY400
            return 0

    def _taken(self, caller: Caller, lease: Lease, claim: Path) -> int:
        token, _, number = claim.name.partition(".")
        attempt = int(number) + 1 if number.isdecimal() else 1
        held = claim.with_name(f"{token}.{attempt}")
        claim.rename(held)  # 2
        answered = 0
        for source in _files(held):
            try:
                result = self._result(caller, lease, source, attempt)  # 3
                answered += self._answer(source, token, result)
            except (GatewayError, OSError) as exc:
                if isinstance(exc, GatewayError) or exc.errno in _PASSING:  # not its fault
                    with contextlib.suppress(OSError):
                        held.rename(held.with_name(f"{token}.0"))
                raise
        with contextlib.suppress(OSError):
            held.rmdir()  # not empty where a file waits to stand still
        return answered

    def _answer(self, source: Path, token: str, result: FileResult | None) -> int:
        if result is None:
            source.parent.rename(source.parent.with_name(f"{token}.0"))
            return 0
        content = result.model_dump_json(indent=1).encode()
        plan, name = self.plan, source.name
        disk.write_whole(plan.results, disk.fitting(name, RESULT), content, token=token)  # 4
        if result.outcome is Outcome.QUARANTINED:
            kept = disk.move_into(source, plan.quarantine, token=token)  # 5
            reason = disk.fitting(kept, REASON)
            disk.write_whole(plan.quarantine, reason, content, token=token)
        else:
            taken = result.outcome is Outcome.TAKEN
            disk.move_into(source, plan.done if taken else plan.refused, token=token)  # 5
        log.info("file answered", inbox=plan.name, outcome=result.outcome, sha256=result.sha256)
        return 1

    def _result(
        self, caller: Caller, lease: Lease, source: Path, attempt: int
    ) -> FileResult | None:
        """Return what became of the file, None where it must stand still first."""
        content = disk.read_whole(source, self.plan.most_bytes)
        if isinstance(content, Unfit):
            if content.trouble is Trouble.CHANGING:
                return None
            return self._set_aside(source, _unfit(content))
        digest = hashlib.sha256(content).hexdigest()
        if attempt > ATTEMPTS:
            often = f"begun {ATTEMPTS} times without an end; hand it over again to learn its fate"
            return self._set_aside(source, InternalError(often), digest)
        try:
            documents = submit_all(self.counter, caller, self.plan, content, lease.holds)
        except InputError as exc:
            if exc.retryable:
                raise
            return self._set_aside(source, exc, digest)
        return FileResult(
            file=disk.shown(source.name),
            inbox=self.plan.name,
            organisation=caller.organisation.code,
            outcome=outcome_of(documents),
            at=self.counter.desk.clock(),
            sha256=digest,
            documents=documents,
        )

    def _set_aside(
        self, source: Path, error: GatewayError, digest: str | None = None
    ) -> FileResult:
        return FileResult(
            file=disk.shown(source.name),
            inbox=self.plan.name,
            organisation=self.plan.organisation,
            outcome=Outcome.QUARANTINED,
            at=self.counter.desk.clock(),
            sha256=digest,
            problem=problem_part(error),
            findings=tuple(finding_view(each, self.plan.language) for each in error.findings),
        )


def _files(claim: Path) -> Iterator[Path]:
    for source in sorted(claim.iterdir()):
        if not stat.S_ISDIR(source.lstat().st_mode):
            yield source


def _unfit(found: Unfit) -> GatewayError:
    kind = TooLargeError if found.trouble is Trouble.TOO_LARGE else InputError
    return kind(found.detail)
