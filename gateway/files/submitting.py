"""Submitting what one file holds: each document once, a bad one harming no other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy import Connection

from gateway.documents import from_json
from gateway.errors import BusyError, GatewayError, InputError, InvalidDocumentError
from gateway.exchange.intake import CANONICAL_JSON, MESSAGE_XML, Reading
from gateway.exchange.responding import CustomsAction
from gateway.files.plans import FileForm, InboxPlan
from gateway.files.results import DocumentResult, problem_part, refused_result, taken_result
from gateway.services.access import Caller
from gateway.services.counter import Counter, GivenAnswer, RequestKey
from gateway.services.submission import Taken, decide, read_all, submit

_FORMS: Mapping[str, str] = {FileForm.CANONICAL: CANONICAL_JSON, FileForm.SIGNED: MESSAGE_XML}
_ACCEPTED = 202

Step = Callable[[Connection], Taken]


def submit_all(
    counter: Counter,
    caller: Caller,
    plan: InboxPlan,
    content: bytes,
    is_ours: Callable[[], bool],
) -> tuple[DocumentResult, ...]:
    """Return what became of every document in a file.

    The answer to each is kept in the transaction that took it, under the digest of the file and
    the place in it: whoever reads the same file again, after a crash or because it was handed
    over twice, gets the same answer and nothing is taken twice.

    Args:
        is_ours: says before each document whether the turn is still ours.

    Raises:
        InputError: nothing in the file can be read.
        GatewayError: with ``retryable``, nothing more can be taken now.
    """
    digest = hashlib.sha256(content).hexdigest()
    if plan.form == FileForm.RESPONSES:
        try:
            action = from_json(CustomsAction, content)
        except InvalidDocumentError as exc:
            return (refused_result("document", problem_part(exc), exc.findings, plan.language),)
        own = partial(decide, counter, caller=caller, action=action)
        return (_once(counter, caller, plan, action.reference, f"{digest}:1", own),)
    readings = read_all(counter, content, _FORMS.get(plan.form, plan.form))
    if not readings:
        raise InputError("there is no document in it")
    results = []
    for number, reading in enumerate(readings, start=1):
        if not is_ours():
            raise BusyError("another worker looks after this folder now")
        results.append(_one(counter, caller, plan, reading, f"{digest}:{number}"))
    return tuple(results)


def _one(
    counter: Counter, caller: Caller, plan: InboxPlan, reading: Reading, key: str
) -> DocumentResult:
    if reading.document is None:
        return refused_result(reading.reference, None, reading.findings, plan.language)
    own = partial(submit, counter, caller=caller, reading=reading)
    return _once(counter, caller, plan, reading.reference, key, own)


def _once(
    counter: Counter, caller: Caller, plan: InboxPlan, reference: str, key: str, step: Step
) -> DocumentResult:
    owner = caller.organisation.code
    request = RequestKey(
        scope=f"files:{owner}:{plan.form}", key=key, sha256=hashlib.sha256(key.encode()).hexdigest()
    )

    def work(conn: Connection) -> GivenAnswer:
        result = taken_result(reference, step(conn), plan.language)
        return GivenAnswer(status=_ACCEPTED, body=result.model_dump_json().encode())

    try:
        given = counter.once(request, work)
    except GatewayError as exc:
        if exc.retryable:
            raise
        return refused_result(reference, problem_part(exc), exc.findings, plan.language)
    return DocumentResult.model_validate_json(given.body)
