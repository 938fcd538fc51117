"""PyPI as4: one Peppol AS4 exchange in process; it compresses and encrypts too."""

import sys
from pathlib import Path

import as4
from as4 import peppol
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from loop import serve

FOLDER = Path(sys.argv[1])
DOCUMENT = (FOLDER / "document.xml").read_bytes()
KEY = load_pem_private_key((FOLDER / "key-2048.pem").read_bytes(), None)
CERT = load_pem_x509_certificate((FOLDER / "cert-2048.pem").read_bytes())

OWN = peppol.create_peppol_internal_party(
    party_id="PZM000001", certificate=CERT, private_key=as4.AS4LocalPrivateKey(KEY)
)
OTHER = peppol.create_peppol_external_party(party_id="PKE000002", certificate=CERT)
RECEIVER = peppol.create_peppol_internal_party(
    party_id="PKE000002", certificate=CERT, private_key=as4.AS4LocalPrivateKey(KEY)
)
POLICY = as4.SecurityPolicy(signer_resolver=as4.pinned_certificates(CERT))


def exchange():
    """Build, receive, answer with a signed receipt, check the receipt."""
    message = peppol.build_peppol_message(
        payload=DOCUMENT,
        local_party=OWN,
        remote_party=OTHER,
        sender="9932:9999999999",
        recipient="9932:1111111111",
        sender_country_id="ZM",
        document_type_identifier_scheme="busdox-docid-qns",
        document_type_identifier_value="urn:un:unece:uncefact:Certificate::Origin##bench::1.0",
        process_identifier="urn:bench:origin:1.0",
    )
    body, boundary = message.get_request_data()
    arrived = peppol.parse_peppol_message(
        request_headers=message.get_http_headers(boundary),
        request_body=body,
        local_party=RECEIVER,
        security_policy=POLICY,
    )
    if not arrived.successful:
        raise ValueError("the message was not received")
    _, signal = arrived.build_signal()
    receipt = peppol.parse_peppol_receipt(signal, CERT)
    receipt.verify_non_repudiation(message.signed_references)


serve({"exchange": exchange})
