"""The addresses of batches."""

from __future__ import annotations

from typing import Final

from gateway.errors import (
    ArchiveUnsafeError,
    ConflictError,
    KeyReusedError,
    NotFoundError,
    RequestInWorkError,
    TooLargeError,
    UnsupportedMediaError,
)
from gateway.services.access import Scope
from gateway.web.api import batch_answers as answers
from gateway.web.api import batching, parameters
from gateway.web.api.routes import JSON, Media, Method, Route

_TAKES_BATCHES = (
    ArchiveUnsafeError,
    ConflictError,
    KeyReusedError,
    NotFoundError,
    RequestInWorkError,
    TooLargeError,
    UnsupportedMediaError,
)
_STORED = {
    202: Media(media_type=JSON, model=answers.BatchAnswer, note="Stored whole; waits for a worker.")
}
_LINES = Media(media_type=batching.NDJSON, note="One document a line, in JSON.")

BATCHING: Final = (
    Route(
        name="submitBatch",
        method=Method.POST,
        path="/batches",
        tag="batches",
        summary="Submit many certificates of origin at once",
        scope=Scope.SUBMIT,
        handler=batching.submit_certificates,
        query=parameters.SubmitQuery,
        takes=(
            _LINES,
            Media(media_type=batching.CSV, note="A national CSV format by its name."),
            Media(
                media_type=batching.ZIP,
                note="Single documents (.json, .xml, .csv) in the order of their names.",
            ),
        ),
        answers=_STORED,
        problems=_TAKES_BATCHES,
        keyed=True,
        streams=True,
    ),
    Route(
        name="submitResponseBatch",
        method=Method.POST,
        path="/batches/responses",
        tag="batches",
        summary="Submit many decisions of customs at once",
        scope=Scope.DECIDE,
        handler=batching.submit_decisions,
        query=parameters.DecideQuery,
        takes=(
            _LINES,
            Media(media_type=batching.ZIP, note="Files in JSON in the order of their names."),
        ),
        answers=_STORED,
        problems=_TAKES_BATCHES,
        keyed=True,
        streams=True,
    ),
    Route(
        name="listBatches",
        method=Method.GET,
        path="/batches",
        tag="batches",
        summary="List the batches of one's organisation",
        scope=None,
        handler=batching.list_batches,
        query=parameters.BatchesQuery,
        answers={200: Media(media_type=JSON, model=answers.BatchesAnswer)},
    ),
    Route(
        name="getBatch",
        method=Method.GET,
        path="/batches/{batch}",
        tag="batches",
        summary="Get how far a batch has come",
        scope=None,
        handler=batching.get_batch,
        path_params=parameters.BatchPath,
        answers={200: Media(media_type=JSON, model=answers.BatchAnswer)},
        problems=(NotFoundError,),
        conditional=True,
    ),
    Route(
        name="getBatchResults",
        method=Method.GET,
        path="/batches/{batch}/results",
        tag="batches",
        summary="Get what became of each line of a batch",
        scope=None,
        handler=batching.get_results,
        path_params=parameters.BatchPath,
        query=parameters.ResultsQuery,
        answers={200: Media(media_type=JSON, model=answers.ResultsAnswer)},
        problems=(NotFoundError,),
        conditional=True,
    ),
    Route(
        name="cancelBatch",
        method=Method.POST,
        path="/batches/{batch}/cancel",
        tag="batches",
        summary="Cancel a batch",
        scope=None,
        handler=batching.cancel_batch,
        path_params=parameters.BatchPath,
        answers={200: Media(media_type=JSON, model=answers.BatchAnswer)},
        problems=(NotFoundError, ConflictError),
    ),
)
