"""A gateway process whose desk is a stand-in that writes down what reaches it.

Run as ``python -m tests.wire.stand_in_gateway <json>``; prints ``READY <host> <port>``.
What the desk answers depends on the first bytes of what it is given:
``raise CODE`` raises that error, ``crash`` a foreign one, anything else gets a receipt.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from gateway.documents import Finding, LocalisedText, Severity, Verdict
from gateway.envelope import USUAL_ENVELOPE_BYTES
from gateway.errors import error_for_code
from gateway.transport import (
    Collected,
    Confirmed,
    Decline,
    Declined,
    PingAnswer,
    Planned,
    StatusAnswer,
    WaitingEnvelope,
)
from gateway.web.peer import PeerAppSettings, Pressure, ProxyTrust, create_peer_app
from gateway.web.serving import ServerSettings, ServerTls, serve

RECEIVED_AT = datetime(2026, 3, 10, 9, 0, 5, tzinfo=UTC)
PLANNED = Planned(
    begins_at=RECEIVED_AT, ends_at=RECEIVED_AT.replace(hour=11), note={"en": "Disks", "ar": "أقراص"}
)
FINDING = Finding(
    rule="V12",
    severity=Severity.ERROR,
    path="items[0].quantity",
    box="9",
    article="Art. 4",
    message=LocalisedText(en="Too much & <more>", fr="Quantité trop grande", ar="الكمية كبيرة"),
    remedy=LocalisedText(en="Write less", fr="Écrivez moins", ar="اكتب أقل"),
)
CRASH_SECRET = "payload-of-a-trader"


def receipt_for(raw: bytes) -> bytes:
    digest = hashlib.sha256(raw).hexdigest()
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<receipt sha256="{digest}"/>'.encode()


def waiting_envelope(number: int) -> bytes:
    return b"<Envelope>\xc3\xa9 %d</Envelope>\r\n" % number


class StandInDesk:
    """Writes each call into a directory and answers by fixed rules."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def accept(self, raw: bytes, tls_fingerprint: str | None) -> bytes:
        self._note("accept", raw, tls_fingerprint)
        if raw.startswith(b"raise "):
            error = error_for_code(raw.split()[1].decode())
            raise error("as the test asked \x07", findings=(FINDING,))
        if raw.startswith(b"crash"):
            raise RuntimeError(CRASH_SECRET)
        if raw.startswith(b"slow "):
            time.sleep(float(raw.split()[1]))
        return receipt_for(raw)

    def status(self, message_id: str, tls_fingerprint: str | None) -> StatusAnswer:
        self._note("status", message_id.encode(), tls_fingerprint)
        if message_id.startswith("urn:uuid:00000000"):
            return StatusAnswer(message_id=message_id, known=False)
        return StatusAnswer(
            message_id=message_id,
            known=True,
            verdict=Verdict.ACCEPTED_WITH_WARNINGS,
            received_at=RECEIVED_AT,
            receipt=receipt_for(message_id.encode()),
        )

    def collect(self, limit: int | None, tls_fingerprint: str | None) -> Collected:
        self._note("collect", str(limit).encode(), tls_fingerprint)
        waiting = tuple(
            WaitingEnvelope(
                message_id=f"urn:uuid:{number}",
                envelope=waiting_envelope(number),
                lease_until=RECEIVED_AT,
            )
            for number in range(min(limit or 1, 3))
        )
        return Collected(messages=waiting)

    def confirm(self, message_id: str, receipt: bytes, tls_fingerprint: str | None) -> Confirmed:
        self._note("confirm", message_id.encode() + b"\n" + receipt, tls_fingerprint)
        if receipt.startswith(b"raise "):
            raise error_for_code(receipt.split()[1].decode())("as the test asked")
        return Confirmed(message_id=message_id, verdict=Verdict.ACCEPTED_WITH_WARNINGS)

    def decline(self, message_id: str, why: Decline, tls_fingerprint: str | None) -> Declined:
        self._note("decline", f"{message_id}\n{why.model_dump_json()}".encode(), tls_fingerprint)
        until = RECEIVED_AT if why.retryable else None
        return Declined(message_id=message_id, waits_until=until)

    def ping(self, tls_fingerprint: str | None) -> PingAnswer:
        self._note("ping", b"", tls_fingerprint)
        return PingAnswer(
            identifier="KE-GATEWAY",
            country="KE",
            software_version="eco-gateway/9.9",
            time=RECEIVED_AT,
            document_types=("CertificateOfOrigin", "CustomsResponse"),
            versions=("rules:all=00000000", "schema:CertificateOfOrigin=1.0", "odd"),
            maintenance=(PLANNED,),
        )

    def _note(self, call: str, raw: bytes, tls_fingerprint: str | None) -> None:
        name = f"{time.monotonic_ns():020d}-{uuid.uuid4().hex[:6]}.{call}"
        note = self._directory / name
        half = note.with_suffix(".half")  # a reader must never see part of a note
        half.write_bytes((tls_fingerprint or "-").encode() + b"\n" + raw)
        half.rename(note)


def main() -> None:
    given = json.loads(sys.argv[1])
    tls = None
    if given.get("cert"):
        client_ca = Path(given["client_ca"]) if given.get("client_ca") else None
        tls = ServerTls(cert=Path(given["cert"]), key=Path(given["key"]), client_ca=client_ca)
    settings = ServerSettings(
        host="127.0.0.1",
        port=0,
        tls=tls,
        threads=given.get("threads", 8),
        head_seconds=given.get("head_seconds", 10.0),
        request_seconds=given.get("request_seconds", 20.0),
        grace_seconds=5,
        log_level="error",
    )
    proxy = ProxyTrust(secret=given["proxy_secret"]) if given.get("proxy_secret") else None
    app_settings = PeerAppSettings(
        pressure=Pressure(at_once=64, at_once_per_peer=64),
        max_envelope_bytes=given.get("max_envelope_bytes", USUAL_ENVELOPE_BYTES),
        public_url=given.get("public_url"),
        proxy=proxy,
    )
    serve(
        lambda: create_peer_app(StandInDesk(Path(given["notes"])), app_settings),
        settings,
        on_ready=lambda host, port: print(f"READY {host} {port}", flush=True),
    )


if __name__ == "__main__":
    main()
