"""Getting in: first password, second factor, guessing, sessions, signing out."""

from __future__ import annotations

import pytest

from gateway.services.people import directory, patience, second_factor
from gateway.store import JournalAction, PersonRole, PersonState, journal, people
from tests.console.house import PASSWORD, Browser, House

OFFICER = PersonRole.ISSUING_OFFICER


def sign_in(browser: Browser, login: str, password: str = PASSWORD):
    browser.get("/sign-in")
    return browser.post("/sign-in", login=login, password=password)


def test_a_new_person_sets_a_password_and_a_second_factor_and_is_in(house: House) -> None:
    browser = house.sign_in("mary", OFFICER)
    page = browser.last.get_data(as_text=True)
    assert page.count('class="code"') == second_factor.RECOVERY_CODES
    assert browser.get("/").status_code == 200


def test_who_has_not_signed_in_is_led_to_the_form_and_back(house: House) -> None:
    answer = house.browser().get("/find?q=ZM")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=/find?q%3DZM"


def test_the_password_alone_opens_nothing(house: House) -> None:
    house.sign_in("mary", OFFICER)
    browser = house.browser()
    assert sign_in(browser, "mary").status_code == 303
    assert browser.get("/").headers["Location"] == "/sign-in/code"
    assert browser.get("/account").status_code == 303


def test_a_code_of_the_app_opens_once_only(house: House) -> None:
    house.sign_in("mary", OFFICER)
    house.clock.move(minutes=1)
    code = house.code_of("mary")
    for status in (303, 401):
        browser = house.browser()
        sign_in(browser, "mary")
        browser.get("/sign-in/code")
        assert browser.post("/sign-in/code", code=code).status_code == status


def test_a_recovery_code_opens_once_and_is_journalled(house: House) -> None:
    first = house.sign_in("mary", OFFICER)
    page = first.last.get_data(as_text=True)
    recovery = page.split('translate="no">')[1].split("<")[0]
    for status in (303, 401):
        browser = house.browser()
        sign_in(browser, "mary")
        browser.get("/sign-in/code")
        assert browser.post("/sign-in/code", code=recovery).status_code == status
    with house.desk.store.read() as conn:
        used = journal.page(conn, action=JournalAction.RECOVERY_CODE_USED, limit=9)
    assert [entry.detail["left"] for entry in used] == [second_factor.RECOVERY_CODES - 1]


def test_an_unknown_login_reads_like_a_wrong_password(house: House) -> None:
    house.sign_in("mary", OFFICER)
    pages = []
    for login in ("mary", "nobody"):
        browser = house.browser()
        answer = sign_in(browser, login, "wrong wrong wrong")
        assert answer.status_code == 401
        text = answer.get_data(as_text=True).replace(login, "").replace(browser.seal, "")
        pages.append(text)
    assert pages[0] == pages[1]


def test_five_failures_slow_down_one_network_but_not_the_owner_elsewhere(house: House) -> None:
    house.sign_in("mary", OFFICER)
    thief = house.browser()
    thief.address = "198.51.100.7"
    answers = [sign_in(thief, "mary", "wrong wrong").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    assert sign_in(thief, "mary").status_code == 429
    assert sign_in(house.browser(), "mary").status_code == 303


def test_many_networks_cannot_keep_the_owner_out_from_where_the_owner_works(house: House) -> None:
    house.sign_in("mary", OFFICER)
    mac = house.desk.secrets.mac("login", "mary")
    with house.desk.store.begin() as conn:
        for number in range(patience.PER_LOGIN):
            people.add_failure(
                conn, at=house.clock(), login_mac=mac, network=f"203.0.{number}.0/24"
            )
    stranger = house.browser()
    stranger.address = "198.51.100.9"
    assert sign_in(stranger, "mary").status_code == 429
    assert sign_in(house.browser(), "mary").status_code == 303


def test_the_session_has_another_token_after_each_step(house: House) -> None:
    house.sign_in("mary", OFFICER)
    house.clock.move(minutes=1)
    browser = house.browser()
    browser.client.set_cookie("__Host-eco", "a" * 43, domain="console.example", secure=True)
    sign_in(browser, "mary")
    first = browser.client.get_cookie("__Host-eco", domain="console.example").value
    browser.get("/sign-in/code")
    browser.post("/sign-in/code", code=house.code_of("mary"))
    second = browser.client.get_cookie("__Host-eco", domain="console.example").value
    assert len({"a" * 43, first, second}) == 3
    browser.client.set_cookie("__Host-eco", first, domain="console.example", secure=True)
    assert browser.get("/").status_code == 303


def test_signing_out_kills_the_session_on_the_server(house: House) -> None:
    browser = house.sign_in("mary", OFFICER)
    token = browser.client.get_cookie("__Host-eco", domain="console.example").value
    browser.get("/account")
    assert browser.post("/sign-out").status_code == 303
    browser.client.set_cookie("__Host-eco", token, domain="console.example", secure=True)
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize("span", [{"minutes": 31}, {"hours": 13}])
def test_a_session_ends_by_itself(house: House, span: dict[str, float]) -> None:
    browser = house.sign_in("mary", OFFICER)
    if "hours" in span:  # used all the while
        for _ in range(26):
            house.clock.move(minutes=29)
            browser.get("/")
    else:
        house.clock.move(**span)
    assert browser.get("/").status_code == 303


def test_a_suspended_person_is_out_at_once(house: House) -> None:
    browser = house.sign_in("mary", OFFICER)
    directory.set_state(house.desk, "mary", PersonState.SUSPENDED, actor="user:test", reason="left")
    assert browser.get("/").status_code == 303
    assert sign_in(house.browser(), "mary").status_code == 401


def test_a_new_password_ends_the_other_sessions(house: House) -> None:
    first = house.sign_in("mary", OFFICER)
    house.clock.move(minutes=1)
    second = house.browser()
    sign_in(second, "mary")
    second.get("/sign-in/code")
    second.post("/sign-in/code", code=house.code_of("mary"))
    second.get("/account")
    new = "copper lantern walks seven"
    answer = second.post("/account/password", present=PASSWORD, password=new, again=new)
    assert answer.status_code == 200
    assert second.get("/").status_code == 200
    assert first.get("/").status_code == 303


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "fewer than 12"),
        ("x" * 257, "more than 256"),
        ("password1234", "easy to guess"),
        ("mary mwale mary", "easy to guess"),
        ("marymarymary", "easy to guess"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(house: House, password: str, said: str) -> None:
    code = house.enter("mary", OFFICER)
    browser = house.browser()
    browser.get("/welcome")
    answer = browser.post("/welcome", login="mary", code=code, password=password, again=password)
    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)
    browser.get("/welcome")  # the code still holds
    answer = browser.post("/welcome", login="mary", code=code, password=PASSWORD, again=PASSWORD)
    assert answer.status_code == 303


def test_a_one_time_code_opens_once_and_not_after_its_end(house: House) -> None:
    code = house.enter("mary", OFFICER)
    house.clock.move(hours=73)
    browser = house.browser()
    browser.get("/welcome")
    form = {"login": "mary", "password": PASSWORD, "again": PASSWORD}
    assert browser.post("/welcome", code=code, **form).status_code == 401
    fresh = directory.invite(house.desk, "mary", actor="user:test").code
    for status in (303, 401):
        other = house.browser()
        other.get("/welcome")
        assert other.post("/welcome", code=fresh, **form).status_code == status


def test_the_books_hold_no_password_token_seed_or_code(house: House) -> None:
    browser = house.sign_in("mary", OFFICER)
    token = browser.client.get_cookie("__Host-eco", domain="console.example").value
    with house.desk.store.read() as conn:
        person = people.by_login(conn, "mary")
        driver = conn.connection.driver_connection
        assert driver is not None
        dump = "\n".join(driver.iterdump())
    assert person.password_hash is not None
    assert person.password_hash.startswith("$argon2id$")
    for secret in (PASSWORD, token, house.desk.secrets.seed(person.id, person.factor_version)):
        assert secret not in dump


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_signing_in_leads_to_no_other_site(house: House, to: str) -> None:
    house.sign_in("mary", OFFICER)
    browser = house.browser()
    browser.get(f"/sign-in?next={to}")
    answer = browser.post("/sign-in", login="mary", password=PASSWORD, next=to)
    assert answer.headers["Location"] == "/sign-in/code?next=/"
