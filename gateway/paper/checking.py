"""Checking a summary from paper without a line: what it states, and whether that is believed.

The same register of signers, anchors and revocation lists decides as for documents that arrive
(``gateway.trust``), as of the moment that the summary states.  What is no summary, or is not
believed, is answered with findings; only a fault of our own is ever raised.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.agreements.loading import load_record
from gateway.documents import Finding, LocalisedText, Severity
from gateway.documents.base import Record
from gateway.errors import InputError, TrustError
from gateway.paper.summary import Attester, SignedSummary, Summary, read_summary
from gateway.trust import PeerTrust, Signer, SignerRole, fingerprint_of
from gateway.trust.believing import believed_signer, require_key_for
from gateway.trust.values import confirms

_SKEW: Final = timedelta(minutes=5)


class CheckCode(StrEnum):
    """Names what the check of a summary may find."""

    UNREADABLE = "UNREADABLE"
    SIGNER_UNKNOWN = "SIGNER_UNKNOWN"
    SIGNER_NOT_TRUSTED = "SIGNER_NOT_TRUSTED"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    FOREIGN_AUTHORITY = "FOREIGN_AUTHORITY"
    STATED_IN_FUTURE = "STATED_IN_FUTURE"
    STATED_BEFORE_ISSUE = "STATED_BEFORE_ISSUE"
    OTHER_DOCUMENT = "OTHER_DOCUMENT"
    TEST = "TEST"
    NOT_VALID_AT_PRINT = "NOT_VALID_AT_PRINT"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"

    @property
    def severity(self) -> Severity:
        """What a finding of this kind does to the verdict."""
        return Severity.WARNING if self in _REMARKS else Severity.ERROR


_REMARKS: Final = frozenset(
    {CheckCode.NOT_VALID_AT_PRINT, CheckCode.EXPIRED, CheckCode.NOT_YET_VALID, CheckCode.TEST}
)
"""What is true of the certificate, and not a reason to doubt the paper."""


class CheckText(Record):
    """Is what one finding says."""

    message: LocalisedText
    remedy: LocalisedText


class CheckTexts(Record):
    """Holds the text of every finding, each under its code."""

    UNREADABLE: CheckText
    SIGNER_UNKNOWN: CheckText
    SIGNER_NOT_TRUSTED: CheckText
    SIGNATURE_INVALID: CheckText
    FOREIGN_AUTHORITY: CheckText
    STATED_IN_FUTURE: CheckText
    STATED_BEFORE_ISSUE: CheckText
    OTHER_DOCUMENT: CheckText
    TEST: CheckText
    NOT_VALID_AT_PRINT: CheckText
    EXPIRED: CheckText
    NOT_YET_VALID: CheckText


@dataclass(frozen=True, kw_only=True)
class TrustList:
    """Is whom a checker believes: trust for each country, and signing certificates at hand.

    Attributes:
        certificates: of signers and of the CAs between them and an anchor.
        made_at: when it was put together.
    """

    trusts: tuple[PeerTrust, ...]
    certificates: tuple[x509.Certificate, ...]
    made_at: datetime

    def signers(self, key: bytes) -> tuple[x509.Certificate, ...]:
        """Return the certificates that a key id may stand for."""
        wanted = key.hex()
        return tuple(each for each in self.certificates if fingerprint_of(each).startswith(wanted))


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Is the answer of a check.

    Attributes:
        summary: what the text states, believed or not; None if it is no summary.
        signer: who signed it, if that is believed.
    """

    summary: Summary | None
    signer: Signer | None
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether the paper says what a trusted signer stated."""
        return all(each.severity is not Severity.ERROR for each in self.findings)


def verify_summary(
    text: str, trust: TrustList, at: datetime, *, document: bytes | None = None
) -> Checked:
    """Return what a text from paper states and whether it is believed.

    Args:
        at: the present moment; the signer is judged as of the moment that the summary states.
        document: the signed XML that is said to belong to the paper, if it is at hand.
    """
    if at.tzinfo is None:
        raise RuntimeError("verify_summary needs an aware `at`")
    try:
        signed = read_summary(text)
    except InputError:
        return Checked(summary=None, signer=None, findings=(finding(CheckCode.UNREADABLE),))
    signer, codes = _signer(signed, trust)
    codes += _said_of(signed.summary, at)
    if document is not None and not _is_described(signed.summary, document):
        codes.append(CheckCode.OTHER_DOCUMENT)
    findings = tuple(finding(code) for code in sorted(codes, key=lambda code: code in _REMARKS))
    return Checked(summary=signed.summary, signer=signer, findings=findings)


def finding(code: CheckCode) -> Finding:
    """Return what is said of ``code``."""
    said = check_texts()[code]
    return Finding(
        rule=code.value,
        severity=code.severity,
        path="summary",
        message=said.message,
        remedy=said.remedy,
    )


@cache
def check_texts() -> dict[CheckCode, CheckText]:
    """Return the text of every finding; read once.

    Raises:
        ConfigError: the file is broken.
    """
    read = load_record(CheckTexts, Path(__file__).with_name("check_texts.yaml"))
    return {code: getattr(read, code.value) for code in CheckCode}


def _signer(signed: SignedSummary, trust: TrustList) -> tuple[Signer | None, list[CheckCode]]:
    """Return who signed, or why nobody is believed to have."""
    summary = signed.summary
    authority = summary.attester is Attester.AUTHORITY
    if authority and summary.attester_country != summary.issuing_country:
        return None, [CheckCode.FOREIGN_AUTHORITY]
    candidates = trust.signers(signed.key)
    own = [each for each in trust.trusts if each.country == summary.attester_country]
    if not candidates or not own:
        return None, [CheckCode.SIGNER_UNKNOWN]
    role = SignerRole.ISSUING_AUTHORITY if authority else SignerRole.GATEWAY
    worst = CheckCode.SIGNER_NOT_TRUSTED
    for certificate in candidates:
        for peer in own:
            try:
                shown = issuers_shown(certificate, trust)
                believed = believed_signer(shown, peer, role=role, at=summary.stated_at)
                require_key_for(signed.method, believed.key)
            except TrustError:
                continue
            if confirms(believed.key, signed.signature, signed.to_verify):
                return believed.signer, []
            worst = CheckCode.SIGNATURE_INVALID
    return None, [worst]


def issuers_shown(certificate: x509.Certificate, trust: TrustList) -> list[bytes]:
    """Return a signer's certificate with the CAs that may stand above it."""
    above = [each for each in trust.certificates if each.subject == certificate.issuer]
    found = [certificate, *(each for each in above if each != certificate)]
    return [each.public_bytes(Encoding.DER) for each in found]


def _said_of(summary: Summary, at: datetime) -> Iterator[CheckCode]:
    """Yield what the summary itself gives reason to say."""
    today = at.date()
    if summary.stated_at > at + _SKEW:
        yield CheckCode.STATED_IN_FUTURE
    if summary.stated_at.date() < summary.issued_on - timedelta(days=1):
        yield CheckCode.STATED_BEFORE_ISSUE
    if summary.test:
        yield CheckCode.TEST
    if not summary.standing.proves:
        yield CheckCode.NOT_VALID_AT_PRINT
    if today > summary.valid_until:
        yield CheckCode.EXPIRED
    if today < summary.valid_from:
        yield CheckCode.NOT_YET_VALID


def _is_described(summary: Summary, document: bytes) -> bool:
    digest = hashlib.sha256(document).digest()[: len(summary.digest)]
    return hmac.compare_digest(digest, summary.digest)
