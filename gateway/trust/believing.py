"""Believing a signer: from the certificates in a signature to somebody who may sign.

Chain, key, revocation and registration are checked by the modules named so; here stands their
order, and a memory.  One signer sends thousands of documents, and the checks take longer than
the rest of verifying one.  Their answer depends on four things: the certificates shown, the role,
the trust of the peer, and the moment that counts.  The first two are the key of the memory, by
SHA-256.  The memory belongs to one ``PeerTrust``, which never changes: another anchor, list or
registered signer is another object with an empty memory.  And an answer is used again only at
moments between which nothing can change it (:func:`_unchanged_around`).  A refusal is not kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.errors import AlgorithmNotAllowedError, SignerKeyError, TrustError
from gateway.trust.algorithms import SignatureMethod
from gateway.trust.chain import known_issuer, read_certificates, trusted_chain
from gateway.trust.registry import Believed, PeerTrust, SignerRole, registered_signer
from gateway.trust.revocation import require_not_revoked, revoked_since
from gateway.trust.written import certificates_der

_MARGIN: Final = timedelta(seconds=1)
"""Path building counts whole seconds."""

_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def believed_as_shown(text: bytes, trust: PeerTrust, *, role: SignerRole, at: datetime) -> Believed:
    """Return the signer whom the certificates in a signature show, from memory if it holds.

    Args:
        text: the elements that carry certificates, canonical.

    Raises:
        TrustError: as :func:`believed_signer`; and SignatureInvalidError if it is not base64.
    """
    key = role, hashlib.sha256(text).digest()
    known = trust.believed.get(key)
    if known is not None and known.holds(at):
        return known
    found = believed_signer(certificates_der(text), trust, role=role, at=at)
    if found.holds(at):
        trust.believed.keep(key, found)
    return found


def believed_signer(
    certificates: Sequence[bytes], trust: PeerTrust, *, role: SignerRole, at: datetime
) -> Believed:
    """Return the signer whom these certificates show, if he may sign in this role.

    1. Certificates: few, readable, one of them the signer's; chain to an anchor or registered
       certificate at ``at``; key, purpose and names of the signer.
    2. Revocation at ``at``.
    3. Registration for this country and role at ``at``.

    Args:
        certificates: DER of each, in any order.

    Raises:
        SignerUntrustedError, SignerExpiredError, SignerKeyError, SignatureShapeError: step 1.
        SignerRevokedError, RevocationUnknownError: step 2.
        SignerNotRegisteredError: step 3.
    """
    certs = read_certificates(certificates)
    chain = trusted_chain(certs, trust, at=at)  # 1
    issuer = known_issuer(chain[0], trust, at) if len(chain) == 1 else None
    require_not_revoked(chain, issuer, trust.crls, policy=trust.revocation, at=at)  # 2
    signer = registered_signer(chain, trust, role=role, at=at)  # 3
    key = chain[0].public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise SignerKeyError(f"key of type {type(key).__name__}")
    since, until = _unchanged_around(at, certs, trust)
    return Believed(signer=signer, certificate=chain[0], key=key, since=since, until=until)


def spans_believed(
    certificates: Sequence[bytes], trust: PeerTrust, *, role: SignerRole
) -> tuple[tuple[datetime, datetime], ...]:
    """Return from when until when the signer is believed, as far as this trust can tell.

    Whoever cannot build chains (a page in a browser) compares a moment with these spans.  They
    end where a revocation list was due for renewal, if the trust requires a fresh one.

    Args:
        certificates: DER of each, in any order, the signer's among them.
    """
    try:
        certs = read_certificates(certificates)
    except TrustError:
        return ()
    first, last = certs[0].not_valid_before_utc, certs[0].not_valid_after_utc
    between = {at for at in _moments([*certs, *trust.anchors], trust) if first < at < last}
    spans: list[tuple[datetime, datetime]] = []
    for since, until in pairwise([first, *sorted(between), last]):
        try:
            believed_signer(certificates, trust, role=role, at=since + (until - since) / 2)
        except TrustError:
            continue
        if spans and spans[-1][1] == since:
            spans[-1] = spans[-1][0], until
        else:
            spans.append((since, until))
    return tuple(spans)


def require_key_for(method: SignatureMethod, key: object) -> None:
    """Return if a key is of the kind that a method signs with.

    Raises:
        AlgorithmNotAllowedError: it is of another kind.
    """
    if isinstance(key, rsa.RSAPublicKey) is not method.needs_rsa:
        raise AlgorithmNotAllowedError(f"{method.name} with a key of another kind")


def _unchanged_around(
    at: datetime, certs: Sequence[x509.Certificate], trust: PeerTrust
) -> tuple[datetime, datetime]:
    """Return first and last moment around ``at`` between which no check can change its answer.

    If ``at`` is within a second of a moment when one can, the span is empty.
    """
    moments = list(_moments([*certs, *trust.anchors], trust))
    before = max((moment for moment in moments if moment <= at), default=_FIRST)
    after = min((moment for moment in moments if moment > at), default=_LAST)
    return before + _MARGIN, after - _MARGIN


def _moments(certs: Sequence[x509.Certificate], trust: PeerTrust) -> Iterator[datetime]:
    """Yield every moment that a check compares ``at`` with, for any chain of these certificates."""
    for cert in certs:
        yield cert.not_valid_before_utc
        yield cert.not_valid_after_utc
    for crl in trust.crls:
        if crl.next_update_utc is not None:
            yield crl.next_update_utc
        for cert in certs:
            since = revoked_since(cert, crl)
            if since is not None:
                yield since
    for entry in trust.signers:
        yield from (moment for moment in (entry.valid_from, entry.valid_until) if moment)
    for term in trust.anchor_terms:
        yield from (moment for moment in (term.valid_from, term.valid_until) if moment)
