"""Every page of the console, once; what is not listed here does not exist."""

from __future__ import annotations

from typing import Final

from gateway.services.people.roles import Right
from gateway.web.console import (
    account,
    certificates,
    colleagues,
    desk,
    finding,
    issuing,
    public,
    signing_in,
)
from gateway.web.console.pages import Page

PAGES: Final[tuple[Page, ...]] = (
    *signing_in.PAGES,
    *account.PAGES,
    *finding.PAGES,
    *certificates.PAGES,
    *colleagues.PAGES,
    *public.PAGES,
    *desk.PAGES,
    *issuing.PAGES,
)

MENU: Final[tuple[tuple[str, Right], ...]] = (
    ("start", Right.FIND),
    ("people", Right.PEOPLE),
    ("desk", Right.DECIDE),
    ("issuing", Right.SUBMIT),
)
"""Pages in the head of every page, with the right that it takes to see them there."""
