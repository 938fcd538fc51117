"""The handler of the address that prints."""

from __future__ import annotations

from gateway.services.lookup import Wanted
from gateway.services.printing import PrintWish, printed
from gateway.web.api.routes import PDF, Call, Reply


def get_paper(call: Call) -> Reply:
    """Return one certificate as a PDF form with the signed XML inside.

    Every print is a copy and says so: the original is electronic.
    """
    asked = call.query
    content = printed(
        call.counter,
        call.caller,
        Wanted(
            issuing_country=call.path.country,
            serial_number=call.path.serial,
            issued_on=asked.issued_on,
            purpose=call.purpose,
        ),
        PrintWish(
            language=asked.language or call.language,
            copy_number=asked.copy_number,
            address=call.counter.check_address,
        ),
    )
    return Reply(
        content=content,
        media_type=PDF,
        headers={"Content-Disposition": 'inline; filename="certificate-of-origin.pdf"'},
    )
