"""Every table of the store; no query stands here."""

from gateway.store.tables.audit import (
    chain_heads,
    events,
    idempotency_keys,
    journal,
    scheduled_tasks,
)
from gateway.store.tables.base import metadata
from gateway.store.tables.batches import batch_lines, batch_pieces, batches
from gateway.store.tables.books import balances
from gateway.store.tables.bundles import bundle_members
from gateway.store.tables.clients import api_keys, organisations, search_keys
from gateway.store.tables.directory import directory_entries
from gateway.store.tables.exchange import arrivals, attempts, bodies, dispatches
from gateway.store.tables.files import hand_overs
from gateway.store.tables.keeping import erased_bodies, erasures, legal_holds
from gateway.store.tables.maintenance import maintenance, parts_in_force
from gateway.store.tables.operations import alert_notices, alerts, outages, tallies, watch_marks
from gateway.store.tables.peers import lanes, peer_credentials, peer_crls, peer_sightings, peers
from gateway.store.tables.people import (
    console_sessions,
    identities,
    one_time_codes,
    people,
    provider_journeys,
    sign_in_failures,
)
from gateway.store.tables.proposals import decision_proposals
from gateway.store.tables.register import (
    certificate_deliveries,
    certificate_items,
    certificates,
    responses,
    utilisation_entries,
)
from gateway.store.tables.reports import (
    report_certificates,
    report_counts,
    report_failures,
    report_groups,
)
from gateway.store.tables.telling import event_readers, webhook_deliveries, webhooks

__all__ = [
    "alert_notices",
    "alerts",
    "api_keys",
    "arrivals",
    "attempts",
    "balances",
    "batch_lines",
    "batch_pieces",
    "batches",
    "bodies",
    "bundle_members",
    "certificate_deliveries",
    "certificate_items",
    "certificates",
    "chain_heads",
    "console_sessions",
    "decision_proposals",
    "directory_entries",
    "dispatches",
    "erased_bodies",
    "erasures",
    "event_readers",
    "events",
    "hand_overs",
    "idempotency_keys",
    "identities",
    "journal",
    "lanes",
    "legal_holds",
    "maintenance",
    "metadata",
    "one_time_codes",
    "organisations",
    "outages",
    "parts_in_force",
    "peer_credentials",
    "peer_crls",
    "peer_sightings",
    "peers",
    "people",
    "provider_journeys",
    "report_certificates",
    "report_counts",
    "report_failures",
    "report_groups",
    "responses",
    "scheduled_tasks",
    "search_keys",
    "sign_in_failures",
    "tallies",
    "utilisation_entries",
    "watch_marks",
    "webhook_deliveries",
    "webhooks",
]
