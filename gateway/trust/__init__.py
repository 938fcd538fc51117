"""Trust: who signed a document, whether he may, and signing for ourselves.

Keys and credentials, anchors and revocation lists, the register of signers, one call site that
signs and one that verifies.  Everything is computed from bytes, values and ``at``; fetching and
storing is done elsewhere.  docs/security.md explains the profile.
"""

from gateway.trust.algorithms import COMPATIBLE, STRICT, SignaturePolicy, policy_named
from gateway.trust.chain import require_signing_cert
from gateway.trust.demo_pki import DemoPki, make_demo_pki
from gateway.trust.keys import (
    Credential,
    KeyKind,
    generate_key,
    key_to_pem,
    make_csr,
    write_private,
)
from gateway.trust.registry import (
    AnchorTerm,
    PeerTrust,
    RegisteredSigner,
    RevocationPolicy,
    Signer,
    SignerRole,
    fingerprint_of,
)
from gateway.trust.signing import sign, sign_canonical
from gateway.trust.verifying import Verified, verify

__all__ = [
    "COMPATIBLE",
    "STRICT",
    "AnchorTerm",
    "Credential",
    "DemoPki",
    "KeyKind",
    "PeerTrust",
    "RegisteredSigner",
    "RevocationPolicy",
    "SignaturePolicy",
    "Signer",
    "SignerRole",
    "Verified",
    "fingerprint_of",
    "generate_key",
    "key_to_pem",
    "make_csr",
    "make_demo_pki",
    "policy_named",
    "require_signing_cert",
    "sign",
    "sign_canonical",
    "verify",
    "write_private",
]
