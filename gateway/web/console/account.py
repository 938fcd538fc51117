"""Pages of one's own account: password, sessions, language."""

from __future__ import annotations

from typing import Final

from gateway.documents import Language
from gateway.errors import SignInError, WeakPasswordError
from gateway.services.people import linking, sessions, signing_in
from gateway.store import people
from gateway.web.console.pages import Answer, Go, Method, Open, Page, Shown, Visit

_LONGEST: Final = 1_000


def show_account(visit: Visit) -> Answer:
    """Show the account with its open sessions."""
    return account_page(visit)


def change_password(visit: Visit) -> Answer:
    """Set a new password; other sessions end."""
    new, again = visit.form.get("password", ""), visit.form.get("again", "")
    if new != again:
        return account_page(visit, failure="UNEQUAL", status=422)
    try:
        signing_in.change_password(
            visit.people,
            visit.person,
            visit.form.get("present", "")[:_LONGEST],
            new[:_LONGEST],
        )
    except WeakPasswordError as exc:
        return account_page(visit, failure=exc.fault, status=exc.http_status)
    except SignInError as exc:
        return account_page(visit, failure=exc.code, status=422)
    return account_page(visit, done=True)


def end_session(visit: Visit) -> Answer:
    """End one of one's own sessions."""
    number = visit.path["number"]
    sessions.sign_out(visit.people, visit.person, session_id=int(number))
    return Go(to="/account")


def set_language(visit: Visit) -> Answer:
    """Keep a language with the account."""
    chosen = visit.form.get("language", "")
    if chosen in {each.value for each in Language}:
        desk = visit.people
        with desk.store.begin() as conn:
            people.change(conn, visit.person.person, at=desk.clock(), language=chosen)
        return Go(to=f"/account?lang={chosen}")
    return Go(to="/account")


def account_page(
    visit: Visit,
    *,
    failure: str | None = None,
    link_failure: str | None = None,
    done: bool = False,
    status: int = 200,
) -> Shown:
    """Return the page of the visitor's own account.

    Args:
        failure: why the password was not changed.
        link_failure: why the identity was not linked.
        done: the password was changed.
    """
    values = {
        "failure": failure,
        "link_failure": link_failure,
        "done": done,
        "provider": visit.people.provider,
        "local": visit.people.local_accounts,
        "identity": linking.identity_of(visit.people, visit.person.person),
        "sessions": sessions.sessions_of(visit.people, visit.person),
    }
    return Shown(template="account.html", values=values, status=status)


PAGES: Final = (
    Page(name="account", path="/account", right=Open.SIGNED_IN, handler=show_account),
    Page(
        name="change_password",
        path="/account/password",
        right=Open.SIGNED_IN,
        handler=change_password,
        method=Method.POST,
    ),
    Page(
        name="end_session",
        path="/account/sessions/<int:number>/end",
        right=Open.SIGNED_IN,
        handler=end_session,
        method=Method.POST,
    ),
    Page(
        name="set_language",
        path="/account/language",
        right=Open.SIGNED_IN,
        handler=set_language,
        method=Method.POST,
    ),
)
