"""Every page of the console, once; what is not listed here does not exist."""

from __future__ import annotations

from typing import Final

from gateway.services.people.roles import Right
from gateway.web.console import (
    account,
    alarms,
    announcing,
    calendar,
    certificates,
    colleagues,
    desk,
    drafting,
    finding,
    issuing,
    journalling,
    letters,
    operating,
    paper_codes,
    peering,
    provider,
    public,
    reporting,
    signing_in,
    specimens,
)
from gateway.web.console.pages import Page

PAGES: Final[tuple[Page, ...]] = (
    *signing_in.PAGES,
    *provider.PAGES,
    *account.PAGES,
    *finding.PAGES,
    *certificates.PAGES,
    *colleagues.PAGES,
    *public.PAGES,
    *desk.PAGES,
    *issuing.PAGES,
    *drafting.PAGES,
    *operating.PAGES,
    *letters.PAGES,
    *alarms.PAGES,
    *announcing.PAGES,
    *calendar.PAGES,
    *journalling.PAGES,
    *reporting.PAGES,
    *peering.PAGES,
    *paper_codes.PAGES,
    *specimens.PAGES,
)

MENU: Final[tuple[tuple[str, Right], ...]] = (
    ("start", Right.FIND),
    ("people", Right.PEOPLE),
    ("desk", Right.DECIDE),
    ("issuing", Right.SUBMIT),
    ("directory", Right.DIRECTORY),
    ("operating", Right.WATCH),
    ("journal", Right.JOURNAL),
    ("reports", Right.REPORT),
)
"""Pages in the head of every page, with the right that it takes to see them there."""
