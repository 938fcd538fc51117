"""The address at which customs systems compare a declaration with a certificate of origin.

Nothing of the declaration is stored; officers compare by the same rules at the console.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from gateway.documents import from_json
from gateway.documents.base import Record
from gateway.errors import (
    InvalidDocumentError,
    NotFoundError,
    TooLargeError,
    UnsupportedMediaError,
)
from gateway.services import lookup
from gateway.services.access import Scope
from gateway.services.comparing import Comparison, Explanation, Likeness, compare
from gateway.services.declared import MOST_ITEMS, Declared, DeclaredItem
from gateway.services.lookup import Wanted
from gateway.services.wording import Figure, View
from gateway.web.api import parameters
from gateway.web.api.routes import JSON, Call, Media, Method, Reply, Route

_Text = Annotated[str, Field(max_length=500)]


class DeclaredItemForm(Record):
    """Is one line of an import declaration; what is left out is not compared.

    Attributes:
        number: of the goods item on the certificate that it is declared under.
        hs: national subheadings are taken as such.
        quantity: in `unit`, or in the unit of the certificate.
    """

    number: Annotated[int, Field(ge=1, le=99_999)]
    hs: _Text = ""
    origin: _Text = ""
    quantity: Annotated[Decimal, Field(ge=0, max_digits=24, decimal_places=9)] | None = None
    unit: _Text = ""


class DeclarationForm(Record):
    """Is what an import declaration states about a consignment; it is looked at and not kept."""

    exporter: _Text = ""
    consignee: _Text = ""
    invoice: _Text = ""
    items: Annotated[tuple[DeclaredItemForm, ...], Field(max_length=MOST_ITEMS)] = ()


class ComparedView(View):
    """Is one datum on both papers.

    Attributes:
        datum: exporter, consignee, invoice, hs, origin, quantity or item.
        item: number of the goods item; null for the whole certificate.
        likeness: DIFFERS alone has to be explained or asked about; FORM never justifies a refusal.
        explanation: code of the reason.
        left: of a quantity, what was left of the item before this declaration, in its unit.
    """

    datum: str
    item: int | None
    certified: str
    declared: str
    likeness: Likeness
    explanation: Explanation
    left: Figure | None


class DeclarationAnswer(View):
    """Is how a declaration compares with a certificate, of the whole first, then item by item.

    Attributes:
        agrees: nothing differs in more than form.
    """

    issuing_country: str
    serial_number: str
    agrees: bool
    comparisons: tuple[ComparedView, ...]


def compare_declaration(call: Call) -> Reply:
    """Return how a declaration compares with a certificate, datum by datum, with the reason."""
    form = from_json(DeclarationForm, call.body)
    wanted = Wanted(
        issuing_country=call.path.country,
        serial_number=call.path.serial,
        issued_on=call.query.issued_on,
        purpose=call.purpose,
    )
    found = lookup.certificate(call.counter, call.caller, wanted)
    if found.document is None:
        raise NotFoundError("the document was erased under retention; nothing can be compared")
    comparisons = compare(found.document, found.items, _declared(form))
    return Reply(
        content=DeclarationAnswer(
            issuing_country=found.row.issuing_country,
            serial_number=found.row.serial_number,
            agrees=all(each.likeness is not Likeness.DIFFERS for each in comparisons),
            comparisons=tuple(map(_view, comparisons)),
        )
    )


def _declared(form: DeclarationForm) -> Declared:
    return Declared(
        exporter=form.exporter,
        consignee=form.consignee,
        invoice=form.invoice,
        items=tuple(DeclaredItem(**dict(each)) for each in form.items),
    )


def _view(found: Comparison) -> ComparedView:
    return ComparedView(
        datum=found.datum,
        item=found.item,
        certified=found.certified,
        declared=found.declared,
        likeness=found.likeness,
        explanation=found.explanation,
        left=None if found.values is None else found.values.get("left"),
    )


COMPARING: Final = (
    Route(
        name="compareDeclaration",
        method=Method.POST,
        path="/certificates/{country}/{serial}/comparison",
        tag="certificates",
        summary="Compare an import declaration with one certificate of origin",
        scope=Scope.READ,
        handler=compare_declaration,
        path_params=parameters.CertificatePath,
        query=parameters.CertificateQuery,
        takes=(Media(media_type=JSON, model=DeclarationForm),),
        answers={200: Media(media_type=JSON, model=DeclarationAnswer)},
        problems=(InvalidDocumentError, NotFoundError, TooLargeError, UnsupportedMediaError),
    ),
)
