"""The closed vocabularies of the store: every value here is guarded by a CHECK constraint.

What may follow what is not said here: deliveries have their table in
``gateway.store.delivery``, certificates in ``gateway.register.states``.
"""

from __future__ import annotations

from enum import StrEnum


class PeerState(StrEnum):
    """Says whether we exchange messages with a peer."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class PeerChannel(StrEnum):
    """Names the channel on which a peer wants to be reached.

    COLLECT: it cannot be called; it fetches what waits for it and confirms with receipts.
    """

    SOAP = "SOAP"
    REST = "REST"
    COLLECT = "COLLECT"


class AlgorithmLevel(StrEnum):
    """Names the signature policy that a peer's messages are verified with."""

    STRICT = "STRICT"
    COMPATIBLE = "COMPATIBLE"


class RevocationLevel(StrEnum):
    """Says what happens when no fresh revocation list covers a peer's signer."""

    REQUIRE = "REQUIRE"
    WHEN_KNOWN = "WHEN_KNOWN"


class CredentialUse(StrEnum):
    """Says what an X.509 certificate registered for a peer is good for."""

    TLS = "TLS"
    SIGNER = "SIGNER"
    ANCHOR = "ANCHOR"
    SERVER_CA = "SERVER_CA"


class DeliveryState(StrEnum):
    """Is how far one dispatch has come."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    RETRYING = "RETRYING"
    HELD = "HELD"
    DELIVERED = "DELIVERED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """Whether only an operator's resend can follow."""
        return self in FINAL_DELIVERY_STATES


FINAL_DELIVERY_STATES = frozenset(
    {DeliveryState.DELIVERED, DeliveryState.REFUSED, DeliveryState.FAILED}
)


class BundleKind(StrEnum):
    """Names what a member of a bundle file is."""

    ENVELOPE = "ENVELOPE"
    RECEIPT = "RECEIPT"


class BooksSide(StrEnum):
    """Says whose messages a balance is about: ours, or the peer's."""

    SENT = "SENT"
    RECEIVED = "RECEIVED"


class BalanceState(StrEnum):
    """Is how far both books agree about one part of one day."""

    STATED = "STATED"
    DIFFERENT = "DIFFERENT"
    AGREED = "AGREED"
    ASKS_PERSON = "ASKS_PERSON"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens by itself."""
        return self in (BalanceState.AGREED, BalanceState.ASKS_PERSON)


class Side(StrEnum):
    """Says on which side of a certificate of origin we stand."""

    ISSUED = "ISSUED"
    RECEIVED = "RECEIVED"


class IssueState(StrEnum):
    """Is the state of a certificate of origin at its issuing side (domain.md 4.1, after issue).

    CANCELLING and REPLACING last until every peer that holds the certificate has answered.
    """

    ISSUED = "ISSUED"
    CANCELLING = "CANCELLING"
    REPLACING = "REPLACING"
    CANCELLED = "CANCELLED"
    REPLACED = "REPLACED"
    EXPIRED = "EXPIRED"


class ExchangeState(StrEnum):
    """Is how far an issued certificate of origin has come at one destination (4.2)."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    RECEIVED = "RECEIVED"
    REFUSED_BY_PEER = "REFUSED_BY_PEER"
    UNDELIVERABLE = "UNDELIVERABLE"


class DeliveryRole(StrEnum):
    """Says what a message does for the certificate: carry it, or ask to end it."""

    DOCUMENT = "DOCUMENT"
    ENDING = "ENDING"


class ImportState(StrEnum):
    """Is the state of a certificate of origin at its importing side (4.3)."""

    RECEIVED = "RECEIVED"
    AVAILABLE = "AVAILABLE"
    PRESENTED = "PRESENTED"
    ACCEPTED = "ACCEPTED"
    ACCEPTED_MINOR = "ACCEPTED_MINOR"
    UNDER_VERIFICATION = "UNDER_VERIFICATION"
    PENDING = "PENDING"
    PARTIALLY_UTILISED = "PARTIALLY_UTILISED"
    UTILISED = "UTILISED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    CANCELLED = "CANCELLED"
    REPLACED = "REPLACED"
    EXPIRED = "EXPIRED"


class ResponseStanding(StrEnum):
    """Says what a stored customs response counts for.

    DRAWN: sequence and totals are taken, the signed document is not yet attached.
    """

    DRAWN = "DRAWN"
    SENT = "SENT"
    APPLIED = "APPLIED"
    LATE = "LATE"
    CONTRADICTING = "CONTRADICTING"


class EntryKind(StrEnum):
    """Says why the total of a goods item changed."""

    USE = "USE"
    REEXPORT = "REEXPORT"
    REVERSAL = "REVERSAL"


class JournalAction(StrEnum):
    """Names what was done, as ``subject:deed``; each has a sentence on the console."""

    PEER_ADDED = "peer:added"
    PEER_CHANGED = "peer:changed"
    PEER_SUSPENDED = "peer:suspended"
    PEER_RESUMED = "peer:resumed"
    CREDENTIAL_ADDED = "credential:added"
    CREDENTIAL_ENDED = "credential:ended"
    CRL_STORED = "crl:stored"
    DISPATCH_QUEUED = "dispatch:queued"
    DISPATCH_ATTEMPTED = "dispatch:attempted"
    DISPATCH_HELD = "dispatch:held"
    DISPATCH_RELEASED = "dispatch:released"
    DISPATCH_RESENT = "dispatch:resent"
    DISPATCH_RECONCILED = "dispatch:reconciled"
    DISPATCH_PROVED = "dispatch:proved"
    DISPATCH_CONTRADICTED = "dispatch:contradicted"
    DISPATCH_EXPORTED = "dispatch:exported"
    BUNDLE_EXPORTED = "bundle:exported"
    BUNDLE_IMPORTED = "bundle:imported"
    ARRIVAL_ACCEPTED = "arrival:accepted"
    ARRIVAL_REFUSED = "arrival:refused"
    ARRIVAL_REPEATED = "arrival:repeated"
    ARRIVAL_TURNED_AWAY = "arrival:turned-away"
    CERTIFICATE_ISSUED = "certificate:issued"
    CERTIFICATE_RECEIVED = "certificate:received"
    CERTIFICATE_STATE = "certificate:state"
    CERTIFICATE_DELIVERY = "certificate:delivery"
    UTILISATION_DRAWN = "utilisation:drawn"
    UTILISATION_REEXPORTED = "utilisation:reexported"
    UTILISATION_FLAGGED = "utilisation:flagged"
    RESPONSE_SENT = "response:sent"
    RESPONSE_RECEIVED = "response:received"
    UTILISATION_CORRECTED = "utilisation:corrected"
    RESPONSE_RECOVERED = "response:recovered"
    BOOKS_STATED = "books:stated"
    BOOKS_ANSWERED = "books:answered"
    BOOKS_AGREED = "books:agreed"
    BOOKS_DIFFER = "books:differ"
    BOOKS_CORRECTED = "books:corrected"
    DOCUMENT_MAPPED = "document:mapped"
    DOCUMENT_VIEWED = "document:viewed"
    BACKUP_MADE = "backup:made"
    BACKUP_RESTORED = "backup:restored"
    HOLD_PLACED = "hold:placed"
    HOLD_LIFTED = "hold:lifted"
    RETENTION_ERASED = "retention:erased"
    USER_ACTION = "user:action"
    SYSTEM_EVENT = "system:event"
    OUTAGE_OPENED = "outage:opened"
    OUTAGE_CLOSED = "outage:closed"
    ALERT_ACKNOWLEDGED = "alert:acknowledged"
    ORGANISATION_ADDED = "organisation:added"
    ORGANISATION_CHANGED = "organisation:changed"
    API_KEY_MADE = "api-key:made"
    API_KEY_REVOKED = "api-key:revoked"
    API_SUBMITTED = "api:submitted"
    API_DECIDED = "api:decided"
    WEBHOOK_ADDED = "webhook:added"
    WEBHOOK_CHANGED = "webhook:changed"
    WEBHOOK_REMOVED = "webhook:removed"
    BATCH_TAKEN = "batch:taken"
    BATCH_ENDED = "batch:ended"
    BATCH_CANCELLED = "batch:cancelled"
    PERSON_ADDED = "person:added"
    PERSON_CHANGED = "person:changed"
    PERSON_INVITED = "person:invited"
    PERSON_SIGNED_IN = "person:signed-in"
    PERSON_SIGNED_OUT = "person:signed-out"
    PERSON_TURNED_AWAY = "person:turned-away"
    PERSON_LINKED = "person:linked"
    PERSON_UNLINKED = "person:unlinked"
    PASSWORD_SET = "person:password-set"  # noqa: S105
    SECOND_FACTOR_SET = "person:second-factor-set"
    RECOVERY_CODE_USED = "person:recovery-code-used"
    DECISION_PROPOSED = "decision:proposed"
    DECISION_CONFIRMED = "decision:confirmed"
    DECISION_RETURNED = "decision:returned"
    MAINTENANCE_ANNOUNCED = "maintenance:announced"
    MAINTENANCE_ENDED = "maintenance:ended"
    PART_IN_FORCE = "part:in-force"
    DIRECTORY_ENTERED = "directory:entered"
    DIRECTORY_EXPORTED = "directory:exported"
    DIRECTORY_IMPORTED = "directory:imported"


class EventKind(StrEnum):
    """Names what the national system is told."""

    MESSAGE_DELIVERED = "MESSAGE_DELIVERED"
    MESSAGE_REFUSED = "MESSAGE_REFUSED"
    MESSAGE_FAILED = "MESSAGE_FAILED"
    MESSAGE_HELD = "MESSAGE_HELD"
    MESSAGE_QUEUED_AGAIN = "MESSAGE_QUEUED_AGAIN"
    CERTIFICATE_AVAILABLE = "CERTIFICATE_AVAILABLE"
    CERTIFICATE_CHANGED = "CERTIFICATE_CHANGED"
    CERTIFICATE_CANCELLED = "CERTIFICATE_CANCELLED"
    CERTIFICATE_REPLACED = "CERTIFICATE_REPLACED"
    CERTIFICATE_EXPIRED = "CERTIFICATE_EXPIRED"
    DOCUMENT_REFUSED = "DOCUMENT_REFUSED"
    RESPONSE_RECEIVED = "RESPONSE_RECEIVED"
    RESPONSE_RECOVERED = "RESPONSE_RECOVERED"
    UTILISATION_CHANGED = "UTILISATION_CHANGED"
    OVER_USE = "OVER_USE"
    OVER_USE_ATTEMPTED = "OVER_USE_ATTEMPTED"
    CONTRADICTION = "CONTRADICTION"
    GAP = "GAP"
    SERIAL_REUSED = "SERIAL_REUSED"
    MESSAGE_ID_REUSED = "MESSAGE_ID_REUSED"
    BOOKS_AGREED = "BOOKS_AGREED"
    BOOKS_DIFFER = "BOOKS_DIFFER"
    BOOKS_ASK_PERSON = "BOOKS_ASK_PERSON"
    BOOKS_RESTORED = "BOOKS_RESTORED"
    PEER_SILENT = "PEER_SILENT"
    PEER_BACK = "PEER_BACK"
    PEER_SUSPENDED = "PEER_SUSPENDED"
    PEER_RESUMED = "PEER_RESUMED"
    MAINTENANCE_ANNOUNCED = "MAINTENANCE_ANNOUNCED"
    MAINTENANCE_ENDED = "MAINTENANCE_ENDED"
    WEBHOOK_STOPPED = "WEBHOOK_STOPPED"


class EventCircle(StrEnum):
    """Says who is told of an event: those a certificate concerns, everybody, or operators."""

    ISSUED = "ISSUED"
    RECEIVED = "RECEIVED"
    EVERYBODY = "EVERYBODY"
    OPERATORS = "OPERATORS"


class WebhookState(StrEnum):
    """Says whether a webhook is told: by its owner's will, or stopped because it never took."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    STOPPED = "STOPPED"


class SearchField(StrEnum):
    """Names the business keys by which certificates of origin are found.

    HS holds every prefix of two digits and more; ROUTE is issuing and destination country.
    """

    SERIAL = "SERIAL"
    EXPORTER = "EXPORTER"
    CONSIGNEE = "CONSIGNEE"
    INVOICE = "INVOICE"
    DECLARATION = "DECLARATION"
    HS = "HS"
    AUTHORITY = "AUTHORITY"
    ROUTE = "ROUTE"


PERSONAL_FIELDS = frozenset(
    {
        SearchField.EXPORTER,
        SearchField.CONSIGNEE,
        SearchField.INVOICE,
        SearchField.DECLARATION,
    }
)
"""What retention takes out of the index together with the names in the rows."""


class HoldScope(StrEnum):
    """Says what a legal hold covers."""

    SERIAL = "SERIAL"
    CONVERSATION = "CONVERSATION"
    PEER = "PEER"


class ErasedKind(StrEnum):
    """Names the rows whose content retention has erased."""

    CERTIFICATE = "CERTIFICATE"
    DISPATCH = "DISPATCH"
    ARRIVAL = "ARRIVAL"


class AlertLevel(StrEnum):
    """Says how soon a person must act on an alert."""

    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        """The urgency as a number; more is more urgent."""
        return list(AlertLevel).index(self)


class AlertState(StrEnum):
    """Is how far an alert has come: a live one is OPEN or ACKNOWLEDGED."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    CLEARED = "CLEARED"


class NoticeKind(StrEnum):
    """Says why a recipient is told of an alert."""

    RAISED = "RAISED"
    WORSE = "WORSE"
    REMINDER = "REMINDER"
    CLEARED = "CLEARED"


class NoticeState(StrEnum):
    """Is how far one notice has come on its way to one recipient."""

    PENDING = "PENDING"
    SENT = "SENT"
    FAILED = "FAILED"
