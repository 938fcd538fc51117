"""National formats: what a single window or customs system writes, mapped by one YAML file each.

Adding a format takes no Python; see docs/national-formats.md.
"""

from gateway.xml.national.carrier import LIMITS, NationalLimits
from gateway.xml.national.formats import (
    Coverage,
    NationalFormat,
    NationalReading,
    Reading,
    ResponseReading,
    load_national_formats,
)

__all__ = [
    "LIMITS",
    "Coverage",
    "NationalFormat",
    "NationalLimits",
    "NationalReading",
    "Reading",
    "ResponseReading",
    "load_national_formats",
]
