"""Settings of the printed certificate."""

from __future__ import annotations

from pydantic import Field

from gateway.config_section import Section

_ADDRESS = r"^https://[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Z0-9.-]+)*$"


class PaperSection(Section):
    """Says what printed certificates refer to.

    Attributes:
        check_address: public page where a certificate is checked, as `https://eco.example/C`;
            begins the QR code, which holds the summary after a slash. Host in small letters,
            path in capitals, because a QR code of this size holds capitals only. Without it the
            code holds the summary alone.
    """

    check_address: str | None = Field(default=None, pattern=_ADDRESS, max_length=100)
