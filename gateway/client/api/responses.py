"""The calls about responses, with their answers.

Written by ``make docs`` from the route table; change that, not this module.
"""

from __future__ import annotations

from datetime import date, datetime

from gateway.client.api.shared import TakenAnswer
from gateway.client.calls import Calls, step
from gateway.documents.base import Quantity, Record
from gateway.documents.codes import Language, UtilisationStatus
from gateway.documents.customs_response import Declaration, Officer, Reason, Security
from gateway.documents.parties import Authority


class WriteOff(Record):
    """Is the quantity of one goods item that customs writes off now."""

    number: int
    quantity: Quantity


class CustomsDecisionForm(Record):
    """Is what the national system says about one decision of customs on a known certificate.

    Attributes:
        reference: the customs system's own key of this decision; saying it again repeats
            the answer and writes nothing off twice.
        items: for PARTIAL and FULL; FULL without items writes off all that remains.
        exceptional: use after the end of validity is granted (V73).
    """

    status: UtilisationStatus
    reference: str
    decided_at: datetime
    language: Language = Language.ENGLISH
    customs_authority: Authority
    officer: Officer
    items: tuple[WriteOff, ...] = ()
    reasons: tuple[Reason, ...] = ()
    declaration: Declaration | None = None
    security: Security | None = None
    remarks: str | None = None
    exceptional: bool = False


class CustomsAction(CustomsDecisionForm):
    """Is a decision of customs with the certificate it is about (JSON of `eco respond`)."""

    issuing_country: str
    serial_number: str
    issued_on: date | None = None


class ResponsesCalls(Calls):
    """Makes the calls about responses."""

    def submit_response(
        self, content: CustomsAction, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> TakenAnswer:
        """Take one decision of customs, with the certificate it is about.

        POST /responses, with the scope responses:submit.
        """
        return self._post(
            TakenAnswer,
            "/responses",
            content,
            query={"dry_run": dry_run},
            idempotency_key=idempotency_key,
            keyed=True,
        )

    def respond_to_certificate(
        self,
        country: str,
        serial: str,
        content: CustomsDecisionForm,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> TakenAnswer:
        """Take one decision of customs about the certificate that the address names.

        POST /certificates/{country}/{serial}/responses, with the scope responses:submit.
        """
        return self._post(
            TakenAnswer,
            f"/certificates/{step(country)}/{step(serial)}/responses",
            content,
            query={"dry_run": dry_run},
            idempotency_key=idempotency_key,
            keyed=True,
        )
