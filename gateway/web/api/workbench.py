"""Handlers of the mapping workbench: nothing that is sent here is stored."""

from __future__ import annotations

from gateway.documents import from_json
from gateway.exchange.intake import national_format
from gateway.services.mappings import checked, compare, coverage, summaries, try_sample
from gateway.services.mappings.forms import (
    CheckForm,
    ComparisonForm,
    CoverageForm,
    TrialForm,
    examined,
    samples_of,
)
from gateway.web.api.answers import MappingsAnswer
from gateway.web.api.routes import Call, Reply
from gateway.xml.national import examination_of


def list_mappings(call: Call) -> Reply:
    """Return the national formats with the versions in force, and why a newer one is not."""
    return Reply(content=MappingsAnswer(mappings=summaries(call.counter.national.states)))


def get_coverage(call: Call) -> Reply:
    """Return what a format covers of the documents."""
    found = national_format(call.path.name, call.counter.national)
    return Reply(content=coverage(examination_of(found)))


def check_mapping(call: Call) -> Reply:
    """Name every mistake in a mapping file, with line and remedy."""
    form = from_json(CheckForm, call.body)
    return Reply(content=checked(examined(form.mapping, call.counter.national)))


def cover_samples(call: Call) -> Reply:
    """Say which targets a mapping never fills, and which fields of samples it never reads."""
    form = from_json(CoverageForm, call.body)
    found = examined(form.mapping, call.counter.national)
    return Reply(content=coverage(found, samples_of(form.samples), kind=form.kind))


def try_mapping(call: Call) -> Reply:
    """Show a sample as it stands, as document and as message, with every finding."""
    form = from_json(TrialForm, call.body)
    (sample,) = samples_of([form.sample])
    return Reply(
        content=try_sample(
            call.counter.desk,
            examined(form.mapping, call.counter.national),
            sample.raw,
            language=call.language,
            kind=form.kind,
        )
    )


def compare_mappings(call: Call) -> Reply:
    """Say which documents of samples come out differently with a new version of a mapping."""
    form = from_json(ComparisonForm, call.body)
    catalogue = call.counter.national
    return Reply(
        content=compare(
            examined(form.old, catalogue),
            examined(form.new, catalogue),
            samples_of(form.samples),
            language=call.language,
            kind=form.kind,
        )
    )
