"""National formats: what a single window or customs system writes, mapped by one YAML file each.

Adding a format takes no Python; see docs/national-formats.md.
"""

from gateway.xml.national.carrier import LIMITS, NationalLimits
from gateway.xml.national.catalogue import FormatCatalogue, FormatFault, FormatState
from gateway.xml.national.csv_groups import CsvGroups, LineGroup, is_streamable, read_group
from gateway.xml.national.examining import Examination, examination_of, examine, examine_file
from gateway.xml.national.formats import (
    Coverage,
    FormatMark,
    NationalFormat,
    NationalReading,
    Reading,
    ResponseReading,
    load_national_formats,
)
from gateway.xml.national.mistakes import FaultyMapping, Mistake
from gateway.xml.national.source_lines import SourceLine, lines_of

__all__ = [
    "LIMITS",
    "Coverage",
    "CsvGroups",
    "Examination",
    "FaultyMapping",
    "FormatCatalogue",
    "FormatFault",
    "FormatMark",
    "FormatState",
    "LineGroup",
    "Mistake",
    "NationalFormat",
    "NationalLimits",
    "NationalReading",
    "Reading",
    "ResponseReading",
    "SourceLine",
    "examination_of",
    "examine",
    "examine_file",
    "is_streamable",
    "lines_of",
    "load_national_formats",
    "read_group",
]
