"""The route table: every address of the interface, once."""

from __future__ import annotations

from typing import Final

from gateway.documents import CertificateOfOrigin
from gateway.errors import (
    ConflictError,
    InvalidDocumentError,
    KeyReusedError,
    NoRouteError,
    NotFoundError,
    RequestInWorkError,
    SchemaError,
    TooLargeError,
    TrustError,
    UnsupportedMediaError,
)
from gateway.exchange.responding import CustomsAction, CustomsDecisionForm
from gateway.services.access import Scope
from gateway.services.reference import AgreementView, CodeListView
from gateway.services.wording import MessageView
from gateway.web.api import answers, handing_over, looking_up, parameters
from gateway.web.api.routes import JSON, XML, Media, Method, Route

_TAKES_DOCUMENTS = (
    ConflictError,
    InvalidDocumentError,
    KeyReusedError,
    NoRouteError,
    NotFoundError,
    RequestInWorkError,
    TooLargeError,
    UnsupportedMediaError,
)
_TAKEN = {
    200: Media(media_type=JSON, model=answers.TakenAnswer, note="A dry run: nothing was stored."),
    202: Media(media_type=JSON, model=answers.TakenAnswer, note="Registered, signed and queued."),
}
_ONE = (NotFoundError,)

HANDING_OVER: Final = (
    Route(
        name="submitCertificate",
        method=Method.POST,
        path="/certificates",
        tag="certificates",
        summary="Submit a certificate of origin",
        scope=Scope.SUBMIT,
        handler=handing_over.submit_certificate,
        query=parameters.SubmitQuery,
        takes=(
            Media(media_type=JSON, model=CertificateOfOrigin, note="Canonical JSON."),
            Media(
                media_type=XML, note="Message XML; forwarded untouched if the authority signed it."
            ),
            Media(media_type="text/csv", note="A national format by its name."),
        ),
        answers=_TAKEN,
        problems=(*_TAKES_DOCUMENTS, SchemaError, TrustError),
        keyed=True,
    ),
    Route(
        name="submitResponse",
        method=Method.POST,
        path="/responses",
        tag="responses",
        summary="Submit a decision of customs",
        scope=Scope.DECIDE,
        handler=handing_over.respond,
        query=parameters.DecideQuery,
        takes=(Media(media_type=JSON, model=CustomsAction),),
        answers=_TAKEN,
        problems=_TAKES_DOCUMENTS,
        keyed=True,
    ),
    Route(
        name="respondToCertificate",
        method=Method.POST,
        path="/certificates/{country}/{serial}/responses",
        tag="responses",
        summary="Submit a decision of customs about one certificate",
        scope=Scope.DECIDE,
        handler=handing_over.respond_to_one,
        path_params=parameters.CertificatePath,
        query=parameters.DecideQuery,
        takes=(Media(media_type=JSON, model=CustomsDecisionForm),),
        answers=_TAKEN,
        problems=_TAKES_DOCUMENTS,
        keyed=True,
    ),
)

LOOKING_UP: Final = (
    Route(
        name="searchCertificates",
        method=Method.GET,
        path="/certificates",
        tag="certificates",
        summary="Search certificates of origin by any business key",
        scope=Scope.READ,
        handler=looking_up.search_certificates,
        query=parameters.SearchQuery,
        answers={200: Media(media_type=JSON, model=answers.SearchAnswer)},
    ),
    Route(
        name="getCertificate",
        method=Method.GET,
        path="/certificates/{country}/{serial}",
        tag="certificates",
        summary="Get one certificate of origin",
        scope=Scope.READ,
        handler=looking_up.get_certificate,
        path_params=parameters.CertificatePath,
        query=parameters.CertificateQuery,
        answers={200: Media(media_type=JSON, model=answers.CertificateAnswer)},
        problems=_ONE,
        conditional=True,
    ),
    Route(
        name="getSignedDocument",
        method=Method.GET,
        path="/certificates/{country}/{serial}/document",
        tag="certificates",
        summary="Get the signed XML, byte for byte",
        scope=Scope.READ,
        handler=looking_up.get_signed_document,
        path_params=parameters.CertificatePath,
        query=parameters.CertificateQuery,
        answers={200: Media(media_type=XML, note="As signed by the issuing authority.")},
        problems=_ONE,
        conditional=True,
    ),
    Route(
        name="getTimeline",
        method=Method.GET,
        path="/certificates/{country}/{serial}/timeline",
        tag="certificates",
        summary="Get everything that happened to one certificate",
        scope=Scope.READ,
        handler=looking_up.get_timeline,
        path_params=parameters.CertificatePath,
        query=parameters.CertificateQuery,
        answers={200: Media(media_type=JSON, model=answers.TimelineAnswer)},
        problems=_ONE,
        conditional=True,
    ),
    Route(
        name="getLedger",
        method=Method.GET,
        path="/certificates/{country}/{serial}/ledger",
        tag="certificates",
        summary="Get the utilisation ledger of one certificate",
        scope=Scope.READ,
        handler=looking_up.get_ledger,
        path_params=parameters.CertificatePath,
        query=parameters.CertificateQuery,
        answers={200: Media(media_type=JSON, model=answers.LedgerAnswer)},
        problems=_ONE,
        conditional=True,
    ),
    Route(
        name="getMessage",
        method=Method.GET,
        path="/messages/{message_id}",
        tag="messages",
        summary="Get one message and what its receipt says",
        scope=Scope.MESSAGES,
        handler=looking_up.get_message,
        path_params=parameters.MessagePath,
        answers={200: Media(media_type=JSON, model=MessageView)},
        problems=_ONE,
        conditional=True,
    ),
)

REFERENCE: Final = (
    Route(
        name="listCodeLists",
        method=Method.GET,
        path="/code-lists",
        tag="reference",
        summary="List the code lists",
        scope=Scope.REFERENCE,
        handler=looking_up.list_code_lists,
        answers={200: Media(media_type=JSON, model=answers.CodeListsAnswer)},
        conditional=True,
    ),
    Route(
        name="getCodeList",
        method=Method.GET,
        path="/code-lists/{id}",
        tag="reference",
        summary="Get a code list with validity and names in three languages",
        scope=Scope.REFERENCE,
        handler=looking_up.get_code_list,
        path_params=parameters.CodeListPath,
        query=parameters.CodeListQuery,
        answers={200: Media(media_type=JSON, model=CodeListView)},
        problems=_ONE,
        conditional=True,
    ),
    Route(
        name="listAgreements",
        method=Method.GET,
        path="/agreements",
        tag="reference",
        summary="List the agreements in force here",
        scope=Scope.REFERENCE,
        handler=looking_up.list_agreements,
        answers={200: Media(media_type=JSON, model=answers.AgreementsAnswer)},
        conditional=True,
    ),
    Route(
        name="getAgreement",
        method=Method.GET,
        path="/agreements/{id}",
        tag="reference",
        summary="Get one agreement",
        scope=Scope.REFERENCE,
        handler=looking_up.get_agreement,
        path_params=parameters.AgreementPath,
        answers={200: Media(media_type=JSON, model=AgreementView)},
        problems=_ONE,
        conditional=True,
    ),
    Route(
        name="listPeers",
        method=Method.GET,
        path="/peers",
        tag="reference",
        summary="List the peers and what each accepts",
        scope=Scope.REFERENCE,
        handler=looking_up.list_peers,
        answers={200: Media(media_type=JSON, model=answers.PeersAnswer)},
        conditional=True,
    ),
    Route(
        name="listFormats",
        method=Method.GET,
        path="/formats",
        tag="reference",
        summary="List the national formats in which documents may be handed over",
        scope=Scope.REFERENCE,
        handler=looking_up.list_formats,
        answers={200: Media(media_type=JSON, model=answers.FormatsAnswer)},
        conditional=True,
    ),
    Route(
        name="getMe",
        method=Method.GET,
        path="/me",
        tag="access",
        summary="Get who asks, and what the key is good for",
        scope=None,
        handler=looking_up.get_me,
        answers={200: Media(media_type=JSON, model=answers.MeAnswer)},
    ),
)

ROUTES: Final[tuple[Route, ...]] = (*HANDING_OVER, *LOOKING_UP, *REFERENCE)
"""Every address; a new room of the interface adds its own tuple here."""
