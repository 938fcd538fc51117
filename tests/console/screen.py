"""A real browser before two busy consoles; one for all tests of a process."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from gateway.services.people.openid import BACK
from gateway.services.people.roles import RIGHTS_OF, Right
from gateway.store import PersonRole
from gateway.web.console import PAGES
from gateway.web.console.pages import Method, Open, Page
from tests.browsers import FLAGS
from tests.console.busy import Busy
from tests.console.house import PASSWORD, House
from tests.console.test_rights import PLACES, address
from tests.node_packages import node_package

AXE = "axe-core@4.14.1"
SESSION = "__Host-eco"
HALFWAY, CHIEF = "halfway", "chief"


@dataclass
class Screen:
    """Is a browser in which people of every role have signed in at both consoles."""

    busy: Busy
    browser: Any
    base: dict[int, str]
    axe: str = field(repr=False)
    _contexts: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def house(self) -> House:
        """The console of Kenya, which everything came to."""
        return self.busy.ke

    def url(self, house: House) -> str:
        return self.base[id(house)]

    def opened(self, who: Any, house: House, **screen: Any) -> Any:
        """Return a page of the browser, the same one for the same person and screen."""
        key = (who, id(house), repr(screen))
        if key not in self._contexts:
            self._contexts[key] = self._page(who, house, screen)
        return self._contexts[key]

    def _page(self, who: Any, house: House, screen: dict[str, Any]) -> Any:
        context = self.browser.new_context(ignore_https_errors=True, **screen)
        token = session_of(house, who)
        if token is not None:
            cookie = {"name": SESSION, "value": token, "url": self.url(house), "secure": True}
            context.add_cookies([cookie])
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda message: page.faults.append(message.text))
        return page


def session_of(house: House, who: Any) -> str | None:
    """Return the token of the session of ``who``: a role, the chief, one halfway, or nobody."""
    if who is None:
        return None
    browser = house.as_role(who) if isinstance(who, PersonRole) else _special(house, who)
    cookie = browser.client.get_cookie(SESSION, domain="console.example")
    assert cookie is not None
    return cookie.value


def _special(house: House, who: str) -> Any:
    if who not in house.signed_in:
        if who == CHIEF:
            chief = house.sign_in("chief", PersonRole.ISSUING_ADMINISTRATOR, administers=True)
            house.signed_in[CHIEF] = chief
        else:
            code = house.enter("halfway", PersonRole.CUSTOMS_OFFICER)
            browser = house.browser()
            browser.get("/welcome")
            browser.post("/welcome", login="halfway", code=code, password=PASSWORD, again=PASSWORD)
            house.signed_in[HALFWAY] = browser
    return house.signed_in[who]


def who_opens(page: Page) -> Any:
    """Return who gets to a page: nobody in particular, one halfway, the chief or a role."""
    if page.right is Open.PUBLIC:
        return None
    if page.right is Open.HALFWAY:
        return HALFWAY
    if page.right is Right.PEOPLE:
        return CHIEF
    if not isinstance(page.right, Right):
        return PersonRole.CUSTOMS_OFFICER
    return next(role for role in _BUSIEST_FIRST if page.right in RIGHTS_OF[role])


_BUSIEST_FIRST = (PersonRole.CUSTOMS_OFFICER, PersonRole.OPERATOR, *PersonRole)


@dataclass(frozen=True)
class Sight:
    """Is one page with content, and who looks at it where."""

    page: Page
    path: str
    who: Any
    house: House


def sight(busy: Busy, page: Page) -> Sight:
    """Return a page as whoever has its right comes to it, with real parameters."""
    who = who_opens(page)
    role = who if isinstance(who, PersonRole) else PersonRole.CUSTOMS_OFFICER
    role = PersonRole.ISSUING_ADMINISTRATOR if who == CHIEF else role
    house = busy.house_of(role)
    other = "KE-SW" if house is busy.zm else "ZM-SW"
    places = PLACES | {
        "message_id": busy.dead if house is busy.zm else busy.crossed,
        "message": busy.crossed,
        "text": busy.code,
        "identifier": other,
    }
    return Sight(page=page, path=address(page, places), who=who, house=house)


def is_html(seen: Sight) -> bool:
    """Return whether a page is one for people, and not a file."""
    if seen.who is None:
        client = seen.house.browser()
    else:
        session_of(seen.house, seen.who)
        client = seen.house.signed_in[seen.who]
    answer = client.get(seen.path)
    assert answer.status_code in {200, 303}, (seen.path, answer.get_data(as_text=True))
    return answer.mimetype == "text/html" and "Content-Disposition" not in answer.headers


GETS = tuple(page for page in PAGES if page.method is Method.GET and page.path != BACK)
"""Pages that show something of their own; the way back from a provider leads on."""


def axe_source() -> str:
    source = node_package("axe", AXE) / "node_modules" / "axe-core" / "axe.min.js"
    return source.read_text(encoding="utf-8")


@contextmanager
def served(app: Flask) -> Iterator[BaseWSGIServer]:
    """Serve an app over TLS; another one may be put in its place."""
    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context="adhoc")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def before(busy: Busy) -> Iterator[Screen]:
    """Give a browser before both consoles."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with ExitStack() as stack:
        servers = {id(each): stack.enter_context(served(each.app)) for each in (busy.zm, busy.ke)}
        base = {key: f"https://127.0.0.1:{each.server_port}" for key, each in servers.items()}
        started = stack.enter_context(playwright.sync_playwright())
        browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
        stack.callback(browser.close)
        yield Screen(busy=busy, browser=browser, base=base, axe=axe_source())
