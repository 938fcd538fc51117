"""Books to keep: a certificate sent, used up and answered, with all rows that come of it."""

from __future__ import annotations

from gateway.documents import UtilisationStatus
from gateway.exchange.outbound import submit_document
from gateway.keeping.backup import BackupOrder, HomeFiles
from gateway.trust import key_to_pem
from tests.exchange.corridor import Corridor, Side, decide
from tests.factories import certificate

SERIAL = "ZM-20260309-000123"
PASSPHRASE = b"correct horse battery"
SETTINGS = """\
# Zambia
[gateway]
identifier = "ZM-SW"
name = "Zambia"
country = "ZM"
test = false

[store]
url = "sqlite:///gateway.db"  # the books

[keys.gateway]
key = "keys/gateway.key.pem"
certificate = "keys/gateway.cert.pem"

[tls]
key = "keys/tls.key.pem"
certificate = "keys/tls.cert.pem"

[listen]
public_url = "https://zm.example:8443"
"""


def send(corridor: Corridor, **changes: object) -> str:
    """Let Zambia issue and deliver a certificate."""
    message_id = submit_document(corridor.zm.desk, certificate(**changes)).message_id
    corridor.zm.work()
    assert message_id is not None
    return message_id


def use_up(corridor: Corridor) -> None:
    """Let Kenya's customs write everything off and tell Zambia."""
    for quantity, status in (("6000", UtilisationStatus.PARTIAL), ("6000", UtilisationStatus.FULL)):
        decide(corridor.ke, status, quantity)
        corridor.ke.work()


def order(side: Side, *, passphrase: bytes | None = PASSPHRASE, **files: bytes) -> BackupOrder:
    """Return what a backup of one side needs."""
    gateway = side.pki.gateway
    return BackupOrder(
        store=side.desk.store,
        files=HomeFiles(
            public={
                "gateway.toml": SETTINGS.encode(),
                "keys/gateway.cert.pem": gateway.cert_path.read_bytes(),
                "keys/tls.cert.pem": side.pki.tls.cert_path.read_bytes(),
                **files,
            },
            private={
                "keys/gateway.key.pem": key_to_pem(gateway.credential.key),
                "keys/tls.key.pem": key_to_pem(side.pki.tls.credential.key),
            },
        ),
        credential=gateway.credential,
        identifier="ZM-SW",
        country="ZM",
        passphrase=passphrase,
    )
