"""Pages for anybody: check one certificate of origin, and whom to ask."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from gateway.services.public_check import check
from gateway.services.reference import known_peers
from gateway.store import DirectoryKind, Duty, directory
from gateway.web.console.pages import Answer, Method, Open, Page, Shown, Visit

_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_LONGEST: Final = 70


def show_form(visit: Visit) -> Answer:
    """Show the form; a printed QR code fills it in."""
    return _check_page(visit, {name: visit.query.get(name, "")[:_LONGEST] for name in _FIELDS})


def check_one(visit: Visit) -> Answer:
    """Show what anybody may know of the certificate with this serial number and date."""
    asked = {name: visit.form.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
    country, issued_on = asked["country"].upper(), _day(asked["issued_on"])
    if not _COUNTRY.fullmatch(country) or issued_on is None or not asked["serial"]:
        return _check_page(visit, asked, failure="INCOMPLETE")
    found = check(visit.counter, country, asked["serial"], issued_on)
    if found is None:
        return _check_page(visit, asked, failure="UNKNOWN")
    return Shown(template="public_found.html", values={"found": found})


def show_contacts(visit: Visit) -> Answer:
    """Show the offices that may be shown to anybody, and the gateways that take part."""
    desk = visit.counter.desk
    with desk.store.read() as conn:
        offices = directory.newest(conn, kinds=(DirectoryKind.OFFICE,), only_public=True)
    today = desk.clock().date()
    held = [each for each in offices if each.holds_on(today)]
    values = {
        "peers": known_peers(visit.counter),
        "own": desk.identity,
        "contacts": [(duty, [each for each in held if each.duty is duty]) for duty in Duty],
    }
    return Shown(template="public_contacts.html", values=values)


def _check_page(visit: Visit, asked: dict[str, str], *, failure: str | None = None) -> Shown:
    members = sorted(
        {each for one in visit.counter.desk.agreements.values() for each in one.members}
    )
    values = {"asked": asked, "failure": failure, "countries": members}
    return Shown(
        template="public_check.html", values=values, status=200 if failure is None else 404
    )


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


_FIELDS: Final = ("country", "serial", "issued_on")

PAGES: Final = (
    Page(name="public_check", path="/check", right=Open.PUBLIC, handler=show_form),
    Page(
        name="public_check_one",
        path="/check",
        right=Open.PUBLIC,
        handler=check_one,
        method=Method.POST,
    ),
    Page(name="public_contacts", path="/contacts", right=Open.PUBLIC, handler=show_contacts),
)
