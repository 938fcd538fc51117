"""The theatre: books that are as on the first day whenever a test wants them so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from gateway.store import Store
from gateway.trust.demo_pki import DemoPki
from tests.crash.checker import broken_promises, read_books
from tests.crash.forks import Child, fork
from tests.crash.scene import COUNTRIES, USED, Scene, Told, introduce, open_scene


@dataclass
class Theatre:
    """Is two databases, both gateways on them, and the notebook of the national systems."""

    engine: str
    pki: DemoPki
    urls: dict[str, str]
    told: Told
    scene: Scene
    renew: Callable[[], None]

    def fresh(self) -> None:
        """Put back the first day: two gateways that know each other, and what they cached."""
        self.scene.close()
        self.told.file.unlink(missing_ok=True)
        self.renew()
        self.scene.set_up()

    def fork(self, run: Callable[[], None]) -> Child:
        """Run ``run`` in a process of its own."""
        return fork(run, *self.stores())

    def stores(self) -> tuple[Store, ...]:
        return tuple(side.desk.store for side in self.scene.sides.values())

    def broken_promises(self, used: dict[str, Decimal] = USED) -> list[str]:
        """Return what the independent checker has to say."""
        issuer, importer = (read_books(country, self.urls[country]) for country in COUNTRIES)
        return broken_promises(issuer, importer, self.told.read(), used)


def sqlite_theatre(pki: DemoPki, template: Path, folder: Path) -> Theatre:
    """Return a theatre on two SQLite files."""
    files = {country: folder / f"{country}.db" for country in COUNTRIES}
    kept = {country: folder / f"{country}.first" for country in COUNTRIES}
    urls = {country: f"sqlite:///{file}" for country, file in files.items()}
    for file in files.values():
        shutil.copyfile(template, file)
    introduce(pki, urls)
    for country in COUNTRIES:
        files[country].replace(kept[country])

    def renew() -> None:
        for country, file in files.items():
            for suffix in ("-wal", "-shm", "-journal"):
                file.with_name(file.name + suffix).unlink(missing_ok=True)
            shutil.copyfile(kept[country], file)

    renew()
    told = Told(folder / "told")
    return Theatre("sqlite", pki, urls, told, open_scene(pki, urls), renew)


def postgresql_theatre(pki: DemoPki, server: str, template: str, folder: Path) -> Theatre:
    """Return a theatre on two PostgreSQL databases, which ``drop`` removes.

    To put rows back is thirty times faster than to copy a database.
    """
    names = {country: f"{template}_{folder.name[-8:]}_{country}".lower() for country in COUNTRIES}
    urls = {
        country: make_url(server).set(database=name).render_as_string(hide_password=False)
        for country, name in names.items()
    }
    for name in names.values():
        administer(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        administer(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    introduce(pki, urls)
    restore = {url: _keep_first_day(url) for url in urls.values()}

    def renew() -> None:
        for url, statements in restore.items():
            administer(url, statements)

    told = Told(folder / "told")
    return Theatre("postgresql", pki, urls, told, open_scene(pki, urls), renew)


def _keep_first_day(url: str) -> str:
    """Copy every table aside and return the statements that put all rows back."""
    with psycopg.connect(url, autocommit=True) as conn:
        found = conn.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        ).fetchall()
        tables = [name for (name,) in found]
        conn.execute("CREATE SCHEMA first_day")
        for table in tables:
            conn.execute(f"CREATE TABLE first_day.{table} AS TABLE public.{table}".encode())
    back = [
        f"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM first_day.{table};"
        for table in tables
    ]
    # Without its triggers and foreign keys, which would not let rows go in this order.
    return "BEGIN; SET LOCAL session_replication_role = replica; " + " ".join(back) + " COMMIT;"


def drop(theatre: Theatre, server: str) -> None:
    """Remove the databases of a PostgreSQL theatre."""
    for url in theatre.urls.values():
        administer(server, f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")


def administer(url: str, statements: str) -> None:
    """Run statements as they stand, outside any transaction of ours."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(statements.encode())
