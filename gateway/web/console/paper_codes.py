"""Pages about paper: printing a certificate, and what a scanned code is worth."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlsplit

from gateway.documents import Language
from gateway.errors import InputError
from gateway.paper.check_page import check_page
from gateway.paper.summary import LONGEST
from gateway.services.lookup import Wanted
from gateway.services.paper_codes import check_code, check_publicly
from gateway.services.paper_trust import trust_list
from gateway.services.people.roles import Right
from gateway.services.printing import PrintWish, printed
from gateway.services.scanned import serial_numbers_in
from gateway.web.console.pages import Answer, Go, Open, Page, Sent, Shown, Visit

_MARK: Final = "ECO1."
_COPY: Final = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_DEFAULT_PATH: Final = "/C"


def send_paper(visit: Visit) -> Answer:
    """Send a certificate as a PDF form in the language that is asked for."""
    wish = PrintWish(
        language=_language(visit),
        copy_number=_copy(visit.query.get("copy") or "1"),
        address=visit.counter.check_address,
    )
    wanted = Wanted(
        issuing_country=visit.path["country"].upper(),
        serial_number=visit.path["serial"],
        purpose="console: print",
    )
    content = printed(visit.counter, visit.caller, wanted, wish)
    name = f"{visit.path['serial']}-{wish.language.value}-{wish.copy_number}.pdf"
    return Sent(content=content, media_type="application/pdf", name=name)


def code_page_of(scanned: str) -> str | None:
    """Return where a scanned text is checked, None if it is no signed summary."""
    found = scanned.upper().find(_MARK)
    return None if found < 0 else f"/desk/code?text={quote(scanned[found : found + LONGEST + 1])}"


def show_code(visit: Visit) -> Answer:
    """Show what a scanned code is worth, beside the certificate that it names."""
    text = visit.query.get("text", "").strip()
    if not text:
        return Go(to="/desk")
    checked = check_code(visit.counter, visit.caller, text, purpose="console: code on paper")
    values = {
        "code": checked,
        "numbers": serial_numbers_in(text, visit.counter.desk.agreements)[:5],
    }
    return Shown(template="code.html", values=values)


def show_public_code(visit: Visit) -> Answer:
    """Show anybody what a genuine code says; every other text reads like every other one."""
    found = check_publicly(visit.counter, visit.path["text"])
    if found is None:
        return Shown(template="public_code_unknown.html", status=404)
    return Shown(template="public_code.html", values={"code": found})


def send_offline_page(visit: Visit) -> Answer:
    """Send the page that checks codes without a line."""
    own = visit.counter.desk.identity
    name = f"{own.name} ({own.identifier})"
    page = check_page(trust_list(visit.counter.desk), gateway=name, language=visit.words.language)
    return Sent(content=page.encode(), media_type="text/html; charset=utf-8", name="eco-check.html")


def code_pages(address: str | None) -> tuple[Page, ...]:
    """Return the page at the address that printed codes carry, where that is not the usual one."""
    path = urlsplit(address or "").path
    if address is None or path == _DEFAULT_PATH:
        return ()
    return (
        Page(
            name="public_code_configured",
            path=f"{path}/<text>",
            right=Open.PUBLIC,
            handler=show_public_code,
        ),
    )


def _language(visit: Visit) -> Language:
    try:
        return Language(visit.query.get("language") or visit.words.language.value)
    except ValueError as exc:
        raise InputError("the form is printed in en, fr and ar") from exc


def _copy(written: str) -> int:
    if _COPY.fullmatch(written) is None:
        raise InputError("copies are numbered from 1 to 999")
    return int(written)


PAGES: Final = (
    Page(
        name="certificate_paper",
        path="/paper/<country>/<path:serial>",
        right=Right.FIND,
        handler=send_paper,
    ),
    Page(name="desk_code", path="/desk/code", right=Right.DECIDE, handler=show_code),
    Page(
        name="public_code",
        path=f"{_DEFAULT_PATH}/<text>",
        right=Open.PUBLIC,
        handler=show_public_code,
    ),
    Page(
        name="public_offline",
        path="/check/offline",
        right=Open.PUBLIC,
        handler=send_offline_page,
    ),
)
