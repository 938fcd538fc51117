"""The one tree of errors that the gateway raises on purpose.

Every leaf carries a *wire code* (what a peer or national system reads in a SOAP fault or
problem document), an HTTP status, whether repeating the same request can help, and a
sentence for the operator.  Libraries' own exceptions are mapped to this tree where they
are called; none of them crosses a room's border.

::

    GatewayError
    ├── ConfigError             settings, keys, profiles or mapping files of our own
    │   ├── MappingError        a mapping table (names file and row)
    │   └── SigningKeyEndedError  a signing certificate of ours that is not valid now
    ├── InputError              what a caller handed us cannot be used
    │   ├── UnsafeXmlError, MalformedXmlError, TooLargeError, UnsupportedMediaError,
    │   ├── SchemaError, InvalidDocumentError (both carry findings),
    │   ├── MethodNotAllowedError, SoapVersionError, MustUnderstandError,
    │   ├── UnknownOperationError, NotFoundError, BackupDamagedError, BundleDamagedError,
    │   ├── ArchiveUnsafeError, WeakPasswordError, PictureRefusedError,
    │   ├── ConflictError (KeyReusedError, RequestInWorkError)
    ├── AccessError             who asks is not known here, or may not have this
    │   ├── NotAuthenticatedError (SignInError), NotPermittedError,
    │   ├── TokenKeysUnavailableError, ProviderUnavailableError, ProviderRefusedError,
    │   ├── JourneyLostError, IdTokenError (ProviderClockError), NotLinkedError,
    │   └── LocalAccountsOffError
    ├── TrustError              a signature or signing certificate does not hold
    │   ├── SignatureMissingError, SignatureShapeError, SignatureInvalidError,
    │   ├── AlgorithmNotAllowedError, SignerUntrustedError, SignerExpiredError,
    │   ├── SignerRevokedError, SignerKeyError, SignerNotRegisteredError,
    │   └── RevocationUnknownError
    ├── ExchangeError           the sender is known, but this message cannot be taken now
    │   ├── UnknownPeerError, NoRouteError, PeerSuspendedError, ClientCertificateError,
    │   ├── WrongReceiverError, SenderMismatchError, StaleMessageError,
    │   ├── FutureMessageError, DocumentTypeNotAgreedError, VersionNotSupportedError,
    │   ├── DigestMismatchError, MessageIdReusedError, TestFlagError, BusyError,
    │   ├── SlowDownError, CertificateAwaitedError
    ├── TransportError          an attempt to reach a peer gave no usable answer
    │   ├── UnreachableError (NameUnknownError), TimedOutError, TlsError, PeerFaultError,
    │   ├── BadAnswerError (HtmlAnswerError)
    ├── ReceiptError            the peer answered, but its receipt proves nothing
    └── InternalError           a fault of our own; stated to callers without particulars
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from gateway.documents.findings import Finding


class GatewayError(Exception):
    """Is the root of every error the gateway raises on purpose.

    Class attributes of each leaf: ``code`` (wire code), ``http_status``, ``retryable``
    (the same bytes may succeed later) and ``remedy`` (what an operator should do).
    """

    code: ClassVar[str] = "GATEWAY_ERROR"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    remedy: ClassVar[str] = "Read the journal entry of this message and report it to support."

    def __init__(self, detail: str, *, findings: Sequence[Finding] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.findings = tuple(findings)


class ConfigError(GatewayError):
    """Our own settings, keys, profiles or mapping files cannot be used."""

    code = "CONFIGURATION"
    remedy = "Correct the named file and section, then start again."


class SigningKeyEndedError(ConfigError):
    """A signing certificate of ours is not valid now, so nobody would believe what it signs."""

    code = "SIGNING_KEY_ENDED"
    http_status = 503
    retryable = True
    remedy = "Put the renewed certificate in its place, or set the clock of this host right."


class MappingError(ConfigError):
    """A mapping table is wrong; the detail names file and row."""

    code = "MAPPING"
    remedy = "Correct the named row of the mapping file."


class InputError(GatewayError):
    """What a caller handed over cannot be used."""

    code = "BAD_REQUEST"
    http_status = 400
    remedy = "Correct the request as described and send it again."


class UnsafeXmlError(InputError):
    """The XML uses a construct that this gateway never reads (DTD, comment, excess)."""

    code = "UNSAFE_XML"
    remedy = "Send plain XML: no DTD, comments or processing instructions, within the limits."


class MalformedXmlError(InputError):
    """The bytes are not well-formed XML in an accepted encoding."""

    code = "MALFORMED_XML"
    remedy = "Send well-formed XML 1.0 in UTF-8."


class TooLargeError(InputError):
    """The message is larger than the limit in force."""

    code = "TOO_LARGE"
    http_status = 413
    remedy = "Send a smaller message; attachments travel by digest."


class UnsupportedMediaError(InputError):
    """The content type is not one that this address accepts."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    http_status = 415
    remedy = "Send the content type named in the interface description."


class MethodNotAllowedError(InputError):
    """The address exists, but not for this HTTP method."""

    code = "METHOD_NOT_ALLOWED"
    http_status = 405
    remedy = "Use the method named in the interface description."


class SoapVersionError(InputError):
    """The SOAP envelope is of no version that this gateway speaks."""

    code = "SOAP_VERSION"
    remedy = "Send SOAP 1.1 or SOAP 1.2."


class MustUnderstandError(InputError):
    """A SOAP header demands to be understood, and this gateway reads none."""

    code = "MUST_UNDERSTAND"
    remedy = "Send no SOAP header blocks; security lives in the signed envelope."


class UnknownOperationError(InputError):
    """The SOAP body names no operation of this gateway."""

    code = "UNKNOWN_OPERATION"
    remedy = "Call an operation of the WSDL served at /soap?wsdl."


class SchemaError(InputError):
    """The document does not follow its message schema; carries findings."""

    code = "SCHEMA_INVALID"
    http_status = 422
    remedy = "Correct the elements named in the findings."


class InvalidDocumentError(InputError):
    """The document breaks shape or business rules; carries every finding."""

    code = "INVALID_DOCUMENT"
    http_status = 422
    remedy = "Correct what the findings name and submit again."


class WeakPasswordError(InputError):
    """A new password is too short, too long, or too easy to guess.

    Attributes:
        fault: which of them, as ``TOO_EASY``.
    """

    code = "WEAK_PASSWORD"
    http_status = 422
    remedy = "Take four or five words that do not belong together."

    def __init__(self, fault: str) -> None:
        super().__init__(f"the password is {fault.lower().replace('_', ' ')}")
        self.fault = fault


class PictureRefusedError(InputError):
    """A file is not taken as the picture of a stamp or signature.

    Attributes:
        fault: why, as ``NOT_A_PICTURE``.
    """

    code = "PICTURE_REFUSED"
    http_status = 422
    remedy = "Save the picture anew as plain PNG or JPEG, below 1 MB and four million pixels."

    def __init__(self, fault: str) -> None:
        super().__init__(f"the picture is {fault.lower().replace('_', ' ')}")
        self.fault = fault


class NotFoundError(InputError):
    """Nothing is stored under the name asked for."""

    code = "NOT_FOUND"
    http_status = 404
    remedy = "Check the name, number or date asked for."


class ConflictError(InputError):
    """What is asked contradicts what is stored."""

    code = "CONFLICT"
    http_status = 409
    remedy = "Read the present state before asking again."


class KeyReusedError(ConflictError):
    """The idempotency key was used before for another request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    http_status = 422
    remedy = "Give every request a key of its own; repeat one with the very same bytes."


class RequestInWorkError(ConflictError):
    """The request with this idempotency key is in work at this moment."""

    code = "REQUEST_IN_WORK"
    retryable = True
    remedy = "Repeat the same request a moment later; it gets the answer of the first."


class BackupDamagedError(InputError):
    """A backup is cut off, was changed, or does not hold what it says."""

    code = "BACKUP_DAMAGED"
    http_status = 422
    remedy = "Take another backup; keep this one aside to find out what changed it."


class BundleDamagedError(InputError):
    """A bundle file is cut off, was changed, or is not what its manifest says."""

    code = "BUNDLE_DAMAGED"
    http_status = 422
    remedy = "Ask the peer to export the bundle again; nothing of this one was taken."


class ArchiveUnsafeError(InputError):
    """A ZIP archive is damaged, or holds what this gateway never unpacks; carries findings."""

    code = "ARCHIVE_UNSAFE"
    http_status = 422
    remedy = "Pack plain files again: not encrypted, no archives, no paths, within the limits."


class AccessError(GatewayError):
    """Who asks is not known here, or may not have what is asked for."""

    code = "ACCESS"
    http_status = 403
    remedy = "Ask the operator of the gateway which key may do this."


class NotAuthenticatedError(AccessError):
    """The request carries no API key or token that holds."""

    code = "NOT_AUTHENTICATED"
    http_status = 401
    remedy = "Send `Authorization: Bearer` with a key that has neither ended nor been revoked."


class SignInError(NotAuthenticatedError):
    """Login, password or code do not belong together."""

    code = "SIGN_IN"
    remedy = "Try again; after five failures wait 15 minutes, or ask an administrator for a code."


class NotPermittedError(AccessError):
    """The key does not have the scope, or its organisation not the right, to do this."""

    code = "NOT_PERMITTED"
    remedy = "Use a key with the scope that the interface description names for this address."


class TokenKeysUnavailableError(AccessError):
    """The identity provider's keys are not known here, so no token can be verified."""

    code = "TOKEN_KEYS_UNAVAILABLE"
    http_status = 503
    retryable = True
    remedy = "Repeat the request later; the operator looks whether the provider can be reached."


class ProviderUnavailableError(AccessError):
    """The identity provider of the console gives no usable answer."""

    code = "PROVIDER_UNAVAILABLE"
    http_status = 503
    retryable = True
    remedy = "Try again later; the operator looks into the log, and at [console.oidc]."


class ProviderRefusedError(AccessError):
    """The identity provider did not sign the person in."""

    code = "PROVIDER_REFUSED"
    remedy = "Sign in again; who is refused again asks whoever looks after the provider."


class JourneyLostError(AccessError):
    """What comes back from the identity provider belongs to no sign-in begun in this browser."""

    code = "SIGN_IN_LOST"
    http_status = 400
    remedy = "Begin anew at /sign-in, in one window, within ten minutes and with cookies allowed."


class IdTokenError(AccessError):
    """What the identity provider states about the person does not hold."""

    code = "ID_TOKEN"
    http_status = 401
    remedy = "The operator looks into the log for the reason, and at [console.oidc]."


class ProviderClockError(IdTokenError):
    """What the identity provider states is out of date: one of the clocks is wrong."""

    code = "PROVIDER_CLOCK"
    remedy = "The operator compares the clocks of the gateway and of the identity provider."


class NotLinkedError(AccessError):
    """The identity provider knows the person, but no account that is open here is theirs."""

    code = "NOT_LINKED"
    remedy = "An administrator links the identity to an account (`eco user link`, *People*)."

    def __init__(self, detail: str, *, subject: str) -> None:
        super().__init__(detail)
        self.subject = subject


class LocalAccountsOffError(AccessError):
    """People sign in here through the identity provider, not with passwords of the gateway."""

    code = "LOCAL_ACCOUNTS_OFF"
    remedy = (
        "Sign in through the provider; the owner of the home can open a way (`eco user invite`)."
    )


class TrustError(GatewayError):
    """A signature or its signing certificate does not hold."""

    code = "SIGNATURE_UNTRUSTED"
    http_status = 403
    remedy = "Compare the signer with the certificates registered for this peer."


class SignatureMissingError(TrustError):
    """No signature stands where one is required."""

    code = "SIGNATURE_MISSING"
    remedy = "Sign the document; the signature is the last child of its root."


class SignatureShapeError(TrustError):
    """The signature has a shape that this profile does not read."""

    code = "SIGNATURE_SHAPE"
    remedy = "Sign with one enveloped reference to the whole document."


class SignatureInvalidError(TrustError):
    """Digest or signature value do not match the document."""

    code = "SIGNATURE_INVALID"
    remedy = "The bytes were changed after signing; send what was signed."


class AlgorithmNotAllowedError(TrustError):
    """A signature, digest, canonicalisation or transform algorithm is not listed."""

    code = "ALGORITHM_NOT_ALLOWED"
    remedy = "Use RSA-SHA256 or ECDSA-SHA256 with exclusive canonicalisation."


class SignerUntrustedError(TrustError):
    """The signing certificate does not chain to an anchor registered for this peer."""

    code = "SIGNER_UNTRUSTED"
    remedy = "Register the peer's issuing CA or signing certificate, or ask who signed."


class SignerExpiredError(TrustError):
    """The signing certificate was not valid at the time that counts."""

    code = "SIGNER_EXPIRED"
    remedy = "The signer must renew its certificate and sign again."


class SignerRevokedError(TrustError):
    """The signing certificate was revoked."""

    code = "SIGNER_REVOKED"
    remedy = "Treat what it signed after revocation as forged until the issuer explains."


class SignerKeyError(TrustError):
    """Key type, strength or usage of the signing certificate is not acceptable."""

    code = "SIGNER_KEY"
    remedy = "Use RSA of at least 2048 bits or ECDSA P-256/P-384 with digitalSignature usage."


class SignerNotRegisteredError(TrustError):
    """The signer is trusted, but not for this country, authority or role."""

    code = "SIGNER_NOT_REGISTERED"
    remedy = "Only certificates registered for a country may sign as that country."


class RevocationUnknownError(TrustError):
    """No fresh revocation list says whether the signing certificate still holds."""

    code = "REVOCATION_UNKNOWN"
    http_status = 503
    retryable = True
    remedy = "Fetch the current CRL of the issuing CA."


class ExchangeError(GatewayError):
    """A message of a peer cannot be taken as it stands."""

    code = "EXCHANGE"
    http_status = 422


class UnknownPeerError(ExchangeError):
    """The claimed sender is not a registered peer."""

    code = "UNKNOWN_PEER"
    http_status = 403
    remedy = "Register the peer with `eco peer add` after checking its papers."


class NoRouteError(ExchangeError):
    """No peer is registered for the state that needs the document."""

    code = "NO_ROUTE"
    remedy = (
        "Register that state's gateway with `eco peer add`; until then paper goes with the goods."
    )


class PeerSuspendedError(ExchangeError):
    """The sender is a registered peer that has been suspended."""

    code = "PEER_SUSPENDED"
    http_status = 403
    retryable = True
    remedy = "Agree with the other operator when exchange resumes."


class ClientCertificateError(ExchangeError):
    """The TLS client certificate is not bound to the peer that speaks."""

    code = "CLIENT_CERTIFICATE"
    http_status = 403
    remedy = "Present the TLS certificate registered for this peer."


class WrongReceiverError(ExchangeError):
    """The message is addressed to somebody else."""

    code = "WRONG_RECEIVER"
    remedy = "Check the peer's address and identifier."


class SenderMismatchError(ExchangeError):
    """Claimed sender, signer and TLS peer are not one and the same."""

    code = "SENDER_MISMATCH"
    http_status = 403
    remedy = "Each gateway speaks for itself only."


class StaleMessageError(ExchangeError):
    """The message was created longer ago than the time window allows."""

    code = "STALE_MESSAGE"
    remedy = "Check the sender's clock, or submit the document again."


class FutureMessageError(ExchangeError):
    """The message claims to have been created in the future."""

    code = "FUTURE_MESSAGE"
    retryable = True
    remedy = "Check both clocks; more than five minutes of skew is refused."


class DocumentTypeNotAgreedError(ExchangeError):
    """The document type is not agreed with this peer."""

    code = "DOCUMENT_TYPE_NOT_AGREED"
    remedy = "Add the document type to the peer's profile on both sides."


class VersionNotSupportedError(ExchangeError):
    """The major version of the message is not one that we read."""

    code = "VERSION_NOT_SUPPORTED"
    remedy = "Agree on a message version with the peer."


class DigestMismatchError(ExchangeError):
    """The payload does not have the digest that the envelope states."""

    code = "DIGEST_MISMATCH"
    remedy = "Send the stored envelope unchanged."


class MessageIdReusedError(ExchangeError):
    """The message id was used before for other content."""

    code = "MESSAGE_ID_REUSED"
    http_status = 409
    remedy = "Both operators must find out which of the two messages is genuine."


class TestFlagError(ExchangeError):
    """A test message reached a live gateway, or the other way round."""

    __test__ = False
    code = "TEST_FLAG"
    remedy = "Send test messages to test gateways only."


class CertificateAwaitedError(ExchangeError):
    """The certificate answered is lost here, and on its way back by reconciliation."""

    code = "CERTIFICATE_AWAITED"
    retryable = True
    remedy = "Repeat the same bytes later; nothing has been decided about the response."


class BusyError(ExchangeError):
    """The gateway cannot take the message at this moment."""

    code = "BUSY"
    http_status = 503
    retryable = True
    remedy = "Repeat the same bytes later."


class SlowDownError(ExchangeError):
    """A peer sends more than this gateway takes from one peer at a time.

    Attributes:
        retry_after: seconds until there is room again.
    """

    code = "SLOW_DOWN"
    http_status = 429
    retryable = True
    remedy = "Repeat the same bytes after the seconds that the answer names."

    def __init__(self, detail: str, *, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class TransportError(GatewayError):
    """An attempt to reach a peer gave no usable answer; the bytes may be sent again.

    Attributes:
        retry_after: seconds that the peer asked us to wait, where it did.
    """

    code = "TRANSPORT"
    http_status = 502
    retryable = True

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class UnreachableError(TransportError):
    """No connection could be made."""

    code = "UNREACHABLE"
    remedy = "Check address, firewall and whether the peer announced an outage."


class NameUnknownError(UnreachableError):
    """The peer's host name leads to no address."""

    code = "NAME_UNKNOWN"
    remedy = "Check the host name in the peer's address and the DNS of this host."


class TimedOutError(TransportError):
    """The peer did not answer within the time limit."""

    code = "TIMED_OUT"
    http_status = 504
    remedy = "Nothing to do at once: the same bytes are sent again."


class TlsError(TransportError):
    """The TLS handshake failed on either side."""

    code = "TLS"
    remedy = "Compare both TLS certificates with what each side has registered."


class PeerFaultError(TransportError):
    """The peer answered with a fault or problem document.

    Attributes:
        peer_code: the wire code that the peer stated, or ``HTTP_<status>``.
        peer_retryable: whether that code may pass on a later attempt.
    """

    code = "PEER_FAULT"
    remedy = "Read the peer's code; each has its own remedy in docs/errors.md."

    def __init__(
        self,
        detail: str,
        *,
        peer_code: str,
        peer_retryable: bool,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.peer_code = peer_code
        self.peer_retryable = peer_retryable


class BadAnswerError(TransportError):
    """The peer's answer is neither a receipt nor a fault."""

    code = "BAD_ANSWER"
    remedy = "Something else answers at the peer's address; ask its operator."


class HtmlAnswerError(BadAnswerError):
    """A page for people came back where a receipt should."""

    code = "HTML_ANSWER"
    remedy = "A proxy, portal or firewall answers in the peer's place; ask both network operators."


class ReceiptError(GatewayError):
    """The peer's receipt is unsigned, foreign or about another message."""

    code = "RECEIPT_INVALID"
    http_status = 502
    retryable = True
    remedy = "Do not treat the message as delivered; ask the peer for the right receipt."


class InternalError(GatewayError):
    """The gateway failed on its own account; its log holds the particulars by id.

    Attributes:
        instance: the id under which the log holds them.
    """

    code = "INTERNAL"
    http_status = 500
    retryable = True
    remedy = "Repeat the same bytes later; quote the id of the answer to the operator."

    def __init__(self, detail: str, *, instance: str | None = None) -> None:
        super().__init__(detail)
        self.instance = instance


def all_error_types() -> tuple[type[GatewayError], ...]:
    """Return every class of the tree, parents first."""
    found: list[type[GatewayError]] = [GatewayError]
    for cls in found:
        found.extend(cls.__subclasses__())
    return tuple(found)


def error_for_code(code: str) -> type[GatewayError] | None:
    """Return the error class that carries this wire code, or None for a foreign code."""
    return next((cls for cls in all_error_types() if cls.code == code), None)
