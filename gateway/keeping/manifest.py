"""What a backup says of itself: one signed JSON document inside the file."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from gateway.documents.base import Record
from gateway.errors import BackupDamagedError
from gateway.store.portable import ColumnKind, TableShape

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
PartName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_./-]{1,140}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


def _inside(path: str) -> str:
    if path.startswith("/") or "\\" in path or {"", ".", ".."} & set(path.split("/")):
        raise ValueError("must be a path inside the home")
    return path


RelativePath = Annotated[
    str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_inside)
]


class Part(Record):
    """Is one member of the file, with the digest of what it holds unpacked."""

    name: PartName
    size: int = Field(ge=0)
    sha256: Sha256


class TablePart(Record):
    """Is one table: ``part`` holds one JSON array per line and row."""

    name: Word
    part: PartName
    rows: int = Field(ge=0)
    columns: tuple[tuple[Word, ColumnKind], ...]
    key: tuple[Word, ...]

    def shape(self) -> TableShape:
        """Return the table as the store writes it."""
        return TableShape(name=self.name, columns=self.columns, key=self.key)


class FilePart(Record):
    """Is a file of the gateway home that anybody may read."""

    path: RelativePath
    part: PartName


class KeyProtection(Record):
    """Says how the private files are encrypted: scrypt, then AES-256-GCM."""

    part: PartName
    salt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    nonce: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]
    n: int = Field(ge=2**15, le=2**20)
    r: Literal[8] = 8
    p: Literal[1] = 1


class JournalHead(Record):
    """Is the end of the journal when the snapshot was taken."""

    sequence: int = Field(ge=0)
    hash: Sha256


class SourceEngine(StrEnum):
    """Names the database that the backup was taken from; either kind takes it back."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Manifest(Record):
    """Is everything a restore must know before it believes a byte of the rest."""

    format: Literal["eco-backup"] = "eco-backup"
    version: Literal[1] = 1
    backup_id: str
    made_at: datetime
    identifier: str
    country: str
    software_version: str
    schema_revision: str
    engine: SourceEngine
    journal: JournalHead
    event_cursor: int = Field(ge=0)
    signer_sha256: Sha256
    parts: tuple[Part, ...]
    tables: tuple[TablePart, ...]
    files: tuple[FilePart, ...]
    keys: KeyProtection | None

    def part(self, name: str) -> Part:
        """Return the part called ``name``.

        Raises:
            BackupDamagedError: there is none.
        """
        for part in self.parts:
            if part.name == name:
                return part
        raise BackupDamagedError(f"the part {name} is missing")

    def to_bytes(self) -> bytes:
        """Return the bytes that are signed."""
        return self.model_dump_json(indent=1).encode("utf-8")

    @classmethod
    def from_bytes(cls, raw: bytes) -> Manifest:
        """Return the manifest that ``raw`` spells.

        Raises:
            BackupDamagedError: it is none, or of a version that this software does not read.
        """
        try:
            return cls.model_validate_json(raw)
        except ValidationError as exc:
            places = {".".join(map(str, error["loc"])) for error in exc.errors()}
            raise BackupDamagedError(
                f"the manifest cannot be read: {', '.join(sorted(places))[:300]}"
            ) from exc
