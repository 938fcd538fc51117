"""What the demonstration leaves behind: every envelope and document that crossed, as files."""

from __future__ import annotations

from pathlib import Path

from gateway.demo.stage import Stage
from gateway.store import bodies, inbox, outbox


def export_exchanged(stage: Stage, directory: Path) -> int:
    """Write every envelope, payload and receipt that crossed; return how many files.

    Names tell direction, document and what it is::

        0003-ZM-SW-CertificateOfOrigin-ZM-20261120-000101.{envelope,payload,receipt}.xml
    """
    directory.mkdir(parents=True, exist_ok=True)
    written = 0
    for gateway in stage.gateways.values():
        with gateway.store.read() as conn:
            for dispatch in outbox.page(conn, limit=1000):
                stem = (
                    f"{dispatch.id:04}-{gateway.desk.identity.identifier}-"
                    f"{dispatch.document_type.value}-{_plain(dispatch.document_number)}"
                )
                pieces = {
                    "envelope": bodies.get(conn, dispatch.envelope_sha256),
                    "payload": bodies.get(conn, dispatch.payload_sha256),
                    "receipt": outbox.receipt(conn, dispatch.message_id),
                }
                written += _write(directory, stem, pieces)
            for arrival in inbox.page(conn, limit=1000):
                if arrival.code is None:
                    continue
                stem = f"refused-{arrival.id:04}-by-{gateway.desk.identity.identifier}"
                pieces = {
                    "envelope": bodies.get(conn, arrival.envelope_sha256),
                    "receipt": arrival.receipt,
                }
                written += _write(directory, stem, pieces)
    return written


def _write(directory: Path, stem: str, pieces: dict[str, bytes | None]) -> int:
    written = 0
    for piece, content in pieces.items():
        if content is not None:
            (directory / f"{stem}.{piece}.xml").write_bytes(content)
            written += 1
    return written


def _plain(number: str) -> str:
    return "".join(char if char.isalnum() or char in "-." else "_" for char in number)
