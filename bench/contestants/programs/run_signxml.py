"""signxml: signs and verifies the standard document, key objects loaded once."""

import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from loop import serve
from lxml import etree
from signxml import XMLSigner, XMLVerifier
from signxml.algorithms import CanonicalizationMethod

FOLDER = Path(sys.argv[1])
EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0


def signing(bits):
    """Return the work of signing, bytes in, bytes out."""
    key = load_pem_private_key((FOLDER / f"key-{bits}.pem").read_bytes(), None)
    cert = (FOLDER / f"cert-{bits}.pem").read_text()
    document = (FOLDER / "document.xml").read_bytes()
    signer = XMLSigner(c14n_algorithm=EXCLUSIVE)
    return lambda: etree.tostring(signer.sign(etree.fromstring(document), key=key, cert=cert))


def verifying(**trust):
    """Return the work of verifying."""
    signed = (FOLDER / "signed.xml").read_bytes()
    return lambda: XMLVerifier().verify(signed, **trust)


serve(
    {
        "sign-2048": signing(2048),
        "sign-3072": signing(3072),
        "verify": verifying(
            x509_cert=load_pem_x509_certificate((FOLDER / "cert-2048.pem").read_bytes())
        ),
        "verify-chain": verifying(ca_pem_file=str(FOLDER / "anchors.pem")),
    }
)
