"""The rows of the store as frozen records, and the records with which rows are made.

Signed bytes are not part of a row unless it says so: ask ``gateway.store.bodies`` for them by
their SHA-256.
"""

from gateway.store.rows.audit import Event, JournalEntry
from gateway.store.rows.batches import Batch, BatchLine, BatchStep, NewBatch
from gateway.store.rows.books import Balance, BookLine, NewBalance, Span
from gateway.store.rows.clients import ApiKey, NewApiKey, NewOrganisation, Organisation
from gateway.store.rows.directory import DirectoryEntry, NewDirectoryEntry
from gateway.store.rows.exchange import (
    Arrival,
    Attempt,
    AttemptOutcome,
    Claim,
    Dispatch,
    NewArrival,
    NewDispatch,
)
from gateway.store.rows.maintenance import Maintenance, NewMaintenance, PartInForce
from gateway.store.rows.peers import (
    Lane,
    NewCredential,
    Peer,
    PeerCredential,
    PeerCrl,
    PeerProfile,
    Sighting,
)
from gateway.store.rows.people import (
    ConsoleSession,
    Identity,
    Journey,
    NewConsoleSession,
    NewPerson,
    Person,
)
from gateway.store.rows.proposals import NewProposal, Proposal
from gateway.store.rows.register import (
    CertificateDelivery,
    CertificateItem,
    CertificateRow,
    NewCertificate,
    NewItem,
    ResponseItem,
    ResponseRow,
    SearchKey,
    UtilisationEntry,
)
from gateway.store.rows.telling import HookClaim, NewWebhook, Webhook

__all__ = [
    "ApiKey",
    "Arrival",
    "Attempt",
    "AttemptOutcome",
    "Balance",
    "Batch",
    "BatchLine",
    "BatchStep",
    "BookLine",
    "CertificateDelivery",
    "CertificateItem",
    "CertificateRow",
    "Claim",
    "ConsoleSession",
    "DirectoryEntry",
    "Dispatch",
    "Event",
    "HookClaim",
    "Identity",
    "JournalEntry",
    "Journey",
    "Lane",
    "Maintenance",
    "NewApiKey",
    "NewArrival",
    "NewBalance",
    "NewBatch",
    "NewCertificate",
    "NewConsoleSession",
    "NewCredential",
    "NewDirectoryEntry",
    "NewDispatch",
    "NewItem",
    "NewMaintenance",
    "NewOrganisation",
    "NewPerson",
    "NewProposal",
    "NewWebhook",
    "Organisation",
    "PartInForce",
    "Peer",
    "PeerCredential",
    "PeerCrl",
    "PeerProfile",
    "Person",
    "Proposal",
    "ResponseItem",
    "ResponseRow",
    "SearchKey",
    "Sighting",
    "Span",
    "UtilisationEntry",
    "Webhook",
]
