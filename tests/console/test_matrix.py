"""The role matrix: every page, every kind of visitor, one's own things and those of others.

A cell is one page asked by one visitor.  What must come of it follows from the page's record
alone; pages whose address names a thing stand in one of two lists below, or a test fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import pytest
from werkzeug.test import TestResponse

from gateway.services.people import directory
from gateway.services.people.directory import PersonOrder
from gateway.services.people.roles import RIGHTS_OF, Right
from gateway.services.people.sessions import sessions_of, visitor_of
from gateway.store import NewOrganisation, OrganisationKind, PersonRole, clients, outbox, people
from gateway.web.console import PAGES, provider
from gateway.web.console.pages import Method, Open, Page
from tests.console.busy import Busy, make_busy
from tests.console.house import HOME_OF, PASSWORD, Browser, House
from tests.console.test_rights import PLACES, address
from tests.databases import copied_stores

OWNED = {
    "certificate",
    "certificate_xml",
    "certificate_paper",
    "verification",
    "message_envelope",
    "message_receipt",
    "decide",
    "take_decision",
    "settle_proposal",
    "resend_own",
    "hold_own",
    "form_sent",
    "invite_person",
    "change_person",
    "forget_factor",
    "link_person",
    "unlink_person",
}
"""Pages of a thing that belongs to an organisation: to others it does not exist."""
OF_THE_GATEWAY = {
    "message",
    "resend_message",
    "hold_message",
    "acknowledge_alert",
    "peer",
    "suspend_peer",
    "resume_peer",
    "try_peer",
    "end_certificate",
    "store_list",
    "end_maintenance",
    "report_csv",
    "end_session",
    "report_pdf",
    "public_code",
    "directory_entry",
    "directory_correct",
    "specimen_picture",
}
"""Pages of a thing of the gateway, or of the visitor alone, whatever the organisation."""


READ_BY_ALL = {"directory_correct"}
"""Pages that change a thing of the issuing authority which everybody with the right may see."""


class Place(StrEnum):
    """Names where a visitor stands."""

    OWN = "own"
    OTHER = "other"
    HALFWAY = "halfway"
    NOWHERE = "nowhere"
    ENDED = "ended"


@dataclass(frozen=True)
class Guest:
    """Is one kind of visitor."""

    place: Place
    role: PersonRole = PersonRole.CUSTOMS_OFFICER
    administers: bool = False

    def __str__(self) -> str:
        chief = "-chief" if self.administers else ""
        return f"{self.place}-{self.role.lower()}{chief}"

    @property
    def rights(self) -> frozenset[Right]:
        return RIGHTS_OF[self.role] | ({Right.PEOPLE} if self.administers else set())


GUESTS = (
    *(Guest(place, role) for place in (Place.OWN, Place.OTHER) for role in PersonRole),
    *(
        Guest(place, role, administers=True)
        for place in (Place.OWN, Place.OTHER)
        for role in (PersonRole.ISSUING_ADMINISTRATOR, PersonRole.ORIGIN_UNIT)
    ),
    Guest(Place.HALFWAY),
    Guest(Place.NOWHERE),
    Guest(Place.ENDED),
)
PAGES_IN_ORDER = tuple(sorted(PAGES, key=lambda page: page.name == "sign_out"))
"""What ends the session comes last."""
FORMS = {"resend_own": {"reason": "matrix"}, "hold_own": {"reason": "matrix"}}
"""What a form holds where an empty one is refused before it is asked whose the thing is."""
LETS_IN = {200, 303, 400, 409, 422}
HARDENED = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@pytest.fixture(scope="module")
def matrix(pki, sqlite_template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Busy]:
    """Gives two busy consoles, each with a second organisation of every kind."""
    with copied_stores(sqlite_template, tmp_path_factory.mktemp("matrix")) as make:
        made = make_busy(pki, make)
        for house in (made.zm, made.ke):
            with house.front.desk.store.begin() as conn:
                for kind in OrganisationKind:
                    clients.add(conn, _another(kind), at=house.clock(), actor="user:test")
            for name, role in (
                ("own-issuer", PersonRole.ISSUING_OFFICER),
                ("own-customs", PersonRole.CUSTOMS_OFFICER),
            ):
                house.enter(name, role)
        yield made


def _another(kind: OrganisationKind) -> NewOrganisation:
    authority = "TZ-TRA" if kind is OrganisationKind.ISSUING_AUTHORITY else None
    return NewOrganisation(
        code=f"ZZ-{kind}", name=kind.title(), kind=kind, country="TZ", authority_code=authority
    )


def house_of(busy: Busy, guest: Guest) -> House:
    return busy.house_of(guest.role)


def signed_in(house: House, guest: Guest) -> Browser:
    """Return the browser of a new person of this kind."""
    browser = house.browser()
    browser.address = f"198.51.{GUESTS.index(guest)}.7"  # nobody's tries slow down another
    if guest.place is Place.NOWHERE:
        browser.get("/sign-in")
        return browser
    login = str(guest).replace("_", "-")
    with house.desk.store.read() as conn:
        others = guest.place is Place.OTHER
        owner = next(
            each
            for each in clients.every(conn)
            if each.kind is HOME_OF[guest.role] and each.code.startswith("ZZ") == others
        )
    order = PersonOrder(login=login, name="A B", role=guest.role, administers=guest.administers)
    code = directory.enter(house.desk, owner, order, actor="user:test").code
    browser.get("/welcome")
    browser.post("/welcome", login=login, code=code, password=PASSWORD, again=PASSWORD)
    browser.follow("/")
    if guest.place is Place.HALFWAY:
        return browser
    browser.post("/sign-in/enrol", code=house.code_of(login))
    assert browser.get("/account").status_code == 200
    if guest.place is Place.ENDED:
        with house.desk.store.begin() as conn:
            people.end_sessions(conn, people.by_login(conn, login), at=house.clock())
    return browser


def places(busy: Busy, guest: Guest) -> dict[str, str]:
    house = house_of(busy, guest)
    at_issuer = house is busy.zm
    return PLACES | {
        "identifier": "KE-SW" if at_issuer else "ZM-SW",
        "message_id": busy.dead if at_issuer else _sent_from(house),
        "message": busy.crossed,
        "text": busy.code,
        "login": "own-issuer" if HOME_OF[guest.role].value.startswith("ISSUING") else "own-customs",
    }


def _sent_from(house: House) -> str:
    with house.front.desk.store.read() as conn:
        return outbox.page(conn, limit=1)[0].message_id


def ask(browser: Browser, page: Page, at: str) -> TestResponse:
    if page.method is Method.GET:
        return browser.get(at)
    if browser.last is None or browser.last.mimetype != "text/html" or not browser.seal:
        browser.follow("/account")
    return browser.post(at, **FORMS.get(page.name, {}))


def expected(page: Page, guest: Guest) -> str:
    """Return what must come of a cell: in, sign-in, step, refused or missing.

    An auditor reads the books of the whole gateway, whatever organisation sent them.
    """
    if page.right is Open.PUBLIC:
        return "in"
    if guest.place in {Place.NOWHERE, Place.ENDED}:
        return "sign-in"
    if guest.place is Place.HALFWAY:
        return "in" if page.right is Open.HALFWAY else "step"
    if isinstance(page.right, Right) and page.right not in guest.rights:
        return "refused"
    if page.name in READ_BY_ALL:
        issues = guest.place is Place.OWN and guest.role is PersonRole.ISSUING_ADMINISTRATOR
        return "in" if issues else "refused"
    others = guest.place is Place.OTHER and guest.role is not PersonRole.AUDITOR
    return "missing" if page.name in OWNED and others else "in"


def became(answer: TestResponse) -> str:
    """Return what came of a cell, in the words of ``expected``."""
    to = answer.headers.get("Location", "")
    if answer.status_code == 303 and to.startswith("/sign-in"):
        return "step" if re.match(r"/sign-in/(code|enrol)", to) else "sign-in"
    if answer.status_code in {403, 404}:
        return {403: "refused", 404: "missing"}[answer.status_code]
    return "in" if answer.status_code in LETS_IN else f"HTTP {answer.status_code}"


FIRST_STEPS = {"factor", "do_factor", "enrol", "do_enrol", "sign_out", "do_sign_in", "do_welcome"}
"""Pages that may themselves lead to the form or the next step."""
MAY_BE_MISSING = {
    *((page.name, "missing") for page in provider.PAGES),  # there is none: see test_provider
    ("link_person", "missing"),
    ("unlink_person", "missing"),
    ("public_check_one", "missing"),
    ("acknowledge_alert", "missing"),
    ("end_maintenance", "missing"),
    ("settle_proposal", "refused"),
    ("change_person", "refused"),
}


def is_right(page: Page, guest: Guest, answer: TestResponse) -> bool:
    wanted, got = expected(page, guest), became(answer)
    if wanted == got:
        return True
    if wanted == "in" and page.name in FIRST_STEPS:
        return got in {"sign-in", "step", "HTTP 401"}
    return wanted == "in" and (page.name, got) in MAY_BE_MISSING


@pytest.mark.parametrize("guest", GUESTS, ids=str)
def test_each_page_answers_this_visitor_as_its_record_says(matrix: Busy, guest: Guest) -> None:
    house = house_of(matrix, guest)
    browser, named = signed_in(house, guest), places(matrix, guest)
    wrong, soft = [], []
    for page in PAGES_IN_ORDER:
        answer = ask(browser, page, address(page, named))
        if not is_right(page, guest, answer):
            wrong.append((page.name, expected(page, guest), became(answer)))
        policy = answer.headers["Content-Security-Policy"]
        if "frame-ancestors 'none'" not in policy or "unsafe" in policy:
            soft.append((page.name, policy))
        soft += [
            (page.name, name) for name, value in HARDENED.items() if answer.headers[name] != value
        ]
    assert wrong == []
    assert soft == []


def test_no_cell_is_missing() -> None:
    assert {guest.role for guest in GUESTS} == set(PersonRole)
    assert {guest.place for guest in GUESTS} == set(Place)
    every_right = {right for guest in GUESTS for right in guest.rights}
    assert every_right == set(Right)
    assert len(PAGES_IN_ORDER) * len(GUESTS) >= 1_300
    named = {page.name for page in PAGES if "<" in page.path}
    assert named == OWNED | OF_THE_GATEWAY, "say whose the thing is that a page's address names"


FAULTS = (
    "no seal",
    "invented seal",
    "seal of another session",
    "evil origin",
    "no origin",
    "cross-site",
    "same-site",
)


@pytest.mark.parametrize("fault", FAULTS)
def test_no_form_that_is_not_of_this_session_and_site_does_anything(
    matrix: Busy, fault: str
) -> None:
    house = matrix.zm
    mine = house.as_role(PersonRole.ISSUING_ADMINISTRATOR)
    theirs = house.as_role(PersonRole.ISSUING_OFFICER)
    for browser in (mine, theirs):
        browser.get("/account")
    seal = {"no seal": "", "invented seal": "x" * 43, "seal of another session": theirs.seal}
    headers = {
        "evil origin": {"Origin": "https://evil.example"},
        "no origin": {"Origin": "null"},
        "cross-site": {"Sec-Fetch-Site": "cross-site"},
        "same-site": {"Sec-Fetch-Site": "same-site"},
    }
    opened = []
    for page in PAGES:
        if page.method is Method.POST:
            answer = mine.client.post(
                address(page),
                base_url="https://console.example",
                data={"seal": seal.get(fault, mine.seal)},
                headers=headers.get(fault, {}),
            )
            if answer.status_code != 403:
                opened.append((page.name, answer.status_code))
    assert opened == []


def test_a_session_that_was_brought_along_is_not_adopted(matrix: Busy) -> None:
    """Whoever plants a cookie knows no session afterwards (session fixation)."""
    house, planted = matrix.zm, "A" * 43
    browser = house.browser()
    browser.address = "203.0.113.9"
    browser.client.set_cookie("__Host-eco", planted, domain="console.example", secure=True)
    code = house.enter("fixed", PersonRole.OPERATOR)
    browser.get("/welcome")
    browser.post("/welcome", login="fixed", code=code, password=PASSWORD, again=PASSWORD)
    halfway = browser.client.get_cookie("__Host-eco", domain="console.example")
    browser.follow("/")
    browser.post("/sign-in/enrol", code=house.code_of("fixed"))
    whole = browser.client.get_cookie("__Host-eco", domain="console.example")
    assert len({planted, halfway.value, whole.value}) == 3
    assert visitor_of(house.desk, planted) is None
    assert visitor_of(house.desk, halfway.value) is None


def test_nobody_ends_the_session_of_somebody_else(matrix: Busy) -> None:
    house = matrix.ke
    victim, other = (
        house.as_role(PersonRole.CUSTOMS_OFFICER),
        house.as_role(PersonRole.ORIGIN_UNIT),
    )
    token = victim.client.get_cookie("__Host-eco", domain="console.example").value
    (session,) = sessions_of(house.desk, visitor_of(house.desk, token))
    other.get("/account")
    assert other.post(f"/account/sessions/{session.id}/end").status_code in {303, 404}
    assert visitor_of(house.desk, token) is not None


def test_a_page_answers_to_the_method_in_the_table_only(matrix: Busy) -> None:
    browser = matrix.zm.as_role(PersonRole.ISSUING_ADMINISTRATOR)
    allowed: dict[str, set[str]] = {}
    for page in PAGES:
        allowed.setdefault(address(page), set()).add(page.method.value)
    taken = []
    for path, methods in allowed.items():
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} - methods:
            answer = browser.client.open(path, method=method, base_url="https://console.example")
            if answer.status_code not in {404, 405}:
                taken.append((method, path, answer.status_code))
    assert taken == []
