"""Batches of tests: handing one in, working it off, and reading its results."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.services.batches import BatchWorker
from gateway.store import Batch, batches
from gateway.store.tables import batch_pieces
from tests.api.counter import WINDOW, Front
from tests.factories import certificate

NDJSON, CSV, ZIP = "application/x-ndjson", "text/csv", "application/zip"


def serial(number: int) -> str:
    return f"ZM-20260309-{number:06}"


def line(number: int, **changes: Any) -> bytes:
    """Return one certificate as a line of NDJSON."""
    return certificate(serial_number=serial(number), **changes).model_dump_json().encode()


def ndjson(lines: Iterable[bytes]) -> bytes:
    return b"".join(each + b"\n" for each in lines)


def hand_in(front: Front, raw: bytes, media: str = NDJSON, *, query: str = "", **extra: Any) -> str:
    """Hand a batch in and return its address below the base."""
    to = extra.pop("to", "/batches")
    answer = front.post(to + query, raw, content_type=media, **extra)
    assert answer.status_code == 202, answer.text
    return answer.json["links"]["batch"].removeprefix("/api/v1")


def worker(front: Front, **changes: Any) -> BatchWorker:
    return BatchWorker(name="worker", counter=front.counter, **changes)


def results(front: Front, address: str, query: str = "", **extra: Any) -> list[dict[str, Any]]:
    return front.get(f"{address}/results{query}", **extra).json["results"]


def outcomes(front: Front, address: str) -> dict[int, str]:
    return {each["line"]: each["outcome"] for each in results(front, address, "?limit=1000")}


def codes(front: Front, address: str) -> dict[int, str]:
    """Return the codes of the lines that were refused."""
    found = results(front, address, "?outcome=REFUSED&limit=1000")
    return {each["line"]: each["problem"]["code"] for each in found}


def stored(front: Front, address: str) -> Batch:
    with front.desk.store.read() as conn:
        owner = conn.exec_driver_sql("SELECT organisation_id FROM batches").scalar()
        return batches.find(conn, owner, address.rsplit("/", 1)[1])


def pieces_left(front: Front) -> int:
    with front.desk.store.read() as conn:
        return len(conn.execute(batch_pieces.select()).all())


def archive(files: Mapping[str, bytes], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, **options) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def problem(answer: Any) -> str:
    return json.loads(answer.get_data(as_text=True))["code"]


__all__ = ["WINDOW"]
