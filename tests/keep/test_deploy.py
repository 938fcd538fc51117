"""What ships for operators holds: systemd units, PostgreSQL roles."""

from __future__ import annotations

import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from gateway.errors import ConfigError, GatewayError
from gateway.store import Store, holds, inbox, journal, outbox
from gateway.store.states import HoldScope
from tests.factories import NOW
from tests.store.helpers import add_peer, delivered, new_arrival, new_dispatch, take

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNITS = sorted(path.name for path in (DEPLOY / "systemd").iterdir())
HARDENED = (
    "eco-serve@.service",
    "eco-api@.service",
    "eco-work@.service",
    "eco-backup@.service",
)
MOST_EXPOSURE = 20
"""In tenths: systemd's own judgement runs from 0 (safe) to 10."""


# --- systemd -------------------------------------------------------------------------------------


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Gives the units with programs that are there, one instance of each."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for name in UNITS:
        said = (DEPLOY / "systemd" / name).read_text(encoding="utf-8")
        said = said.replace("/opt/eco/bin/eco", "/bin/true").replace("/usr/sbin/nginx", "/bin/true")
        (tmp_path / name).write_text(re.sub(r"^After=.*$", "", said, flags=re.M))
        (tmp_path / name.replace("@.", "@zm.")).write_text((tmp_path / name).read_text())
    return tmp_path


@pytest.mark.parametrize("name", UNITS)
def test_systemd_accepts_every_unit(units: Path, name: str):
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", units / name.replace("@.", "@zm.")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (told.returncode, told.stderr.strip()) == (0, "")


@pytest.mark.parametrize("name", HARDENED)
def test_systemd_judges_what_serves_and_works_to_be_well_confined(units: Path, name: str):
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSURE}",
         units / name.replace("@.", "@zm.")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "--offline" in told.stderr:
        pytest.skip("this systemd-analyze judges running units only")
    assert told.returncode == 0, told.stdout[-300:]


@pytest.mark.parametrize("name", HARDENED)
def test_every_process_is_confined_to_its_home(name: str):
    said = (DEPLOY / "systemd" / name).read_text(encoding="utf-8").splitlines()
    assert {
        "User=eco",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "CapabilityBoundingSet=",
    } <= set(said)
    (writable,) = (line for line in said if line.startswith("ReadWritePaths="))
    allowed = {"/var/lib/eco/%i", "/var/backups/eco"}
    assert set(writable.removeprefix("ReadWritePaths=").split()) <= allowed


# --- PostgreSQL ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def roles(postgresql_server: str) -> Iterator[dict[str, str]]:
    """Gives the addresses of owner and application after the set-up that ships was run."""
    tag = uuid.uuid4().hex[:8]
    names = {"eco_owner": f"eco_owner_{tag}", "eco_app": f"eco_app_{tag}", "eco": f"eco_{tag}"}
    admin = make_url(postgresql_server)
    base = admin.set(database=names["eco"])

    def setup_file(name: str, url: str) -> None:
        said = (DEPLOY / "postgresql" / name).read_text(encoding="utf-8")
        for written in ("eco_owner", "eco_app"):
            said = re.sub(rf"\b{written}\b", names[written], said)
        said = re.sub(r"\bDATABASE eco\b", f"DATABASE {names['eco']}", said)
        with psycopg.connect(url, autocommit=True) as conn:
            for statement in re.split(r";\s*\n(?!\s*(?:EXECUTE|END))", said):
                if re.sub(r"--.*", "", statement).strip():
                    conn.execute(statement.encode())

    plain = {
        role: base.set(username=names[role]).render_as_string(hide_password=False)
        for role in ("eco_owner", "eco_app")
    }
    setup_file("roles.sql", postgresql_server)
    setup_file("database.sql", base.render_as_string(hide_password=False))
    owner = Store.open(plain["eco_owner"])
    try:
        owner.migrate()
    except GatewayError as exc:
        pytest.skip(f"this server lets no second role in ({exc.detail})")
    finally:
        owner.close()
    setup_file("grants.sql", plain["eco_owner"])
    setup_file("grants.sql", plain["eco_owner"])  # may be run again at any time
    yield plain
    with psycopg.connect(postgresql_server, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {names['eco']} WITH (FORCE)".encode())
        conn.execute(f"DROP ROLE {names['eco_owner']}, {names['eco_app']}".encode())


def test_the_least_rights_are_enough_for_a_days_work(roles: dict[str, str]):
    app = Store.open(roles["eco_app"])
    app.migrate()  # as `eco serve` does when it starts: nothing to do
    peer = add_peer(app)
    with app.begin() as conn:
        outbox.enqueue(conn, new_dispatch(peer.id))
        inbox.record_arrival(conn, new_arrival(peer.id))
    with app.begin() as conn:
        (claim,) = take(conn)
    with app.begin() as conn:
        outbox.record_attempt(conn, claim, delivered())
        holds.place(conn, HoldScope.PEER, "KE-GW", reason="r", actor="user:t", at=NOW)
    with app.read() as conn:
        assert journal.verify_chain(conn).holds
    app.close()


@pytest.mark.parametrize(
    "forbidden",
    [
        "UPDATE journal SET actor = 'x'",
        "DELETE FROM journal",
        "DELETE FROM utilisation_entries",
        "DELETE FROM bodies",
        "UPDATE alembic_version SET version_num = '0001'",
        "TRUNCATE events",
        "DROP TABLE events",
        "ALTER TABLE bodies DISABLE TRIGGER ALL",
        "CREATE TABLE mine (a int)",
        "CREATE SCHEMA mine",
    ],
)
def test_the_application_may_not_rewrite_history_or_tables(roles: dict[str, str], forbidden: str):
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
    with psycopg.connect(roles["eco_app"]) as conn, refused:
        conn.execute(forbidden.encode())


def test_a_migration_that_is_due_stops_the_application_with_a_clear_word(
    roles: dict[str, str],
):
    with psycopg.connect(roles["eco_owner"], autocommit=True) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '0003'")
    app = Store.open(roles["eco_app"])
    try:
        with pytest.raises(ConfigError, match="migrat"):
            app.migrate()
    finally:
        app.close()
