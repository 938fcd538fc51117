"""Two consoles with a lot in their books: what went well and what did not, long names, many items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from gateway.documents import DocumentType, UtilisationStatus
from gateway.documents.base import Money
from gateway.documents.customs_response import Reason, Security
from gateway.documents.parties import Address, Consignee, Exporter
from gateway.operations.alerting import AlertDesk, judge
from gateway.operations.observations import Reading
from gateway.operations.report_counts import count_reports
from gateway.paper.order import Standing
from gateway.paper.summary import Attester, sign_summary, summary_of
from gateway.services import four_eyes, specimens
from gateway.services.people.roles import Visitor
from gateway.services.specimens import EntryOrder
from gateway.store import (
    AttemptOutcome,
    DeliveryState,
    DirectoryKind,
    Duty,
    PersonRole,
    Store,
    certificates,
    outbox,
    people,
    tallies,
)
from gateway.trust.demo_pki import DemoPki
from tests.api.conftest import make_border
from tests.console.house import House, make_house
from tests.exchange.corridor import Side as Gateway
from tests.exchange.corridor import action, decide
from tests.factories import NOW, certificate, goods_item
from tests.paper.pictures import png

STATUS = UtilisationStatus
REFUSED, DOUBTED, ODD, PROPOSED, BY_HAND, BY_KEYS, LARGE, STUCK, FAILED = range(201, 210)
"""Serial numbers; ``BY_HAND`` and ``BY_KEYS`` wait for a decision that a test may take."""
ARABIC = "شركة النيل الأزرق للصناعات الغذائية والتجارة الدولية المحدودة – المنطقة الصناعية"
FRENCH = "Établissements Ramgoolam-Ducœur & Fils, importateurs-distributeurs de l’océan Indien"
LONGEST = "Nakambala" * 22
REASON = Reason(code="ORIGIN_DOUBT", text="The cones are labelled as made elsewhere. " * 6)


@dataclass(frozen=True)
class Busy:
    """Is both consoles, and what stands for the parameters of their pages.

    Attributes:
        crossed: the message that brought the certificate to Kenya.
        dead: a message of Zambia that nobody tries to send any more.
        code: what the QR code on the certificate's paper says.
    """

    zm: House = field(repr=False)
    ke: House = field(repr=False)
    crossed: str
    dead: str
    code: str

    def house_of(self, role: PersonRole) -> House:
        """The console at which a role finds most: what Zambia issued came to Kenya."""
        at_issuer = role in {PersonRole.ISSUING_OFFICER, PersonRole.ISSUING_ADMINISTRATOR}
        return self.zm if at_issuer or role is PersonRole.OPERATOR else self.ke


def serial(number: int) -> str:
    return f"ZM-20260309-{number:06}"


def large() -> Any:
    """Return a certificate of sixty items with names that test every layout."""
    return certificate(
        serial_number=serial(LARGE),
        valid_until=date(2026, 3, 12),
        exporter=Exporter(
            name=LONGEST,
            registration_number="COM-ZM000001",
            address=Address(line_one=FRENCH, line_two=ARABIC, city="Kafue", country="ZM"),
        ),
        consignee=Consignee(
            name=ARABIC, address=Address(line_one=ARABIC, city="القاهرة", country="KE")
        ),
        items=tuple(
            goods_item(number, description=(f"{FRENCH} {number}", ARABIC, LONGEST)[number % 3])
            for number in range(1, 61)
        ),
        total_gross_weight=None,
        total_packages=None,
    )


def make_busy(pki: DemoPki, make: Callable[[], Store]) -> Busy:
    """Return two consoles after a busy week."""
    border = make_border(pki, make)
    documents = [certificate(serial_number=serial(number)) for number in range(REFUSED, LARGE)]
    for document in (certificate(), *documents, large()):
        answer = border.zm.submit(document)
        assert answer.status_code in {200, 202}, answer.json
    border.deliver()
    _decide(border.corridor.ke)
    border.deliver()
    zm, ke = make_house(border.zm), make_house(border.ke)
    _propose(ke)
    dead = _fail(zm)
    _alert(zm)
    for side in (zm, ke):
        _fill_directory(side)
        _mark_odd(side)
        with side.front.desk.store.begin() as conn:
            tallies.fold(conn, at=NOW)
        count_reports(side.front.desk, at=NOW)
    with zm.desk.store.read() as conn:
        crossed = outbox.page(conn, limit=100)[-1].message_id
    return Busy(zm=zm, ke=ke, crossed=crossed, dead=dead, code=_code(zm))


def _decide(customs: Gateway) -> None:
    security = Security(
        reference="BOND-2026-77", amount=Money(amount=Decimal("125000.50"), currency="KES")
    )
    decide(customs, STATUS.PARTIAL, "6000")
    decide(customs, STATUS.REJECTED, serial_number=serial(REFUSED), reasons=(REASON,))
    decide(
        customs,
        STATUS.PENDING,
        serial_number=serial(DOUBTED),
        reasons=(REASON,),
        security=security,
        remarks=FRENCH,
    )
    decide(customs, STATUS.FULL, serial_number=serial(ODD))


def _propose(house: House) -> None:
    """Let one officer propose a refusal that another has to confirm."""
    house.as_role(PersonRole.CUSTOMS_OFFICER)
    with house.desk.store.read() as conn:
        person = people.by_login(conn, "customs-officer")
        owner = people.organisation_of(conn, person)
    proposer = Visitor(
        person=person,
        organisation=owner,
        session_id=0,
        has_factor=True,
        ends_at=NOW + timedelta(hours=1),
    )
    refusal = action(STATUS.REJECTED, serial_number=serial(PROPOSED), reasons=(REASON,))
    four_eyes.propose(house.front.counter, proposer, refusal)


def _fail(house: House) -> str:
    """Leave one message waiting and one at its end; return that one's id."""
    ids = []
    for number in (FAILED, STUCK):
        house.front.submit(certificate(serial_number=serial(number)))
        with house.front.desk.store.read() as conn:
            ids.append(outbox.page(conn, limit=1)[0].message_id)
        if number == FAILED:
            store = house.front.desk.store
            with store.begin() as conn:
                (claim,) = outbox.claim_due(conn, "w", NOW, lease_seconds=60, limit=1)
            outcome = AttemptOutcome(
                state=DeliveryState.FAILED, ended_at=NOW, code="UNREACHABLE", detail=FRENCH
            )
            with store.begin() as conn:
                outbox.record_attempt(conn, claim, outcome)
    return ids[0]


def _alert(house: House) -> None:
    desk = AlertDesk(
        rules=house.operating.premises.rules, recipients=(), digest=timedelta(minutes=15)
    )
    reading = Reading(
        rule="dead-letters", subject="KE-SW", value=3, facts={"peer": "KE-SW", "count": "3"}
    )
    with house.front.desk.store.begin() as conn:
        judge(desk, conn, [reading], NOW)


def _fill_directory(house: House) -> None:
    """Enter an office shown to anybody, and a stamp of the authority that issued everything."""
    desk, since = house.front.desk, date(2026, 1, 1)
    office = EntryOrder(
        authority_code="KE-KRA", name="Namanga border post", valid_from=since, is_public=True
    )
    stamp = EntryOrder(authority_code="ZM-ZRA", name="Stamp", valid_from=since, picture=png())
    specimens.enter(desk, DirectoryKind.STAMP, Duty.ISSUING, "ZM", stamp, actor="user:test")
    specimens.enter(desk, DirectoryKind.OFFICE, Duty.CUSTOMS, "KE", office, actor="user:test")


def _code(house: House) -> str:
    """Return the signed summary of a certificate, as it stands in the code on its paper."""
    desk = house.front.desk
    with house.desk.store.read() as conn:
        (row,) = certificates.by_serial(conn, "ZM-20260309-000123")
    summary = summary_of(
        certificate(),
        sha256=row.payload_sha256,
        standing=Standing.PARTLY_USED,
        stated_at=NOW,
        attester=Attester.AUTHORITY,
        attester_country="ZM",
    )
    return sign_summary(summary, desk.signers[DocumentType.CERTIFICATE_OF_ORIGIN])


def _mark_odd(house: House) -> None:
    """Let the books say of one certificate what only a faulty peer brings about."""
    with house.front.desk.store.begin() as conn:
        (row,) = certificates.by_serial(conn, serial(ODD))
        certificates.change(conn, row, at=NOW, contradicted=True, over_used=True)
