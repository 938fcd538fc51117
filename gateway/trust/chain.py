"""Chains: from a signing certificate to what is registered, and whether that key may sign.

Path building and signatures of CAs are done by ``cryptography.x509.verification``; it does not
look at the strength and purpose of the *leaf's own* key, so that is done here.  Nothing is
fetched: neither issuers nor revocation lists nor OCSP answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.errors import (
    SignatureShapeError,
    SignerExpiredError,
    SignerKeyError,
    SignerUntrustedError,
)
from gateway.trust.keys import MAX_RSA_BITS, require_strong
from gateway.trust.registry import PeerTrust, fingerprint_of

MAX_INTERMEDIATES: Final = 4

_OTHER_PURPOSES: Final = frozenset(
    {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.CODE_SIGNING,
        ExtendedKeyUsageOID.TIME_STAMPING,
        ExtendedKeyUsageOID.OCSP_SIGNING,
    }
)
"""A certificate for nothing but these may not sign documents (RFC 5280, 4.2.1.12)."""


def read_certificates(encoded: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """Return the signing certificate first, then the others, as found in KeyInfo.

    The standard gives them no order (XML Signature 1.1, 4.5.4): the signing certificate is the
    only one that is no CA.

    Raises:
        SignerUntrustedError: one of them cannot be read.
        SignerKeyError: one has an RSA key of more than 8192 bits.
        SignatureShapeError: more than one certificate is no CA.
    """
    with _hostile_certificates():
        certs = [x509.load_der_x509_certificate(der) for der in dict.fromkeys(encoded)]
        for cert in certs:
            _refuse_costly_key(cert)
        leaves = [cert for cert in certs if not _is_ca(cert)] or certs[:1]
    if len(leaves) != 1:
        raise SignatureShapeError(f"{len(leaves)} certificates in KeyInfo could be the signer's")
    return leaves[0], *(cert for cert in certs if cert is not leaves[0])


def trusted_chain(
    certs: Sequence[x509.Certificate], trust: PeerTrust, *, at: datetime
) -> tuple[x509.Certificate, ...]:
    """Return the chain from the signing certificate to an anchor or registered certificate.

    Args:
        certs: signing certificate first; the others are only hints.
        at: the time that counts.

    Raises:
        SignerUntrustedError: no chain, or names that no honest CA would issue.
        SignerExpiredError: there is a chain, but not at that time.
        SignerKeyError: the signing certificate's key or purpose is not acceptable.
    """
    leaf = certs[0]
    with _hostile_certificates():
        chain = _chain_at(certs, trust, at)
        if chain is None:
            within = min(max(at, leaf.not_valid_before_utc), leaf.not_valid_after_utc)
            if within != at and _chain_at(certs, trust, within) is not None:
                raise SignerExpiredError(
                    f"{leaf.subject.rfc4514_string()} is valid from "
                    f"{leaf.not_valid_before_utc.isoformat()} to "
                    f"{leaf.not_valid_after_utc.isoformat()}, not at {at.isoformat()}"
                )
            raise SignerUntrustedError(
                f"{leaf.subject.rfc4514_string()} ({fingerprint_of(leaf)[:16]}…) does not chain "
                f"to an anchor of {trust.country} at {at.isoformat()}"
            )
        _refuse_deceptive_names(leaf)
        require_signing_cert(leaf)
    return chain


def require_signing_cert(cert: x509.Certificate) -> None:
    """Return if key and purpose of a certificate let it sign documents.

    Raises:
        SignerKeyError: weak key, a CA, or key usage for something else.
    """
    require_strong(cert.public_key())
    if _is_ca(cert):
        raise SignerKeyError("a CA certificate signs certificates, not documents")
    try:
        usage = cert.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as exc:
        raise SignerKeyError("the signing certificate states no key usage") from exc
    if not (usage.digital_signature or usage.content_commitment):
        raise SignerKeyError("key usage is neither digitalSignature nor contentCommitment")
    try:
        purposes = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if set(purposes) <= _OTHER_PURPOSES:
        raise SignerKeyError("the certificate is for TLS or the like, not for signing documents")


def known_issuer(cert: x509.Certificate, trust: PeerTrust, at: datetime) -> x509.Certificate | None:
    """Return the anchor that issued a pinned certificate, or None if it is not at hand."""
    for anchor in trust.anchors_at(at):
        if anchor.subject == cert.issuer:
            try:
                cert.verify_directly_issued_by(anchor)
            except Exception:  # noqa: BLE001, S112 - whatever is wrong, this is not the issuer
                continue
            return anchor
    return None


def _chain_at(
    certs: Sequence[x509.Certificate], trust: PeerTrust, at: datetime
) -> tuple[x509.Certificate, ...] | None:
    """Return a chain to an anchor, else to a certificate registered by fingerprint, else None.

    Whose anchor counts no more, or not yet, is not believed for his own registration either.
    """
    counting = trust.anchors_at(at)
    chain = _chain_to(counting, certs, at)
    if chain is not None:
        return chain
    others = [anchor for anchor in trust.anchors if anchor not in counting]
    if others and _chain_to(others, certs, at) is not None:
        return None
    registered = [
        cert
        for cert in certs
        if fingerprint_of(cert) in trust.fingerprints and (cert is certs[0] or _is_ca(cert))
    ]
    return _chain_to(registered, certs, at)


def _chain_to(
    anchors: Sequence[x509.Certificate], certs: Sequence[x509.Certificate], at: datetime
) -> tuple[x509.Certificate, ...] | None:
    if not anchors:
        return None
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store(list(anchors)))
        .time(at)
        .max_chain_depth(MAX_INTERMEDIATES)
        .extension_policies(ee_policy=_leaf_policy(), ca_policy=_ca_policy())
        .build_client_verifier()
    )
    try:
        return tuple(verifier.verify(certs[0], list(certs[1:])).chain)
    except verification.VerificationError:
        return None


def _leaf_policy() -> verification.ExtensionPolicy:
    """Return what path building asks of the leaf: nothing, :func:`require_signing_cert` does."""
    return verification.ExtensionPolicy.permit_all()


def _ca_policy() -> verification.ExtensionPolicy:
    """Return what path building asks of CAs: basic constraints, and key usage where stated."""
    policy = verification.ExtensionPolicy.permit_all()
    policy = policy.require_present(
        x509.BasicConstraints, verification.Criticality.AGNOSTIC, _require_ca
    )
    return policy.may_be_present(
        x509.KeyUsage, verification.Criticality.AGNOSTIC, _require_certificate_signing
    )


def _require_ca(
    _policy: verification.Policy, _cert: x509.Certificate, constraints: x509.BasicConstraints
) -> None:
    if not constraints.ca:
        raise ValueError("an issuer that is no CA")  # path building reads ValueError


def _require_certificate_signing(
    _policy: verification.Policy, _cert: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("an issuer that may not sign certificates")


def _refuse_costly_key(cert: x509.Certificate) -> None:
    """Raise if checking a signature by this key would cost more than any honest key does."""
    key = cert.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size > MAX_RSA_BITS:
        raise SignerKeyError(f"RSA key of {key.key_size} bits in KeyInfo")


def _is_ca(cert: x509.Certificate) -> bool:
    try:
        return cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _refuse_deceptive_names(cert: x509.Certificate) -> None:
    """Raise if the subject holds control characters, or two countries or common names."""
    for attribute in cert.subject:
        value = attribute.value
        if isinstance(value, bytes) or not value.isprintable():
            raise SignerUntrustedError("the subject holds characters that cannot be printed")
    for oid in (NameOID.COUNTRY_NAME, NameOID.COMMON_NAME):
        if len(cert.subject.get_attributes_for_oid(oid)) > 1:
            raise SignerUntrustedError("the subject names two countries or two common names")


@contextmanager
def _hostile_certificates() -> Iterator[None]:
    """Turn whatever reading a foreign certificate raises into a SignerUntrustedError."""
    try:
        yield
    except (ValueError, TypeError, LookupError, ArithmeticError, UnsupportedAlgorithm) as exc:
        raise SignerUntrustedError(f"a certificate in KeyInfo cannot be read: {exc}") from exc
