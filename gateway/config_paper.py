"""Settings of the printed certificate."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from gateway.config_section import Section

CheckAddress = Annotated[
    str,
    StringConstraints(
        pattern=r"^https://[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Z0-9.-]+)*$", max_length=100
    ),
]


class PaperSection(Section):
    """Says what printed certificates refer to.

    Attributes:
        check_address: public page where a certificate is checked, as `https://eco.example/C`;
            begins the QR code, which holds the summary after a slash. Host in small letters,
            path in capitals, because a QR code of this size holds capitals only. Without it the
            code holds the summary alone.
    """

    check_address: CheckAddress | None = None
