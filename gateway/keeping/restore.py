"""Restoring a backup onto a new host, or proving that it could be.

The books are written, brought forward to this version and proved in one transaction: a
database is restored whole, or stays as empty as it was.  The home is built beside its final
place and moved there at the end.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.errors import BackupDamagedError, ConfigError, ConflictError
from gateway.keeping.archive import ArchiveReader, open_archive, sync_folder
from gateway.keeping.books import Note, Proof, Proved, restore_books
from gateway.keeping.manifest import Manifest
from gateway.keeping.seal import unlock_files
from gateway.keeping.settings_text import (
    EMBEDDED,
    stays_in_home,
    store_url_of,
    with_store_url,
    without_password,
)
from gateway.store import Store

SETTINGS_FILE = "gateway.toml"
DEFAULT_URL = "sqlite:///gateway.db"


@dataclass(frozen=True, kw_only=True)
class RestoreReport:
    """Is what a restore found and did.

    Attributes:
        directory: the new home; None where nothing was left behind.
        signer_sha256: who signed; compare it where ``signer_confirmed`` is false.
        notes: what is left for a person to do.
    """

    manifest: Manifest
    directory: Path | None
    signer_sha256: str
    signer_confirmed: bool
    proved: tuple[Proved, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RestoreOrder:
    """Says which backup is to be restored, where to, and whose it must be.

    Attributes:
        signer: SHA-256 fingerprint of the gateway's signing certificate.
        store_url: database to restore into; None takes the SQLite file of the home.
        passphrase: opens the private files; None leaves them out.
    """

    path: Path
    signer: str | None
    store_url: str | None
    passphrase: bytes | None

    def __repr__(self) -> str:
        """Return which backup it is."""
        return f"RestoreOrder({self.path})"


def restore(order: RestoreOrder, directory: Path, *, at: datetime, actor: str) -> RestoreReport:
    """Make the gateway home ``directory`` from a backup and return what was proved.

    Raises:
        ConflictError: there is something at ``directory``, or in the database.
        ConfigError: passphrase, database address or version do not allow it.
        BackupDamagedError, TrustError: the backup proves nothing.
    """
    if order.signer is None:
        raise ConfigError("say whose backup it must be: the fingerprint of the gateway's signer")
    if directory.is_dir() and any(directory.iterdir()):
        raise ConflictError(f"{directory} is not empty; name a new directory")
    with open_archive(order.path, signer=order.signer) as reader, _site(directory) as site:
        report = _rebuilt(reader, order, site, note=Note(at=at, actor=actor))
        return _report(reader, order, report, directory)


def verify_backup(order: RestoreOrder) -> RestoreReport:
    """Restore a backup into a temporary folder, prove it there, and leave nothing behind.

    Raises:
        ConfigError, BackupDamagedError, TrustError: as ``restore``.
    """
    with (
        open_archive(order.path, signer=order.signer) as reader,
        tempfile.TemporaryDirectory(prefix="eco-verify-") as folder,
    ):
        found = _rebuilt(reader, order, Path(folder), note=None)
        return _report(reader, order, found, None)


def _rebuilt(
    reader: ArchiveReader, order: RestoreOrder, site: Path, *, note: Note | None
) -> tuple[list[Proved], list[str]]:
    files = {part.path: reader.whole(part.part) for part in reader.manifest.files}
    notes: list[str] = []
    url = DEFAULT_URL
    if note is not None:
        url = _chosen_url(files, order.store_url)
        notes += _set_url(files, url)
    private, keys = _private_files(reader, order)
    notes += _write_files(site, files, private)
    proved = [Proved(proof=Proof.FILES, detail=f"{len(files)} public files")]
    store = Store.open(_placed(url, site))
    try:
        proved += restore_books(reader, store, note)
    finally:
        store.close()
    return [*keys, *proved], notes


def _private_files(
    reader: ArchiveReader, order: RestoreOrder
) -> tuple[dict[str, bytes], list[Proved]]:
    how = reader.manifest.keys
    if how is None or order.passphrase is None:
        return {}, []
    private = unlock_files(
        how,
        reader.whole(how.part),
        order.passphrase,
        backup_id=reader.manifest.backup_id,
    )
    return private, [Proved(proof=Proof.KEYS, detail=f"{len(private)} private files opened")]


def _chosen_url(files: dict[str, bytes], wanted: str | None) -> str:
    written = store_url_of(_settings(files))
    url = wanted or written or DEFAULT_URL
    if wanted is None and not stays_in_home(url):
        raise ConfigError(
            f"the settings name the database {without_password(url)}, which may still be in use; "
            "name the one to restore into with --store-url"
        )
    return url


def _set_url(files: dict[str, bytes], url: str) -> list[str]:
    """Write the address into the settings, without a password; return what is left to do."""
    bare = without_password(url)
    text = _settings(files)
    if store_url_of(text) != bare:
        files[SETTINGS_FILE] = with_store_url(text, bare).encode("utf-8")
    if bare == url:
        return []
    return ["the database password is not written down: set ECO_STORE_URL for serve and work"]


def _settings(files: dict[str, bytes]) -> str:
    try:
        return files[SETTINGS_FILE].decode("utf-8")
    except (KeyError, UnicodeDecodeError) as exc:
        raise BackupDamagedError(f"the backup holds no readable {SETTINGS_FILE}") from exc


def _placed(url: str, site: Path) -> str:
    """Return the address with a file of the home placed where the home is being built."""
    if not url.startswith(EMBEDDED) or not stays_in_home(url):
        return url
    file = site / url.removeprefix(EMBEDDED)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    return EMBEDDED + str(file)


def _write_files(site: Path, files: dict[str, bytes], private: dict[str, bytes]) -> list[str]:
    for path, content, mode in (
        *((path, content, 0o640) for path, content in files.items()),
        *((path, content, 0o600) for path, content in private.items()),
    ):
        target = (site / path).resolve()
        if not target.is_relative_to(site.resolve()):
            raise BackupDamagedError(f"the path {path} leads out of the home")
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    moved = sorted(path for path in (*files, *private) if path.startswith("outside/"))
    return [f"{path} stood outside the home; put it back or change the settings" for path in moved]


@contextmanager
def _site(directory: Path) -> Iterator[Path]:
    """Give a folder beside ``directory`` that takes its place at the end, or vanishes."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        site = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    except OSError as exc:
        raise ConfigError(f"{directory.parent} cannot be written: {exc.strerror}") from exc
    try:
        yield site
        if directory.is_dir():
            directory.rmdir()
        site.rename(directory)
        sync_folder(directory.parent)
    except BaseException:
        shutil.rmtree(site, ignore_errors=True)
        raise


def _report(
    reader: ArchiveReader,
    order: RestoreOrder,
    found: tuple[list[Proved], list[str]],
    directory: Path | None,
) -> RestoreReport:
    proved, notes = found
    signer = reader.manifest.signer_sha256
    signed = Proved(proof=Proof.SIGNATURE, detail=f"by {signer}")
    if reader.manifest.keys is None or order.passphrase is None:
        notes = [*notes, "the private keys are not in it; place them before the gateway starts"]
    return RestoreReport(
        manifest=reader.manifest,
        directory=directory,
        signer_sha256=signer,
        signer_confirmed=order.signer is not None,
        proved=(signed, *proved),
        notes=tuple(notes),
    )
