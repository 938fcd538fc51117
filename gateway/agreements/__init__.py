"""Agreement profiles (data) and the business rules that judge documents by them.

A profile says what an agreement demands; the rules say how that is judged.  Nothing here
reads a clock, a database or a socket: what a rule may know beside the document comes as facts.
"""

from gateway.agreements.engine import check, check_at_each
from gateway.agreements.facts import (
    Facts,
    KnownCertificate,
    KnownItem,
    Point,
    RegisterFacts,
    RegistryFacts,
    SignatureFacts,
    SpecimenMatch,
    WireFacts,
)
from gateway.agreements.parts import Basis, BoxField, Preference, Use
from gateway.agreements.profile import Agreement, Level, load_agreements

__all__ = [
    "Agreement",
    "Basis",
    "BoxField",
    "Facts",
    "KnownCertificate",
    "KnownItem",
    "Level",
    "Point",
    "Preference",
    "RegisterFacts",
    "RegistryFacts",
    "SignatureFacts",
    "SpecimenMatch",
    "Use",
    "WireFacts",
    "check",
    "check_at_each",
    "load_agreements",
]
