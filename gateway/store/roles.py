"""Vocabularies of organisations, their people and the directory of authorities."""

from __future__ import annotations

from enum import StrEnum


class OrganisationKind(StrEnum):
    """Says in which role an organisation of the national side uses this gateway."""

    ISSUING_AUTHORITY = "ISSUING_AUTHORITY"
    CUSTOMS = "CUSTOMS"
    SINGLE_WINDOW = "SINGLE_WINDOW"
    AUDITOR = "AUDITOR"


class OrganisationState(StrEnum):
    """Says whether the keys of an organisation open anything."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class PersonRole(StrEnum):
    """Names what a person does at the console; each role has its rights.

    Source: S4:13.1; the table of roles and rights.
    """

    ISSUING_OFFICER = "ISSUING_OFFICER"
    ISSUING_ADMINISTRATOR = "ISSUING_ADMINISTRATOR"
    CUSTOMS_OFFICER = "CUSTOMS_OFFICER"
    ORIGIN_UNIT = "ORIGIN_UNIT"
    OPERATOR = "OPERATOR"
    AUDITOR = "AUDITOR"
    SECRETARIAT = "SECRETARIAT"


class PersonState(StrEnum):
    """Names whether a person may sign in."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class ProposalState(StrEnum):
    """Is how far a decision that takes a second person has come."""

    OPEN = "OPEN"
    CONFIRMED = "CONFIRMED"
    RETURNED = "RETURNED"


class DirectoryKind(StrEnum):
    """Says what an entry of the directory of authorities is about."""

    OFFICE = "OFFICE"
    STAMP = "STAMP"
    SIGNATURE = "SIGNATURE"


class Duty(StrEnum):
    """Says what an authority in the directory does."""

    ISSUING = "ISSUING"
    CUSTOMS = "CUSTOMS"
