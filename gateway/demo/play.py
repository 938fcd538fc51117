"""The play: consignments are submitted, cross the border, are used, and their issuer learns.

Submission and customs decisions go through the same functions as ``eco submit`` and
``eco respond``; delivery is done by the running worker processes over mutual TLS.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from gateway.app import Gateway
from gateway.demo.cast import actor_of
from gateway.demo.manifest import Consignment, CustomsAction
from gateway.demo.stage import Stage
from gateway.documents import Finding, UtilisationStatus, Verdict
from gateway.documents.base import Quantity
from gateway.documents.customs_response import Declaration, Reason
from gateway.errors import ConflictError, GatewayError, TimedOutError
from gateway.exchange.outbound import submit_document
from gateway.exchange.receipts import to_minute
from gateway.exchange.responding import CustomsAction as Decision
from gateway.exchange.responding import WriteOff, respond
from gateway.exchange.trust_findings import finding_of
from gateway.store import Dispatch, Side, certificates, outbox

PATIENCE_SECONDS = 60.0
_GLANCE_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Is one customs decision as it came out."""

    action: CustomsAction
    refused: tuple[Finding, ...] = ()
    delivered: bool = False


@dataclass(kw_only=True)
class Scene:
    """Is one consignment and what really became of it.

    Attributes:
        used: written off by goods item at the importing and at the issuing side.
    """

    consignment: Consignment
    serial: str
    findings: tuple[Finding, ...] = ()
    message_id: str | None = None
    verdict: Verdict | None = None
    verdict_detail: str | None = None
    deeds: list[Deed] = field(default_factory=list)
    imported: Usage | None = None
    issued: Usage | None = None
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Is how far one side's books say that a certificate has been used."""

    status: UtilisationStatus | None
    used: dict[int, Decimal]
    certified: dict[int, Decimal]

    @property
    def share(self) -> Decimal:
        """The part of everything certified that is used, between 0 and 1."""
        total = sum(self.certified.values())
        return sum(self.used.values()) / total if total else Decimal(0)


def perform(stage: Stage, consignments: tuple[Consignment, ...], now: datetime) -> Iterator[Scene]:
    """Yield each consignment's scene as soon as it is over."""
    for consignment in consignments:
        started = time.monotonic()
        scene = _submitted(stage, consignment, now)
        if scene.message_id is not None:
            _await_verdict(stage, scene)
            _let_customs_act(stage, scene)
            _compare_books(stage, scene)
        scene.seconds = time.monotonic() - started
        yield scene


def _submitted(stage: Stage, consignment: Consignment, now: datetime) -> Scene:
    gateway = stage.gateways[consignment.sender]
    reading = consignment.reading(now)
    scene = Scene(
        consignment=consignment,
        serial=consignment.serial_number(now),
        findings=tuple(reading.findings),
    )
    if reading.document is None:
        return scene
    try:
        submission = submit_document(gateway.desk, reading.document, mapping=consignment.mapping)
    except GatewayError as exc:
        scene.findings += exc.findings or (finding_of(exc),)
        return scene
    scene.findings += submission.findings
    scene.message_id = submission.message_id
    return scene


def _await_verdict(stage: Stage, scene: Scene) -> None:
    dispatch = await_final(stage.gateways[scene.consignment.sender], scene.message_id or "")
    scene.verdict = dispatch.verdict
    scene.verdict_detail = dispatch.detail


def _let_customs_act(stage: Stage, scene: Scene) -> None:
    importer = stage.gateways[scene.consignment.receiver]
    for number, action in enumerate(scene.consignment.actions, start=1):
        try:
            sent = respond(importer.desk, _decision(scene, action, number, importer))
        except GatewayError as exc:
            scene.deeds.append(Deed(action=action, refused=exc.findings or (finding_of(exc),)))
            continue
        final = await_final(importer, sent.message_id or "")
        scene.deeds.append(Deed(action=action, delivered=final.verdict is not Verdict.REFUSED))


def _decision(scene: Scene, action: CustomsAction, number: int, importer: Gateway) -> Decision:
    actor = actor_of(scene.consignment.receiver)
    decided_at = to_minute(importer.desk.clock())
    declaration = action.declaration
    return Decision(
        issuing_country=scene.consignment.sender,
        serial_number=scene.serial,
        status=action.status,
        reference=f"{scene.consignment.id}-{number}",
        decided_at=decided_at,
        customs_authority=actor.office(action.office),
        officer=actor.officer,
        items=tuple(
            WriteOff(number=item.number, quantity=Quantity(value=item.quantity, unit=item.unit))
            for item in action.items
        ),
        reasons=tuple(
            Reason(code=reason.code, text=reason.text, item_number=reason.item)
            for reason in action.reasons
        ),
        declaration=None
        if declaration is None
        else Declaration(
            number=declaration.number,
            declared_on=decided_at.date(),
            office_code=declaration.office,
        ),
    )


def _compare_books(stage: Stage, scene: Scene) -> None:
    scene.imported = usage(stage.gateways[scene.consignment.receiver], Side.RECEIVED, scene)
    scene.issued = usage(stage.gateways[scene.consignment.sender], Side.ISSUED, scene)


def usage(gateway: Gateway, side: Side, scene: Scene) -> Usage | None:
    """Return what the books of one side say about a scene's certificate."""
    with gateway.store.read() as conn:
        row = certificates.find(conn, side, scene.consignment.sender, scene.serial)
        if row is None:
            return None
        items = certificates.items(conn, row.id)
    return Usage(
        status=row.reported_status,
        used={item.number: item.used for item in items},
        certified={item.number: item.certified for item in items},
    )


def await_final(gateway: Gateway, message_id: str) -> Dispatch:
    """Return the dispatch once its delivery has ended.

    Raises:
        TimedOutError: it did not end in time.
    """

    def final() -> Dispatch | None:
        with gateway.store.read() as conn:
            found = outbox.dispatch(conn, message_id)
        if found is None:
            raise ConflictError(f"{message_id} is not in the outbox")
        return found if found.state.is_final else None

    return until(final, f"{message_id} was not delivered")


def until(glance: Callable[[], Dispatch | None], complaint: str) -> Dispatch:
    """Return what ``glance`` returns as soon as it is not None.

    Raises:
        TimedOutError: it stayed None for as long as the demonstration waits.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := glance()) is None:
        if time.monotonic() > deadline:
            raise TimedOutError(f"{complaint} within {PATIENCE_SECONDS:.0f} s")
        time.sleep(_GLANCE_SECONDS)
    return found
