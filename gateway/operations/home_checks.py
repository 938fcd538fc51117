"""Checks of our own home: keys, dates, disk, database, queue, workers, journal, versions."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from sqlalchemy import Connection

from gateway import __version__
from gateway.errors import GatewayError
from gateway.operations.checks import Check, Outcome, graded
from gateway.operations.expiry import Dated, DatedUse, own_dated
from gateway.operations.premises import Premises
from gateway.operations.rules import RuleBook
from gateway.operations.turns import WATCH
from gateway.store import AlertLevel, alerts, journal, measures, tasks, watch_marks
from gateway.store.migrations import newest_revision, present_revision
from gateway.trust import Credential
from gateway.xml.national import FormatFault

_GIB = 1024**3
_LISTEN_SECONDS = 3.0
_LAG_SECONDS = 60
FORMAT_FACTS = ("file", "line", "problem", "remedy", "count", "in_force")


def ready_checks(premises: Premises, now: datetime) -> tuple[Check, ...]:
    """Return the checks that decide whether this gateway can take and deliver messages."""
    return (
        *_credentials(premises),
        *disk_checks(premises),
        *_database(premises, now, full=False),
    )


def home_checks(premises: Premises, now: datetime) -> tuple[Check, ...]:
    """Return every check of our own home."""
    return (
        _settings(premises),
        _versions(premises),
        *_key_files(premises),
        *_credentials(premises),
        *(dated_check(premises.rules, each, now) for each in own_dated(premises)),
        *disk_checks(premises),
        *_formats(premises),
        *_database(premises, now, full=True),
        *_listener(premises),
    )


def dated_check(rules: RuleBook, dated: Dated, now: datetime, subject: str = "") -> Check:
    """Return how a certificate or revocation list stands with regard to its end."""
    days = dated.days_left(now)
    facts = {"name": dated.name, "until": dated.until}
    if dated.use is DatedUse.CRL:
        age = dated.days_old(now)
        old = graded(age, warn=rules.threshold("crl-age", AlertLevel.WARNING), fail=float("inf"))
        due = _ending(rules, "crl-expiry", dated, days)
        outcome = max(old, due, key=lambda each: each.rank)
        return Check(id="crl", outcome=outcome, subject=subject, facts=facts | {"age": str(age)})
    outcome = _ending(rules, f"{dated.use.value.lower()}-expiry", dated, days)
    facts |= {"use": dated.use.value, "days": str(days)}
    return Check(id="expiry", outcome=outcome, subject=subject, facts=facts)


def _ending(rules: RuleBook, rule: str, dated: Dated, days: int | None) -> Outcome:
    if days is None:
        return Outcome.WARN
    step = rules.rules[rule].step_for(days, lifetime=dated.lifetime_days)
    if days < 0:
        return Outcome.FAIL
    if step is None or step.level is AlertLevel.INFO:
        return Outcome.OK
    return Outcome.FAIL if step.level is AlertLevel.CRITICAL else Outcome.WARN


def disk_checks(premises: Premises) -> Iterator[Check]:
    """Yield how much room each watched folder has."""
    rules = premises.rules
    for name, path in premises.folders.items():
        percent, free = free_space(path)
        outcome = graded(
            -percent,
            warn=-rules.threshold("disk-space", AlertLevel.WARNING),
            fail=-rules.threshold("disk-space", AlertLevel.CRITICAL),
        )
        facts = {"folder": name, "percent": f"{percent:.1f}", "free": free}
        yield Check(id="disk", outcome=outcome, facts=facts)


def free_space(path: Path) -> tuple[float, str]:
    """Return the free share of the file system behind ``path`` in percent, and the room."""
    usage = shutil.disk_usage(path if path.exists() else path.parent)
    return 100 * usage.free / usage.total, f"{usage.free / _GIB:.1f} GiB"


def _settings(premises: Premises) -> Check:
    identity = premises.desk.identity
    kind = "test" if identity.test else "live"
    facts = {"gateway": f"{identity.identifier} ({identity.country}, {kind})", "reason": ""}
    return Check(id="settings", outcome=Outcome.OK, facts=facts)


def _versions(premises: Premises) -> Check:
    desk = premises.desk
    messages = ", ".join(f"{kind.value} {table.version}" for kind, table in desk.tables.items())
    agreements = ", ".join(f"{name} {each.version}" for name, each in desk.agreements.items())
    facts = {"software": __version__, "messages": messages, "agreements": agreements}
    outcome = Outcome.OK if desk.agreements else Outcome.FAIL
    return Check(id="versions", outcome=outcome, facts=facts)


def _key_files(premises: Premises) -> Iterator[Check]:
    for name, path in premises.key_files.items():
        mode = _mode(path)
        private = mode is not None and not mode & 0o077 and os.access(path, os.R_OK)
        written = "–" if mode is None else f"{mode:04o}"
        outcome = Outcome.OK if private else Outcome.FAIL
        yield Check(id="key-file", outcome=outcome, facts={"name": name, "mode": written})


def _formats(premises: Premises) -> Iterator[Check]:
    faults = premises.format_faults()
    if not faults:
        yield Check(id="formats", outcome=Outcome.OK, facts=dict.fromkeys(FORMAT_FACTS, ""))
    for fault in faults:
        yield Check(id="formats", outcome=Outcome.FAIL, facts=format_facts(fault))


def format_facts(fault: FormatFault) -> dict[str, str]:
    """Return what is said about a mapping file that is not in force as it stands."""
    first, mark = fault.errors[0], fault.in_force
    return {
        "file": fault.file,
        "line": str(first.line),
        "problem": first.problem,
        "remedy": first.remedy,
        "count": str(len(fault.errors)),
        "in_force": "–" if mark is None else f"{mark.version} ({mark.sha256[:12]})",
    }


def _mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None


def _credentials(premises: Premises) -> Iterator[Check]:
    for name, credential in premises.credentials.items():
        reason = chain_fault(credential)
        yield Check(
            id="credential",
            outcome=Outcome.OK if reason is None else Outcome.FAIL,
            facts={"name": name, "length": str(1 + len(credential.chain)), "reason": reason or ""},
        )


def chain_fault(credential: Credential) -> str | None:
    """Return what is wrong with the order or signatures of a chain, None where it holds."""
    for cert, issuer in pairwise((credential.signing_cert, *credential.chain)):
        try:
            cert.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return f"{_subject(cert)} was not issued by {_subject(issuer)}"
    return None


def _subject(cert: x509.Certificate) -> str:
    return cert.subject.rfc4514_string()[:60]


def _database(premises: Premises, now: datetime, *, full: bool) -> Iterator[Check]:
    store = premises.desk.store
    facts = {"dialect": store.dialect, "milliseconds": "–", "reason": ""}
    began = time.monotonic()
    try:
        with store.read() as conn:
            present, needed = present_revision(conn), newest_revision()
        facts["milliseconds"] = f"{1000 * (time.monotonic() - began):.0f}"
        yield Check(id="database", outcome=Outcome.OK, facts=facts)
        yield _migrations(present, needed)
        if present == needed:
            with store.read() as conn:
                found = [*_queue_stuck(premises, conn, now)]
                found += _books(premises, conn, now) if full else []
            yield from found
    except GatewayError as exc:
        facts["reason"] = f"{exc.code}: {exc.detail}"
        yield Check(id="database", outcome=Outcome.FAIL, facts=facts)


def _migrations(present: str | None, needed: str) -> Check:
    outcome = Outcome.OK if present == needed else Outcome.FAIL
    facts = {"present": present or "–", "needed": needed}
    return Check(id="migrations", outcome=outcome, facts=facts)


def _queue_stuck(premises: Premises, conn: Connection, now: datetime) -> Iterator[Check]:
    minutes = stuck_minutes(conn, now)
    outcome = graded(
        minutes,
        warn=premises.rules.threshold("queue-stuck", AlertLevel.WARNING),
        fail=premises.rules.threshold("queue-stuck", AlertLevel.CRITICAL),
    )
    yield Check(id="queue-stuck", outcome=outcome, facts={"minutes": f"{minutes:.0f}"})


def stuck_minutes(conn: Connection, now: datetime) -> float:
    """Return for how long messages have been claimable while nobody claimed any."""
    since = measures.overdue_since(conn, now)
    if since is None:
        return 0.0
    claimed = measures.last_claim(conn)
    idle_since = since if claimed is None else max(since, claimed)
    return max(0.0, (now - idle_since).total_seconds() / 60)


def _books(premises: Premises, conn: Connection, now: datetime) -> Iterator[Check]:
    yield _queue(premises, conn, now)
    count = sum(measures.dead_letters(conn).values())
    outcome = Outcome.FAIL if count else Outcome.OK
    yield Check(id="dead-letters", outcome=outcome, facts={"count": str(count)})
    yield _workers(conn, now)
    yield from _journal(conn, now)
    levels = alerts.count_live(conn)
    critical, total = levels.get(AlertLevel.CRITICAL, 0), sum(levels.values())
    outcome = Outcome.FAIL if critical else Outcome.WARN if total else Outcome.OK
    facts = {"count": str(total), "critical": str(critical)}
    yield Check(id="alerts", outcome=outcome, facts=facts)


def _queue(premises: Premises, conn: Connection, now: datetime) -> Check:
    counts = measures.queue(conn)
    oldest = min((each.oldest_at for each in counts), default=now)
    minutes = (now - oldest).total_seconds() / 60
    outcome = graded(
        minutes,
        warn=premises.rules.threshold("queue-age", AlertLevel.WARNING),
        fail=premises.rules.threshold("queue-age", AlertLevel.CRITICAL),
    )
    facts = {"count": str(sum(each.count for each in counts)), "minutes": f"{minutes:.0f}"}
    return Check(id="queue", outcome=outcome, facts=facts)


def _workers(conn: Connection, now: datetime) -> Check:
    rang = next((each.last_started_at for each in tasks.every(conn) if each.name == WATCH), None)
    if rang is None:
        return Check(id="workers", outcome=Outcome.FAIL, facts={"minutes": "∞"})
    minutes = (now - rang).total_seconds() / 60
    outcome = graded(minutes, warn=5, fail=15)
    return Check(id="workers", outcome=outcome, facts={"minutes": f"{minutes:.0f}"})


def _journal(conn: Connection, now: datetime) -> Iterator[Check]:
    entries, _ = journal.head(conn)
    mark = watch_marks.find(conn, "journal")
    fault = None if mark is None else mark.fault
    facts = {
        "entries": str(entries),
        "verified": str(0 if mark is None else mark.position),
        "reason": fault or "",
    }
    yield Check(id="journal", outcome=Outcome.FAIL if fault else Outcome.OK, facts=facts)
    newest = journal.page(conn, limit=1)
    behind = (newest[0].at - now).total_seconds() if newest else 0.0
    outcome = graded(behind, warn=_LAG_SECONDS, fail=5 * _LAG_SECONDS)
    yield Check(id="clock", outcome=outcome, facts={"seconds": f"{behind:.0f}"})


def _listener(premises: Premises) -> Iterator[Check]:
    listener = premises.listener
    if listener is None:
        return
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listener.host, listener.host)  # noqa: S104
    facts = {"address": f"{host}:{listener.port}"}
    try:
        socket.create_connection((host, listener.port), timeout=_LISTEN_SECONDS).close()
    except OSError:
        yield Check(id="listener", outcome=Outcome.FAIL, facts=facts)
    else:
        yield Check(id="listener", outcome=Outcome.OK, facts=facts)
