"""The mapping workbench: check a mapping file, see what it covers, try it, compare two versions.

Nothing here is stored or sent; command line, REST and console show the same views.
"""

from gateway.services.mappings import forms
from gateway.services.mappings.comparing import compare
from gateway.services.mappings.covering import coverage
from gateway.services.mappings.samples import Sample
from gateway.services.mappings.trying import try_sample
from gateway.services.mappings.views import (
    Became,
    CheckView,
    ComparisonView,
    CoverageView,
    DocumentChange,
    FieldView,
    MappingSummary,
    MistakeView,
    TrialView,
    TriedView,
    checked,
    summaries,
)

__all__ = [
    "Became",
    "CheckView",
    "ComparisonView",
    "CoverageView",
    "DocumentChange",
    "FieldView",
    "MappingSummary",
    "MistakeView",
    "Sample",
    "TrialView",
    "TriedView",
    "checked",
    "compare",
    "coverage",
    "forms",
    "summaries",
    "try_sample",
]
