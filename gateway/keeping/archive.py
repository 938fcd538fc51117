"""The file of a backup: a zip whose members are streamed, measured and digested.

Written beside its final name and moved there when all of it lies on the disk; readable by its
owner only.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import BackupDamagedError, ConfigError, ConflictError
from gateway.keeping.manifest import Manifest, Part
from gateway.keeping.seal import sign_detached, verify_detached
from gateway.trust import Credential, fingerprint_of

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
SIGNER: Final = "signer.pem"
_SEALS: Final = frozenset({MANIFEST, SIGNATURE, SIGNER})
_MOST_SEAL_BYTES: Final = 4_000_000
_PIECE: Final = 1 << 20
_READ_ERRORS: Final = (OSError, zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError)


class ArchiveWriter:
    """Writes the parts of one backup; ``finish`` seals it."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._parts: list[Part] = []

    @property
    def parts(self) -> tuple[Part, ...]:
        """What was written so far."""
        return tuple(self._parts)

    def add(self, name: str, pieces: Iterable[bytes]) -> Part:
        """Write a part piece by piece and return its size and digest."""
        size, digest = 0, hashlib.sha256()
        with self._archive.open(name, "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
                digest.update(piece)
                size += len(piece)
        part = Part(name=name, size=size, sha256=digest.hexdigest())
        self._parts.append(part)
        return part

    def finish(self, manifest: Manifest, credential: Credential) -> None:
        """Write the manifest, its signature and the signer's certificate."""
        content = manifest.to_bytes()
        chain = (credential.signing_cert, *credential.chain)
        pem = b"".join(cert.public_bytes(Encoding.PEM) for cert in chain)
        self._archive.writestr(MANIFEST, content)
        self._archive.writestr(SIGNATURE, sign_detached(content, credential))
        self._archive.writestr(SIGNER, pem)


@contextmanager
def new_archive(path: Path) -> Iterator[ArchiveWriter]:
    """Give a writer for ``path``; the file appears whole at the end, or not at all.

    Raises:
        ConflictError: there is such a file already.
        ConfigError: the folder cannot be written.
    """
    if path.exists():
        raise ConflictError(f"{path} is there already; a backup never replaces another file")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                    yield ArchiveWriter(archive)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
            sync_folder(path.parent)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
    except OSError as exc:
        raise ConfigError(f"{exc.filename or path}: {exc.strerror}") from exc


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class ArchiveReader:
    """Reads a backup whose manifest was verified; every part is checked while it is read."""

    def __init__(
        self, archive: zipfile.ZipFile, manifest: Manifest, signing_cert: x509.Certificate
    ) -> None:
        self._archive = archive
        self.manifest = manifest
        self.signing_cert = signing_cert

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield a part; whoever reads to its end knows that it is whole.

        Raises:
            BackupDamagedError: size or digest are not those of the manifest.
        """
        part = self.manifest.part(name)
        size, digest = 0, hashlib.sha256()
        with reading_archive(), self._archive.open(name) as member:
            while piece := member.read(min(_PIECE, part.size + 1 - size)):
                size += len(piece)
                digest.update(piece)
                yield piece
        if (size, digest.hexdigest()) != (part.size, part.sha256):
            raise BackupDamagedError(f"the part {name} is not what the manifest says")

    def whole(self, name: str) -> bytes:
        """Return a part that is small enough for the memory."""
        return b"".join(self.pieces(name))

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a part, each without its end."""
        rest = b""
        for piece in self.pieces(name):
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
        if rest:
            yield rest


@contextmanager
def open_archive(path: Path, *, signer: str | None) -> Iterator[ArchiveReader]:
    """Give a reader for the backup ``path`` after verifying who signed its manifest.

    Args:
        signer: SHA-256 fingerprint of the gateway's signing certificate; None checks the
            signature only, and leaves it to the caller to compare the signer.

    Raises:
        BackupDamagedError: it is no backup, cut off, or holds more or less than it says.
        TrustError: the signature does not hold, or is somebody else's.
    """
    with ExitStack() as open_files:
        with reading_archive():
            archive = open_files.enter_context(zipfile.ZipFile(path))
            reader = _verified(archive, signer)
        yield reader


def _verified(archive: zipfile.ZipFile, signer: str | None) -> ArchiveReader:
    seals = {name: _seal(archive, name) for name in _SEALS}
    signing_cert = x509.load_pem_x509_certificates(seals[SIGNER])[0]
    verify_detached(seals[MANIFEST], seals[SIGNATURE], signing_cert, signer=signer)
    manifest = Manifest.from_bytes(seals[MANIFEST])
    if manifest.signer_sha256 != fingerprint_of(signing_cert):
        raise BackupDamagedError("the manifest names another signer than the one who signed it")
    _require_no_more_and_no_less(archive, manifest)
    return ArchiveReader(archive, manifest, signing_cert)


@contextmanager
def reading_archive() -> Iterator[None]:
    """Turn what goes wrong while reading a backup into one error of ours."""
    try:
        yield
    except _READ_ERRORS as exc:
        raise BackupDamagedError(f"the backup cannot be read ({type(exc).__name__})") from exc


def _seal(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        content = member.read(_MOST_SEAL_BYTES + 1)
    if len(content) > _MOST_SEAL_BYTES:
        raise BackupDamagedError(f"{name} is larger than any of ours")
    return content


def _require_no_more_and_no_less(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    names = archive.namelist()
    expected = {part.name for part in manifest.parts} | _SEALS
    if len(names) != len(set(names)) or set(names) != expected:
        raise BackupDamagedError("the file holds other parts than its manifest names")
