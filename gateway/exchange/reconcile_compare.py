"""Comparing two books: pure functions over what both sides state.

The side that answers holds its own entries against a statement; the side that stated holds
its own entries against the answer.  Whatever a peer claims as outcome is never believed
where our own entry says otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from gateway.documents import BooksOutcome, Verdict
from gateway.documents.books_statement import StatedCount, StatedMessage, StatedTotal
from gateway.documents.codes import DocumentType

_O = BooksOutcome


def answered(
    own: Mapping[str, StatedMessage], stated: Iterable[StatedMessage]
) -> tuple[StatedMessage, ...]:
    """Return the entries of an answer: each stated one, then what was not stated, by id.

    Args:
        own: what the answering side holds, by message id.
    """
    entries = {entry.message_id: _answer(own.get(entry.message_id), entry) for entry in stated}
    for message_id, held in own.items():
        if message_id not in entries:
            entries[message_id] = held.model_copy(update={"outcome": _O.MISSING_THERE})
    return tuple(entries[message_id] for message_id in sorted(entries))


def judged(
    own: Mapping[str, StatedMessage], answer: Iterable[StatedMessage]
) -> Mapping[str, BooksOutcome]:
    """Return, for the side that stated, how each entry stands now, by message id."""
    found: dict[str, BooksOutcome] = {}
    for entry in answer:
        if entry.outcome is _O.UNKNOWN_HERE:
            if entry.message_id in own:
                found[entry.message_id] = _O.UNKNOWN_HERE
        else:
            found[entry.message_id] = _compared(own.get(entry.message_id), entry, _O.MISSING_THERE)
    return {message_id: found.get(message_id, _O.UNKNOWN_HERE) for message_id in {*own, *found}}


def counts_of(messages: Iterable[StatedMessage]) -> tuple[StatedCount, ...]:
    """Return how many messages of each type there are and what became of them."""
    by_type: dict[DocumentType, Counter[Verdict | None]] = {}
    for entry in messages:
        by_type.setdefault(entry.document_type, Counter())[entry.verdict] += 1
    return tuple(
        StatedCount(
            document_type=document_type,
            messages=verdicts.total(),
            accepted=verdicts[Verdict.ACCEPTED] + verdicts[Verdict.ACCEPTED_WITH_WARNINGS],
            refused=verdicts[Verdict.REFUSED],
            unanswered=verdicts[None],
        )
        for document_type, verdicts in sorted(by_type.items())
    )


def differences(outcomes: Iterable[BooksOutcome | None]) -> Mapping[str, int]:
    """Return how often each outcome other than MATCHED occurs."""
    counted = Counter(outcome.value for outcome in outcomes if outcome is not None)
    counted.pop(_O.MATCHED.value, None)
    return dict(sorted(counted.items()))


def same_total(one: StatedTotal, other: StatedTotal) -> bool:
    """Return whether two totals say the same, however many noughts they are written with."""
    return _quantities(one) == _quantities(other)


def pages(cuts: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """Return the bounds (after, up to) of the parts between ``cuts``.

    There is at least one part; the first and the last are open at their ends.
    """
    return list(zip([None, *cuts], [*cuts, None], strict=True))


def _answer(held: StatedMessage | None, stated: StatedMessage) -> StatedMessage:
    outcome = _compared(held, stated, _O.UNKNOWN_HERE)
    if held is None:
        return stated.model_copy(update={"outcome": outcome, "verdict": None})
    return held.model_copy(update={"outcome": outcome})


def _compared(
    own: StatedMessage | None, other: StatedMessage, if_missing: BooksOutcome
) -> BooksOutcome:
    if own is None:
        return if_missing
    if own.envelope_sha256 != other.envelope_sha256:
        return _O.OTHER_DIGEST
    return _O.MATCHED if own.verdict is other.verdict else _O.OTHER_VERDICT


def _quantities(total: StatedTotal) -> Mapping[int, tuple[object, str]]:
    return {item.number: (item.used.value.normalize(), item.used.unit) for item in total.items}
