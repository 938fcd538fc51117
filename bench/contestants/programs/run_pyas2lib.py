"""pyas2lib: one exchange in process, signed message and signed synchronous MDN, no store."""

import sys
from pathlib import Path

from loop import serve
from pyas2lib import as2

FOLDER = Path(sys.argv[1])
DOCUMENT = (FOLDER / "document.xml").read_bytes()
KEY, CERT = (FOLDER / "key-and-cert.pem").read_bytes(), (FOLDER / "cert-2048.pem").read_bytes()

OWN = as2.Organization(as2_name="zambia", sign_key=KEY, sign_key_pass="bench")
OTHER = as2.Partner(
    as2_name="kenya",
    verify_cert=CERT,
    sign=True,
    digest_alg="sha256",
    mdn_mode="SYNC",
    mdn_digest_alg="sha256",
    validate_certs=False,
)
RECEIVER = as2.Organization(as2_name="kenya", sign_key=KEY, sign_key_pass="bench")
SENDER = as2.Partner(
    as2_name="zambia",
    verify_cert=CERT,
    sign=True,
    digest_alg="sha256",
    mdn_mode="SYNC",
    mdn_digest_alg="sha256",
    validate_certs=False,
)


def exchange():
    """Build, receive and verify with signed MDN, check the MDN."""
    message = as2.Message(OWN, OTHER)
    message.build(DOCUMENT, disposition_notification_to="no-reply@example.org")
    arrived = as2.Message()
    status, problem, mdn = arrived.parse(
        message.headers_str + b"\r\n" + message.content, lambda _: RECEIVER, lambda _: SENDER
    )
    if status != "processed":
        raise ValueError(f"not processed: {problem}")
    answered, detail = as2.Mdn().parse(mdn.headers_str + b"\r\n" + mdn.content, lambda *_: message)
    if answered != "processed":
        raise ValueError(f"MDN not accepted: {detail}")


serve({"exchange": exchange})
