"""The calls about reference, with their answers.

Written by ``make docs`` from the route table; change that, not this module.
"""

from __future__ import annotations

from datetime import date, datetime

from gateway.client.api.shared import ReceiverView
from gateway.client.calls import Calls, step
from gateway.client.views import Known, View
from gateway.documents.codes import CertificateKind, Language, Severity
from gateway.documents.findings import LocalisedText


class CodeListSummary(View):
    """Is a code list without its values.

    Attributes:
        unknown: what a value outside the list does to a document.
    """

    id: str
    title: str
    edition: str
    agency: str
    source: str
    unknown: Known[Severity]
    values: int


class CodeListsAnswer(View):
    """Is the list of code lists."""

    code_lists: tuple[CodeListSummary, ...]


class CodeView(View):
    """Is one value of a code list; a name is null where the list has none in that language."""

    code: str
    names: dict[Language, str]
    valid_from: date | None
    valid_to: date | None
    attributes: dict[str, str]


class CodeListView(CodeListSummary):
    """Is a code list with its values."""

    codes: tuple[CodeView, ...]


class MemberView(View):
    """Is a member state of an agreement."""

    country: str
    since: date | None
    until: date | None
    preference: str


class NamedCode(View):
    """Is a code with its name in three languages."""

    code: str
    name: LocalisedText


class AgreementView(View):
    """Is an agreement that is in force at this gateway.

    Attributes:
        boxes: boxes of the paper form, as findings name them.
        serial_number, registration_number: an example of each.
    """

    id: str
    version: str
    name: LocalisedText
    active_from: date
    active_until: date | None
    members: tuple[MemberView, ...]
    kinds: tuple[Known[CertificateKind], ...]
    criteria: tuple[NamedCode, ...]
    boxes: tuple[NamedCode, ...]
    serial_number: str
    registration_number: str
    validity_months: int
    partial_use: bool


class AgreementsAnswer(View):
    """Is the list of agreements in force here."""

    agreements: tuple[AgreementView, ...]


class PeersAnswer(View):
    """Is the list of peers, with what each accepts."""

    peers: tuple[ReceiverView, ...]


class MaintenanceView(View):
    """Is one announced maintenance as national systems see it.

    Attributes:
        gateway: which gateway may not answer meanwhile.
        own: it is the one that was asked.
        note: why, by language; not every language need be there.
        under_way: it has begun.
    """

    gateway: str
    own: bool
    begins_at: datetime
    ends_at: datetime
    note: dict[str, str]
    under_way: bool


class MaintenanceAnswer(View):
    """Is the list of announced maintenance that has not ended, ours and the peers'."""

    maintenance: tuple[MaintenanceView, ...]


class FormatView(View):
    """Is a form in which documents may be handed over."""

    name: str
    media_type: str
    label: LocalisedText


class FormatsAnswer(View):
    """Is the list of national formats."""

    formats: tuple[FormatView, ...]


class ReferenceCalls(Calls):
    """Makes the calls about reference."""

    def list_code_lists(self) -> CodeListsAnswer:
        """Return every code list without its values.

        GET /code-lists, with the scope reference:read.
        """
        return self._get(CodeListsAnswer, "/code-lists")

    def get_code_list(self, id: str, *, on: date | None = None) -> CodeListView:
        """Return one code list with its values.

        GET /code-lists/{id}, with the scope reference:read.
        """
        return self._get(CodeListView, f"/code-lists/{step(id)}", {"on": on})

    def list_agreements(self) -> AgreementsAnswer:
        """Return the agreements in force here.

        GET /agreements, with the scope reference:read.
        """
        return self._get(AgreementsAnswer, "/agreements")

    def get_agreement(self, id: str) -> AgreementView:
        """Return one agreement.

        GET /agreements/{id}, with the scope reference:read.
        """
        return self._get(AgreementView, f"/agreements/{step(id)}")

    def list_peers(self) -> PeersAnswer:
        """Return the peers and what each accepts.

        GET /peers, with the scope reference:read.
        """
        return self._get(PeersAnswer, "/peers")

    def list_maintenance(self) -> MaintenanceAnswer:
        """Return the announced maintenance that has not ended.

        GET /maintenance, with the scope reference:read.
        """
        return self._get(MaintenanceAnswer, "/maintenance")

    def list_formats(self) -> FormatsAnswer:
        """Return the national formats in which documents may be handed over.

        GET /formats, with the scope reference:read.
        """
        return self._get(FormatsAnswer, "/formats")
