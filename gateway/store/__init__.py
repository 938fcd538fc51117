"""The store: tables, named queries and migrations on SQLite and PostgreSQL.

Everything durable is here and only here.  A transaction comes from ``Store.begin()`` (writes)
or ``Store.read()``; every query is a function whose first argument is that connection::

    with store.begin() as conn:
        outbox.enqueue(conn, NewDispatch(...))          # bodies, row and journal at once
    with store.begin() as conn:
        claims = outbox.claim_due(conn, "worker-1", now, lease_seconds=120, limit=10, per_peer=1)
    ...                                                 # send, outside any transaction
    with store.begin() as conn:
        outbox.record_attempt(conn, claim, AttemptOutcome(...))   # ConflictError if stale

    with store.begin() as conn:
        earlier = inbox.reserve(conn, peer_id, message_id)        # Arrival | None
        ...                                             # register steps, receipt
        inbox.record_arrival(conn, NewArrival(...))

Journal and events appended in a transaction are chained just before its commit.
"""

from gateway.store import (
    alerts,
    balances,
    bodies,
    certificates,
    events,
    idempotency,
    inbox,
    journal,
    measures,
    notices,
    outages,
    outbox,
    peers,
    tallies,
    tasks,
    utilisation,
    watch_marks,
)
from gateway.store.delivery import DeliveryEvent
from gateway.store.engine import Store
from gateway.store.keys import canonical_key, digest
from gateway.store.rows import (
    Arrival,
    Attempt,
    AttemptOutcome,
    Balance,
    BookLine,
    CertificateDelivery,
    CertificateItem,
    CertificateRow,
    Claim,
    Dispatch,
    Event,
    JournalEntry,
    Lane,
    NewArrival,
    NewBalance,
    NewCredential,
    NewDispatch,
    Peer,
    PeerCredential,
    PeerCrl,
    PeerProfile,
    ResponseItem,
    ResponseRow,
    Span,
    UtilisationEntry,
)
from gateway.store.rows.operations import Alert, EndedAttempt, Mark, Notice, Outage, QueueCount
from gateway.store.states import (
    AlertLevel,
    AlertState,
    AlgorithmLevel,
    BalanceState,
    BooksSide,
    CredentialUse,
    DeliveryRole,
    DeliveryState,
    EntryKind,
    EventKind,
    ExchangeState,
    ImportState,
    IssueState,
    JournalAction,
    NoticeKind,
    NoticeState,
    PeerChannel,
    PeerState,
    ResponseStanding,
    RevocationLevel,
    Side,
)

__all__ = [
    "Alert",
    "AlertLevel",
    "AlertState",
    "AlgorithmLevel",
    "Arrival",
    "Attempt",
    "AttemptOutcome",
    "Balance",
    "BalanceState",
    "BookLine",
    "BooksSide",
    "CertificateDelivery",
    "CertificateItem",
    "CertificateRow",
    "Claim",
    "CredentialUse",
    "DeliveryEvent",
    "DeliveryRole",
    "DeliveryState",
    "Dispatch",
    "EndedAttempt",
    "EntryKind",
    "Event",
    "EventKind",
    "ExchangeState",
    "ImportState",
    "IssueState",
    "JournalAction",
    "JournalEntry",
    "Lane",
    "Mark",
    "NewArrival",
    "NewBalance",
    "NewCredential",
    "NewDispatch",
    "Notice",
    "NoticeKind",
    "NoticeState",
    "Outage",
    "Peer",
    "PeerChannel",
    "PeerCredential",
    "PeerCrl",
    "PeerProfile",
    "PeerState",
    "QueueCount",
    "ResponseItem",
    "ResponseRow",
    "ResponseStanding",
    "RevocationLevel",
    "Side",
    "Span",
    "Store",
    "UtilisationEntry",
    "alerts",
    "balances",
    "bodies",
    "canonical_key",
    "certificates",
    "digest",
    "events",
    "idempotency",
    "inbox",
    "journal",
    "measures",
    "notices",
    "outages",
    "outbox",
    "peers",
    "tallies",
    "tasks",
    "utilisation",
    "watch_marks",
]
