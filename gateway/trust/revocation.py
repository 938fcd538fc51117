"""Revocation lists: whether a chain was revoked at the time that counts.

Lists are handed in, never fetched here.  A list counts only if the issuer of the certificate
signed it and it speaks for all certificates and reasons (RFC 5280, 5.2 and 6.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from gateway.errors import RevocationUnknownError, SignerRevokedError
from gateway.trust.registry import RevocationPolicy

_COMPROMISED: Final = frozenset(
    {
        x509.ReasonFlags.key_compromise,
        x509.ReasonFlags.ca_compromise,
        x509.ReasonFlags.aa_compromise,
    }
)
"""Reasons that also spoil what was signed before: nobody knows who held the key by then."""

_PARTIAL: Final = (x509.DeltaCRLIndicator, x509.IssuingDistributionPoint)


def require_not_revoked(
    chain: Sequence[x509.Certificate],
    issuer_of_last: x509.Certificate | None,
    crls: Sequence[x509.CertificateRevocationList],
    *,
    policy: RevocationPolicy,
    at: datetime,
) -> None:
    """Return if nothing in the chain below its anchor was revoked at this moment.

    Args:
        chain: signing certificate first, anchor last; a chain of one is a pinned signer.
        issuer_of_last: issuer of a pinned signer when it is known; None otherwise.

    Raises:
        SignerRevokedError: revoked at ``at``, or ever since for a compromised key.
        RevocationUnknownError: no fresh list of the issuer, where the policy requires one.
    """
    if len(chain) == 1 and chain[0].issuer != chain[0].subject:
        _require_good(chain[0], issuer_of_last, crls, policy=policy, at=at)
    for cert, issuer in pairwise(chain):
        _require_good(cert, issuer, crls, policy=policy, at=at)


def _require_good(
    cert: x509.Certificate,
    issuer: x509.Certificate | None,
    crls: Sequence[x509.CertificateRevocationList],
    *,
    policy: RevocationPolicy,
    at: datetime,
) -> None:
    if issuer is None:
        # Nobody can say whether these lists are genuine.  They cannot clear the signer, but
        # one who leaves his issuer out of the message must not escape them either.
        for claimed in crls:
            if claimed.issuer == cert.issuer:
                _refuse_revoked(cert, claimed, at)
    crl = None if issuer is None else _newest(crls, issuer)
    if crl is not None:
        _refuse_revoked(cert, crl, at)
    if policy is RevocationPolicy.WHEN_KNOWN:
        return
    if crl is None:
        raise RevocationUnknownError(f"no revocation list of {cert.issuer.rfc4514_string()}")
    if crl.next_update_utc is None or crl.next_update_utc < at:
        raise RevocationUnknownError(
            f"the revocation list of {cert.issuer.rfc4514_string()} was due for renewal at "
            f"{crl.next_update_utc}"
        )


def _refuse_revoked(
    cert: x509.Certificate, crl: x509.CertificateRevocationList, at: datetime
) -> None:
    entry = crl.get_revoked_certificate_by_serial_number(cert.serial_number)
    if entry is None:
        return
    reason, since = _reason(entry), _since(entry)
    if reason is x509.ReasonFlags.remove_from_crl:
        return
    if reason in _COMPROMISED or since <= at:
        stated = "no reason stated" if reason is None else reason.value
        subject = cert.subject.rfc4514_string()
        raise SignerRevokedError(f"{subject} was revoked at {since.isoformat()}: {stated}")


def _newest(
    crls: Sequence[x509.CertificateRevocationList], issuer: x509.Certificate
) -> x509.CertificateRevocationList | None:
    """Return the newest complete list that this issuer signed."""
    own = [crl for crl in crls if crl.issuer == issuer.subject and _speaks_for(_Same(crl), issuer)]
    return max(own, key=lambda crl: crl.last_update_utc, default=None)


@dataclass(frozen=True, eq=False)
class _Same:
    """Stands for one list as an object: lists of megabytes are not hashed on every call."""

    crl: x509.CertificateRevocationList

    def __hash__(self) -> int:
        return id(self.crl)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.crl is self.crl


@lru_cache(maxsize=64)
def _speaks_for(same: _Same, issuer: x509.Certificate) -> bool:
    """Return whether the issuer signed this list, may do so, and the list is complete.

    The answer is kept: neither the list nor the issuer changes.
    """
    try:
        return (
            _may_sign_lists(issuer)
            and _is_complete(same.crl)
            and same.crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
        )
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _may_sign_lists(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def _is_complete(crl: x509.CertificateRevocationList) -> bool:
    """Return whether a list speaks for all certificates and reasons of its issuer."""
    return not any(
        isinstance(extension.value, _PARTIAL)
        or (extension.critical and isinstance(extension.value, x509.UnrecognizedExtension))
        for extension in crl.extensions
    )


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None
    except ValueError:
        return x509.ReasonFlags.key_compromise


def _since(entry: x509.RevokedCertificate) -> datetime:
    """Return when the key ceased to be good: the invalidity date if the CA knows an earlier one."""
    try:
        known = entry.extensions.get_extension_for_class(x509.InvalidityDate).value
    except (x509.ExtensionNotFound, ValueError):
        return entry.revocation_date_utc
    return min(entry.revocation_date_utc, known.invalidity_date_utc)


def revoked_since(cert: x509.Certificate, crl: x509.CertificateRevocationList) -> datetime | None:
    """Return from when on a list names this certificate as revoked; None if it does not."""
    entry = crl.get_revoked_certificate_by_serial_number(cert.serial_number)
    return None if entry is None else _since(entry)
