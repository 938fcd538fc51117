"""python-xmlsec: signs and verifies the standard document, keys loaded once."""

import sys
from pathlib import Path

import xmlsec
from loop import serve
from lxml import etree

FOLDER = Path(sys.argv[1])


def signing(bits):
    """Return the work of signing, bytes in, bytes out."""
    key = xmlsec.Key.from_file(str(FOLDER / f"key-{bits}.pem"), xmlsec.KeyFormat.PEM)
    key.load_cert_from_file(str(FOLDER / f"cert-{bits}.pem"), xmlsec.KeyFormat.PEM)
    document = (FOLDER / "document.xml").read_bytes()

    def sign():
        root = etree.fromstring(document)
        signature = xmlsec.template.create(
            root, xmlsec.Transform.EXCL_C14N, xmlsec.Transform.RSA_SHA256, ns="ds"
        )
        root.append(signature)
        reference = xmlsec.template.add_reference(signature, xmlsec.Transform.SHA256, uri="")
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        info = xmlsec.template.ensure_key_info(signature)
        xmlsec.template.x509_data_add_certificate(xmlsec.template.add_x509_data(info))
        context = xmlsec.SignatureContext()
        context.key = key
        context.sign(signature)
        return etree.tostring(root)

    return sign


def verifying(context_of):
    """Return the work of verifying with a context made for each call."""
    signed = (FOLDER / "signed.xml").read_bytes()

    def verify():
        root = etree.fromstring(signed)
        context_of().verify(xmlsec.tree.find_node(root, xmlsec.Node.SIGNATURE))

    return verify


PINNED = xmlsec.Key.from_file(str(FOLDER / "cert-2048.pem"), xmlsec.KeyFormat.CERT_PEM)
CHAIN = xmlsec.KeysManager()
for anchor in sorted(FOLDER.glob("anchor-*.pem")):
    CHAIN.load_cert(str(anchor), xmlsec.KeyFormat.PEM, xmlsec.KeyDataType.TRUSTED)


def pinned():
    """Return a context with the signer's key."""
    context = xmlsec.SignatureContext()
    context.key = PINNED
    return context


serve(
    {
        "sign-2048": signing(2048),
        "sign-3072": signing(3072),
        "verify": verifying(pinned),
        "verify-chain": verifying(lambda: xmlsec.SignatureContext(CHAIN)),
    }
)
