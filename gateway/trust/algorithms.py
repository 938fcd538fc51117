"""Algorithms of the signature profile, spelled as the URIs that documents carry, and policies.

A policy says what is *read*; what we *write* is fixed in ``gateway.trust.signing``.  No
algorithm that is missing here can be reached, whatever the libraries below would do with it.

Source: XML Signature 1.1 (W3C), RFC 6931, RFC 9231; choice explained in docs/security.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from gateway.errors import ConfigError

DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_MGF1: Final = "http://www.w3.org/2007/05/xmldsig-more#"
_ENC: Final = "http://www.w3.org/2001/04/xmlenc#"

ENVELOPED: Final = f"{DSIG}enveloped-signature"


class SignatureMethod(StrEnum):
    """Names how SignedInfo is signed."""

    RSA_SHA256 = f"{_MORE}rsa-sha256"
    RSA_SHA384 = f"{_MORE}rsa-sha384"
    RSA_SHA512 = f"{_MORE}rsa-sha512"
    RSA_PSS_SHA256 = f"{_MGF1}sha256-rsa-MGF1"
    RSA_PSS_SHA384 = f"{_MGF1}sha384-rsa-MGF1"
    RSA_PSS_SHA512 = f"{_MGF1}sha512-rsa-MGF1"
    ECDSA_SHA256 = f"{_MORE}ecdsa-sha256"
    ECDSA_SHA384 = f"{_MORE}ecdsa-sha384"
    ECDSA_SHA512 = f"{_MORE}ecdsa-sha512"

    @property
    def needs_rsa(self) -> bool:
        """Whether the key must be RSA; otherwise it must be an elliptic curve key."""
        return self.name.startswith("RSA")


class DigestMethod(StrEnum):
    """Names how the document is digested."""

    SHA256 = f"{_ENC}sha256"
    SHA384 = f"{_MORE}sha384"
    SHA512 = f"{_ENC}sha512"


class Canonicalization(StrEnum):
    """Names how XML becomes the bytes that are digested; none keeps comments."""

    EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
    INCLUSIVE_1_0 = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    INCLUSIVE_1_1 = "http://www.w3.org/2006/12/xml-c14n11"


@dataclass(frozen=True, kw_only=True)
class SignaturePolicy:
    """Says which signatures of a peer are read.

    Attributes:
        implied_canonicalization: whether a reference may leave its canonicalisation out, which
            then is inclusive 1.0 (XML Signature 1.1, 4.4.3.2).
        prefix_lists: whether exclusive canonicalisation may carry InclusiveNamespaces.
    """

    name: str
    signature_methods: frozenset[SignatureMethod]
    digest_methods: frozenset[DigestMethod]
    canonicalizations: frozenset[Canonicalization]
    implied_canonicalization: bool
    prefix_lists: bool

    STRICT: ClassVar[SignaturePolicy]
    COMPATIBLE: ClassVar[SignaturePolicy]


STRICT: Final = SignaturePolicy(
    name="STRICT",
    signature_methods=frozenset(
        {
            SignatureMethod.RSA_SHA256,
            SignatureMethod.RSA_SHA384,
            SignatureMethod.RSA_SHA512,
            SignatureMethod.ECDSA_SHA256,
            SignatureMethod.ECDSA_SHA384,
            SignatureMethod.ECDSA_SHA512,
        }
    ),
    digest_methods=frozenset(DigestMethod),
    canonicalizations=frozenset({Canonicalization.EXCLUSIVE}),
    implied_canonicalization=False,
    prefix_lists=False,
)
"""The profile that every stack reads and that we write."""

COMPATIBLE: Final = SignaturePolicy(
    name="COMPATIBLE",
    signature_methods=frozenset(SignatureMethod),
    digest_methods=frozenset(DigestMethod),
    canonicalizations=frozenset(Canonicalization),
    implied_canonicalization=True,
    prefix_lists=True,
)
"""Also what the JDK and .NET write when nobody tells them otherwise, and RSA-PSS."""

SignaturePolicy.STRICT = STRICT
SignaturePolicy.COMPATIBLE = COMPATIBLE


def policy_named(name: str) -> SignaturePolicy:
    """Return the policy of this name.

    Raises:
        ConfigError: there is no such policy.
    """
    for policy in (STRICT, COMPATIBLE):
        if policy.name == name:
            return policy
    raise ConfigError(f"signature policy {name!r} is unknown; use STRICT or COMPATIBLE")
