"""Pages of getting in and out: sign in, welcome, second factor, sign out."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import segno
from markupsafe import Markup

from gateway.errors import SignInError, SlowDownError, WeakPasswordError
from gateway.services.people import second_factor, sessions, signing_in
from gateway.services.people.sessions import Entry
from gateway.web.console.guard import local_path
from gateway.web.console.pages import Answer, Away, Go, Method, Open, Page, Shown, Visit

_LONGEST: Final = 1_000


def show_sign_in(visit: Visit) -> Answer:
    """Show the form for login and password."""
    if visit.visitor is not None:
        return Go(to="/")
    return _sign_in_page(visit, local_path(visit.query.get("next", "/")))


def sign_in(visit: Visit) -> Answer:
    """Open a session and lead on to where the visitor wanted to go."""
    to = local_path(visit.form.get("next", "/"))
    login, password = visit.form.get("login", ""), visit.form.get("password", "")
    try:
        entry = signing_in.sign_in(
            visit.people, login[:_LONGEST], password[:_LONGEST], visit.origin
        )
    except (SignInError, SlowDownError) as exc:
        return _sign_in_page(visit, to, failure=exc.code, status=exc.http_status)
    return onwards(entry, to)


def onwards(entry: Entry, to: str) -> Go:
    """Return where a new session leads: on, or to the second factor first."""
    if entry.visitor.has_factor:
        return Go(to=to, entry=entry)
    return Go(to=f"/sign-in/code?next={quote(to, safe='/')}", entry=entry)


def show_welcome(visit: Visit) -> Answer:
    """Show the form on which a one-time code is turned into a password."""
    if visit.visitor is not None:
        return Go(to="/")
    return Shown(template="welcome.html", values={"failure": None, "login": ""})


def welcome(visit: Visit) -> Answer:
    """Set the first password, or a new one, and open a session."""
    login, code = visit.form.get("login", ""), visit.form.get("code", "")
    password, again = visit.form.get("password", ""), visit.form.get("again", "")
    failure, status = "UNEQUAL", 422
    if password == again:
        try:
            entry = signing_in.welcome(
                visit.people, login[:_LONGEST], code[:_LONGEST], password[:_LONGEST], visit.origin
            )
            return Go(to="/", entry=entry)
        except WeakPasswordError as exc:
            failure, status = exc.fault, exc.http_status
        except (SignInError, SlowDownError) as exc:
            failure, status = exc.code, exc.http_status
    values = {"failure": failure, "login": login}
    return Shown(template="welcome.html", values=values, status=status)


def show_factor(visit: Visit) -> Answer:
    """Show the form for the code of the second factor."""
    if visit.person.has_factor:
        return Go(to="/")
    if not visit.person.person.factor_confirmed:
        return Go(to="/sign-in/enrol")
    return _factor_page(local_path(visit.query.get("next", "/")))


def show_code(visit: Visit) -> Answer:
    """Open the session wholly with a code of the app, or a recovery code."""
    to = local_path(visit.form.get("next", "/"))
    try:
        entry = second_factor.show_factor(
            visit.people, visit.person, visit.form.get("code", "")[:_LONGEST], visit.origin
        )
    except (SignInError, SlowDownError) as exc:
        return _factor_page(to, failure=exc.code, status=exc.http_status)
    return Go(to=to, entry=entry)


def show_enrol(visit: Visit) -> Answer:
    """Show the seed of a second factor, as picture and as text, and ask for its first code."""
    if visit.person.person.factor_confirmed:
        return Go(to="/account")
    return _enrol_page(visit)


def enrol(visit: Visit) -> Answer:
    """Confirm the second factor, and show the recovery codes this once."""
    if visit.person.person.factor_confirmed:
        return Go(to="/account")
    try:
        entry, codes = second_factor.confirm_factor(
            visit.people, visit.person, visit.form.get("code", "")[:_LONGEST], visit.origin
        )
    except (SignInError, SlowDownError) as exc:
        return _enrol_page(visit, failure=exc.code, status=exc.http_status)
    return Shown(template="recovery.html", values={"codes": codes}, entry=entry)


def sign_out(visit: Visit) -> Answer:
    """End the session, in the books as in the browser, and at the provider if that offers it."""
    sessions.sign_out(visit.people, visit.person)
    provider = visit.people.provider
    if provider is not None and visit.person.through_provider:
        farewell = provider.farewell()
        if farewell is not None:
            return Away(to=farewell, leaves=True)
    return Go(to="/sign-in", leaves=True)


def _sign_in_page(visit: Visit, to: str, *, failure: str | None = None, status: int = 200) -> Shown:
    values = {
        "failure": failure,
        "next": to,
        "login": visit.form.get("login", ""),
        "provider": visit.people.provider,
        "local": visit.people.local_accounts,
    }
    return Shown(template="sign_in.html", values=values, status=status)


def _factor_page(to: str, *, failure: str | None = None, status: int = 200) -> Shown:
    return Shown(template="factor.html", values={"failure": failure, "next": to}, status=status)


def _enrol_page(visit: Visit, *, failure: str | None = None, status: int = 200) -> Shown:
    person, seed = second_factor.enrol(visit.people, visit.person)
    address = visit.people.secrets.address(person.login, seed)
    picture = segno.make(address, error="m").svg_inline(scale=4, border=4, omitsize=True)
    groups = " ".join(seed[at : at + 4] for at in range(0, len(seed), 4))
    values = {"failure": failure, "picture": Markup(picture), "seed": groups}  # noqa: S704
    return Shown(template="enrol.html", values=values, status=status)


PAGES: Final = (
    Page(name="sign_in", path="/sign-in", right=Open.PUBLIC, handler=show_sign_in),
    Page(
        name="do_sign_in",
        path="/sign-in",
        right=Open.PUBLIC,
        handler=sign_in,
        method=Method.POST,
    ),
    Page(name="welcome", path="/welcome", right=Open.PUBLIC, handler=show_welcome),
    Page(
        name="do_welcome",
        path="/welcome",
        right=Open.PUBLIC,
        handler=welcome,
        method=Method.POST,
    ),
    Page(name="factor", path="/sign-in/code", right=Open.HALFWAY, handler=show_factor),
    Page(
        name="do_factor",
        path="/sign-in/code",
        right=Open.HALFWAY,
        handler=show_code,
        method=Method.POST,
    ),
    Page(name="enrol", path="/sign-in/enrol", right=Open.HALFWAY, handler=show_enrol),
    Page(
        name="do_enrol",
        path="/sign-in/enrol",
        right=Open.HALFWAY,
        handler=enrol,
        method=Method.POST,
    ),
    Page(
        name="sign_out",
        path="/sign-out",
        right=Open.HALFWAY,
        handler=sign_out,
        method=Method.POST,
    ),
)
