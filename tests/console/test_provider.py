"""Signing in through an identity provider on a real TLS socket: honest, attacked, and away."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.errors import ConflictError, InputError
from gateway.services.people import directory, linking
from gateway.services.people.directory import PersonOrder
from gateway.services.people.openid import BACK, OpenIdTerms
from gateway.services.people.openid_provider import OpenIdProvider
from gateway.store import (
    JournalAction,
    OrganisationState,
    PersonRole,
    PersonState,
    clients,
    journal,
    people,
)
from gateway.trust.demo_pki import DemoPki
from tests.api.conftest import make_border
from tests.api.identity_provider import SigningKey, b64, mac_token, token
from tests.console.house import HOME_OF, PASSWORD, Browser, House, make_house
from tests.console.identity_provider import CLIENT, SECRET, OpenIdStandIn
from tests.databases import copied_stores
from tests.wire.tls_files import Pair, TestAuthority

CONSOLE = "https://console.example"
OFFICER, CUSTOMS = PersonRole.ISSUING_OFFICER, PersonRole.CUSTOMS_OFFICER
BEFORE = "a" * 43


@cache
def strong() -> SigningKey:
    return SigningKey("k1", rsa.generate_private_key(65537, 2048))


@dataclass
class Monotonic:
    """Is the clock by which the provider is asked again."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Stage:
    """Is one gateway with its provider; each test opens a console of its own over it."""

    idp: OpenIdStandIn
    ca: Path
    whole: House
    known: int = 0
    entering: House | None = None

    def console(self, *, seconds: float = 6.0, clock: Any = None, **terms: Any) -> House:
        said = {
            "issuer": self.idp.issuer,
            "name": "National <ID>",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "console": CONSOLE,
            "ca": self.ca,
            "factor_amr": ("otp",),
        } | terms
        provider = OpenIdProvider(
            OpenIdTerms(**said), seconds=seconds, clock=clock or time.monotonic
        )
        return make_house(self.whole.front, provider=provider, clock=self.whole.clock)

    def person(self, role: PersonRole = OFFICER, *, linked: bool = True) -> str:
        """Enter a person who has no password; their subject is the login behind ``sub-``."""
        self.known += 1
        login = f"person-{self.known}"
        house = self.entering = self.entering or self.console()
        with house.desk.store.read() as conn:
            owner = next(each for each in clients.every(conn) if each.kind is HOME_OF[role])
        order = PersonOrder(login=login, name="Mary Banda", role=role)
        directory.enter_for_provider(house.desk, owner, order, actor="user:test")
        if linked:
            linking.link(house.desk, login, f"sub-{login}", actor="user:test")
        self.idp.subject = f"sub-{login}"
        return login

    def led_back(self, browser: Browser, to: str = "/") -> str:
        """Press the button, sign in at the provider, and return the path it leads back to."""
        browser.get("/sign-in")
        answer = browser.post("/sign-in/provider", next=to)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        back = self.idp.visited(answer.headers["Location"], self.ca)
        assert back.startswith(f"{CONSOLE}{BACK}?")
        return back.removeprefix(CONSOLE)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TestAuthority:
    return TestAuthority(tmp_path_factory.mktemp("openid"), "openid-ca")


@pytest.fixture(scope="module")
def server_pair(authority: TestAuthority) -> Pair:
    return authority.issue("openid", "localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def whole(
    pki: DemoPki, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with copied_stores(sqlite_template, tmp_path_factory.mktemp("provider")) as make:
        yield make_house(make_border(pki, make).zm)


@pytest.fixture(scope="module")
def kept_stage(whole: House, authority: TestAuthority, server_pair: Pair) -> Iterator[Stage]:
    idp = OpenIdStandIn(server_pair, redirect_uri=f"{CONSOLE}{BACK}", clock=whole.clock)
    yield Stage(idp=idp, ca=authority.ca, whole=whole)
    idp.close()


@pytest.fixture
def stage(kept_stage: Stage) -> Iterator[Stage]:
    """Gives the stage with an honest provider."""
    idp = kept_stage.idp
    before = {
        name: getattr(idp, name)
        for name in ("bend", "sign", "asks", "checks_pkce", "names_itself", "key")
    }
    idp.answers, idp.described, idp.spoken, idp.asked, idp.pause = {}, {}, {}, [], 0.0
    yield kept_stage
    for name, value in before.items():
        setattr(idp, name, value)
    idp.shown, idp.pause = [idp.key], 0.0


def cookie(browser: Browser, name: str = "__Host-eco") -> str | None:
    found = browser.client.get_cookie(name, domain="console.example")
    return None if found is None else found.value


def put_cookie(browser: Browser, value: str, name: str = "__Host-eco") -> None:
    browser.client.set_cookie(name, value, domain="console.example", secure=True)


def is_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


def refused(browser: Browser, path: str, status: int, code: str) -> str:
    """Ask for a page, which must be refused with this code and open nothing; return it."""
    page = browser.get(path)
    text = page.get_data(as_text=True)
    assert (page.status_code, code in text) == (status, True), text
    assert not is_in(browser)
    return text


# --- the honest way ------------------------------------------------------------------------


def test_whoever_is_linked_signs_in_through_the_provider_and_lands_where_they_wanted(
    stage: Stage,
) -> None:
    login = stage.person()
    house = stage.console()
    browser = house.browser()
    assert browser.get("/find?q=a&kind=b").headers["Location"].startswith("/sign-in?next=")
    answer = browser.get(stage.led_back(browser, "/find?q=a&kind=b"))
    assert answer.headers["Location"] == "/find?q=a&kind=b"
    assert cookie(browser, "__Host-eco-way") is None
    assert is_in(browser)
    with house.desk.store.read() as conn:
        entry = journal.page(conn, action=JournalAction.PERSON_SIGNED_IN, limit=1)[0]
    assert (entry.subject, entry.detail["through"]) == (login, "provider")


def test_the_provider_is_asked_with_pkce_state_and_nonce_and_never_told_a_secret_in_an_address(
    stage: Stage,
) -> None:
    stage.person()
    browser = stage.console(factor_acr=("gold",)).browser()
    back = stage.led_back(browser)
    asked = stage.idp.asked_for
    assert asked["redirect_uri"] == f"{CONSOLE}{BACK}"
    assert (asked["scope"], asked["acr_values"]) == ("openid", "gold")
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    browser.get(back)
    assert not [path for path in stage.idp.asked if "s3cret" in urllib.parse.unquote(path)]


def test_a_provider_that_takes_the_secret_in_the_form_only_gets_it_there(stage: Stage) -> None:
    stage.person()
    stage.idp.described["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    browser = stage.console().browser()
    assert browser.get(stage.led_back(browser)).status_code == 303
    assert is_in(browser)


def test_the_session_has_another_token_after_signing_in_and_the_one_before_is_dead(
    stage: Stage,
) -> None:
    stage.person()
    house = stage.console()
    browser = house.browser()
    back = stage.led_back(browser)
    put_cookie(browser, BEFORE)
    browser.get(back)
    first = cookie(browser)
    assert first not in {None, BEFORE}
    # a second journey that began before somebody signed in ends the session that it finds
    other = house.browser()
    back = stage.led_back(other)
    put_cookie(other, first)
    other.get(back)
    assert cookie(other) != first
    assert not is_in(browser)


def test_the_books_hold_no_state_nonce_verifier_code_or_token_of_the_provider(
    stage: Stage,
) -> None:
    stage.person()
    house = stage.console()
    browser = house.browser()
    back = stage.led_back(browser)
    way = cookie(browser, "__Host-eco-way")
    said = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query))
    secrets = [said["code"], said["state"], stage.idp.asked_for["nonce"], way]
    browser.get(back)
    with house.desk.store.read() as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        dump = "\n".join(driver.iterdump())
    assert [secret for secret in secrets if secret in dump] == []


def test_keys_of_the_provider_may_change_while_the_console_runs(stage: Stage) -> None:
    stage.person()
    clock = Monotonic()
    house = stage.console(clock=clock)
    browser = house.browser()
    assert browser.get(stage.led_back(browser)).status_code == 303
    stage.idp.rotate("k2", keep=False)
    clock.now += 11
    other = house.browser()
    assert other.get(stage.led_back(other)).status_code == 303
    assert is_in(other)


# --- who comes back ------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["missing", "other", "doubled", "of another browser"])
def test_a_state_that_is_not_of_this_browser_opens_nothing(stage: Stage, fault: str) -> None:
    stage.person()
    house = stage.console()
    browser = house.browser()
    parts = urllib.parse.urlsplit(stage.led_back(browser))
    said = dict(urllib.parse.parse_qsl(parts.query))
    foreign = stage.led_back(house.browser())
    if fault == "of another browser":  # who signs a victim in as themselves
        refused(browser, foreign, 400, "SIGN_IN_LOST")
    else:
        state = said.pop("state")
        more = {"missing": {}, "other": {"state": "x" * 64}, "doubled": {"state": state + state}}
        query = urllib.parse.urlencode(said | more[fault])
        refused(browser, f"{BACK}?{query}", 400, "SIGN_IN_LOST")
    assert "/realms/customs/token" not in stage.idp.asked


def test_a_browser_that_began_nothing_opens_nothing(stage: Stage) -> None:
    stage.person()
    house = stage.console()
    back = stage.led_back(house.browser())
    refused(house.browser(), back, 400, "SIGN_IN_LOST")


def test_an_address_back_is_good_once_whatever_the_browser_kept(stage: Stage) -> None:
    stage.person()
    house = stage.console()
    browser = house.browser()
    back = stage.led_back(browser)
    way = cookie(browser, "__Host-eco-way")
    assert browser.get(back).status_code == 303
    thief = house.browser()
    put_cookie(thief, way, "__Host-eco-way")
    stage.idp.asked.clear()
    refused(thief, back, 400, "SIGN_IN_LOST")
    assert stage.idp.asked == []


def test_a_journey_ends_after_ten_minutes(stage: Stage) -> None:
    stage.person()
    browser = stage.console().browser()
    back = stage.led_back(browser)
    stage.whole.clock.move(minutes=10)
    refused(browser, back, 400, "SIGN_IN_LOST")


def test_a_code_that_was_redeemed_before_opens_nothing(stage: Stage) -> None:
    stage.person()
    house = stage.console()
    first = house.browser()
    used = stage.led_back(first)
    first.get(used)
    code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(used).query))["code"]
    stage.idp.spoken = {"code": code}
    second = house.browser()
    refused(second, stage.led_back(second), 400, "SIGN_IN_LOST")


@pytest.mark.parametrize(
    ("checks_pkce", "status", "code"), [(True, 400, "SIGN_IN_LOST"), (False, 401, "ID_TOKEN")]
)
def test_a_stolen_code_put_into_ones_own_journey_opens_nothing(
    stage: Stage, checks_pkce: bool, status: int, code: str
) -> None:
    stage.person()
    stage.idp.checks_pkce = checks_pkce
    house = stage.console()
    stolen = stage.led_back(house.browser())  # its owner never gets to redeem it
    stage.idp.spoken = {
        "code": dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(stolen).query))["code"]
    }
    thief = house.browser()
    refused(thief, stage.led_back(thief), status, code)


@pytest.mark.parametrize("said", [{"iss": "https://evil.example"}, {"iss": ""}, None])
def test_an_answer_of_another_provider_is_never_redeemed(
    stage: Stage, said: dict[str, str] | None
) -> None:
    stage.person()
    browser = stage.console().browser()
    if said is None:  # ours states its name always
        stage.idp.names_itself = False
        stage.idp.described["authorization_response_iss_parameter_supported"] = True
    else:
        stage.idp.spoken = said
    back = stage.led_back(browser)
    refused(browser, back, 400, "SIGN_IN_LOST")
    assert "/realms/customs/token" not in stage.idp.asked


def test_a_provider_that_never_states_its_name_may_leave_it_out(stage: Stage) -> None:
    stage.person()
    stage.idp.names_itself = False
    browser = stage.console().browser()
    assert browser.get(stage.led_back(browser)).status_code == 303
    assert is_in(browser)


def test_a_refusal_of_the_provider_is_told_without_its_words(stage: Stage) -> None:
    stage.person()
    browser = stage.console().browser()
    stage.idp.spoken = {"error": "access_denied", "error_description": "<script>alert(1)</script>"}
    page = refused(browser, stage.led_back(browser), 403, "PROVIDER_REFUSED")
    assert "alert(1)" not in page


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_signing_in_through_the_provider_leads_to_no_other_site(stage: Stage, to: str) -> None:
    stage.person()
    browser = stage.console().browser()
    assert browser.get(stage.led_back(browser, to)).headers["Location"] == "/"


# --- what it states ------------------------------------------------------------------------


def changed(**members: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what puts these claims in the place of the sound ones; None leaves one out."""
    return lambda claims: claims | members


def moved(**seconds: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what moves times."""
    return lambda claims: claims | {name: claims["iat"] + by for name, by in seconds.items()}


@pytest.mark.parametrize(
    ("bend", "code"),
    [
        (changed(iss="https://evil.example"), "ID_TOKEN"),
        (changed(aud="another client"), "ID_TOKEN"),
        (changed(aud=[CLIENT, "another client"]), "ID_TOKEN"),
        (changed(aud=[]), "ID_TOKEN"),
        (changed(azp="another client"), "ID_TOKEN"),
        (changed(nonce="n" * 64), "ID_TOKEN"),
        (changed(nonce=None), "ID_TOKEN"),
        (changed(sub=None), "ID_TOKEN"),
        (changed(sub=""), "ID_TOKEN"),
        (changed(sub=17), "ID_TOKEN"),
        (changed(exp=None), "ID_TOKEN"),
        (changed(exp="9999999999"), "ID_TOKEN"),
        (changed(at_hash=b64(bytes(16))), "ID_TOKEN"),
        (changed(amr="otp"), "ID_TOKEN"),
        (moved(exp=-31), "PROVIDER_CLOCK"),
        (moved(iat=31), "PROVIDER_CLOCK"),
        (moved(iat=-631), "PROVIDER_CLOCK"),
        (moved(nbf=31), "PROVIDER_CLOCK"),
    ],
)
def test_a_statement_that_is_not_ours_not_now_or_not_whole_opens_nothing(
    stage: Stage, bend: Callable[[dict[str, Any]], dict[str, Any]], code: str
) -> None:
    stage.person()
    stage.idp.bend = bend
    browser = stage.console().browser()
    refused(browser, stage.led_back(browser), 401, code)


def unsigned(_key: SigningKey, claims: dict[str, Any]) -> str:
    head = {"alg": "none", "typ": "JWT", "kid": "k1"}
    return ".".join((b64(json.dumps(head).encode()), b64(json.dumps(claims).encode()), ""))


@pytest.mark.parametrize(
    "sign",
    [
        unsigned,
        lambda key, claims: mac_token(key.pem, claims, key.kid),
        lambda key, claims: token(key, claims, typ="at+jwt"),
        lambda key, claims: token(key, claims, typ="JWT", alg="RS256"),
        lambda key, claims: token(key, claims, typ="JWT", alg="ES512"),
        lambda key, claims: token(SigningKey("k1"), claims, typ="JWT"),
        lambda key, claims: token(SigningKey("own"), claims, typ="JWT", jwk={"kty": "EC"}),
        lambda key, claims: token(strong(), claims, typ="JWT", kid="k1"),
        lambda key, claims: token(key, claims, typ="JWT", kid=None),
        lambda key, claims: token(key, claims, typ="JWT", crit=["exp"]),
        lambda key, claims: token(key, claims, typ="JWT")[:-4] + "AAAA",
        lambda key, claims: token(key, claims | {"pad": "x" * 40_000}, typ="JWT"),
        lambda key, claims: "no token",
    ],
    ids=[
        "none", "mac", "access token", "wrong family", "wrong size", "foreign key", "own key",
        "other type of key", "no key", "critical", "altered", "too long", "no token",
    ],
)  # fmt: skip
def test_a_statement_that_the_provider_did_not_sign_opens_nothing(
    stage: Stage, sign: Callable[[SigningKey, dict[str, Any]], str]
) -> None:
    stage.person()
    stage.idp.sign = sign
    browser = stage.console().browser()
    refused(browser, stage.led_back(browser), 401, "ID_TOKEN")


def test_a_statement_without_digest_of_the_access_token_or_type_holds(stage: Stage) -> None:
    stage.person()
    stage.idp.bend = changed(at_hash=None, azp=None, aud=[CLIENT])
    stage.idp.sign = lambda key, claims: token(key, claims, typ=None)
    browser = stage.console().browser()
    assert browser.get(stage.led_back(browser)).status_code == 303
    assert is_in(browser)


def test_roles_that_the_provider_states_change_nothing(stage: Stage) -> None:
    login = stage.person(CUSTOMS)
    stage.idp.bend = changed(
        roles=["OPERATOR", "no-such-role"],
        groups=["administrators"],
        preferred_username="somebody-else",
        email="chief@example.org",
    )
    house = stage.console()
    browser = house.browser()
    browser.get(stage.led_back(browser))
    assert login in browser.get("/account").get_data(as_text=True)
    assert browser.get("/desk").status_code == 200
    assert browser.get("/operating").status_code == 403
    assert browser.get("/people").status_code == 403


# --- who has no account --------------------------------------------------------------------


def test_whoever_is_not_linked_is_told_what_to_have_linked(stage: Stage) -> None:
    stage.person(linked=False)
    stage.idp.subject = "<b>stranger</b>"
    browser = stage.console().browser()
    page = refused(browser, stage.led_back(browser), 403, "NOT_LINKED")
    assert "&lt;b&gt;stranger&lt;/b&gt;" in page


def test_a_suspended_person_is_turned_away_with_an_entry_in_the_journal(stage: Stage) -> None:
    login = stage.person()
    house = stage.console()
    directory.set_state(house.desk, login, PersonState.SUSPENDED, actor="user:test", reason="left")
    browser = house.browser()
    refused(browser, stage.led_back(browser), 403, "NOT_LINKED")
    with house.desk.store.read() as conn:
        entry = journal.page(conn, action=JournalAction.PERSON_TURNED_AWAY, limit=1)[0]
    assert entry.subject == login


def test_a_person_of_a_suspended_organisation_is_turned_away(stage: Stage) -> None:
    login = stage.person(PersonRole.SECRETARIAT)
    house = stage.console()
    with house.desk.store.begin() as conn:
        code = people.organisation_of(conn, people.by_login(conn, login)).code
    for state, answer in ((OrganisationState.SUSPENDED, 403), (OrganisationState.ACTIVE, 303)):
        with house.desk.store.begin() as conn:
            clients.set_state(
                conn, code, state, at=house.clock(), actor="user:test", reason="a test"
            )
        browser = house.browser()
        assert browser.get(stage.led_back(browser)).status_code == answer


def test_a_subject_of_another_issuer_is_somebody_else(stage: Stage) -> None:
    login = stage.person(linked=False)
    foreign = stage.console(issuer="https://other.example/realms/customs")
    linking.link(foreign.desk, login, f"sub-{login}", actor="user:test")
    browser = stage.console().browser()
    refused(browser, stage.led_back(browser), 403, "NOT_LINKED")


# --- the second factor ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "stated", "suffices"),
    [
        ({"factor_amr": ("otp",)}, {"amr": ["pwd", "otp"]}, True),
        ({"factor_amr": ("otp",)}, {"amr": ["pwd"]}, False),
        ({"factor_amr": ("otp",)}, {"amr": None}, False),
        ({"factor_amr": ()}, {"amr": ["otp"]}, False),
        ({"factor_amr": (), "factor_acr": ("gold",)}, {"acr": "gold"}, True),
        ({"factor_amr": (), "factor_acr": ("gold",)}, {"acr": "silver"}, False),
        ({"factor_amr": (), "factor_acr": ()}, {"acr": None}, False),
    ],
)
def test_a_second_factor_of_the_provider_counts_if_it_states_one_that_is_believed(
    stage: Stage, terms: dict[str, Any], stated: dict[str, Any], suffices: bool
) -> None:
    stage.person()
    stage.idp.bend = changed(**stated)
    browser = stage.console(**terms).browser()
    answer = browser.get(stage.led_back(browser))
    assert answer.headers["Location"] == ("/" if suffices else "/sign-in/code?next=/")
    assert is_in(browser) is suffices


def test_without_one_of_the_provider_the_console_asks_for_its_own_second_factor(
    stage: Stage,
) -> None:
    login = stage.person()
    house = stage.console(factor_amr=())
    browser = house.browser()
    browser.get(stage.led_back(browser))
    halfway = cookie(browser)
    browser.follow("/")
    assert browser.post("/sign-in/enrol", code=house.code_of(login)).status_code == 200
    assert cookie(browser) != halfway
    assert is_in(browser)
    answer = browser.post("/sign-out")
    assert answer.headers["Location"].startswith(f"{stage.idp.issuer}/logout?")


# --- the provider is away, slow or bad -------------------------------------------------------


def test_a_description_that_hangs_holds_up_one_visitor_shortly_and_the_next_not_at_all(
    stage: Stage,
) -> None:
    stage.idp.pause = 1.5
    browser = stage.console(seconds=0.3).browser()
    browser.get("/sign-in")
    seal, begun = browser.seal, time.monotonic()
    for _ in range(2):
        answer = browser.post("/sign-in/provider", seal)
        assert answer.status_code == 503
        assert "PROVIDER_UNAVAILABLE" in answer.get_data(as_text=True)
        assert answer.headers["Retry-After"]
    assert time.monotonic() - begun < 1.2
    assert len(stage.idp.asked) <= 1


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": "https://evil.example/auth"},
        {"token_endpoint": "https://evil.example/token"},
        {"token_endpoint": "http://localhost/token"},
        {"jwks_uri": "https://evil.example/jwks"},
        {"end_session_endpoint": "https://evil.example/logout"},
        {"authorization_endpoint": None},
        {"code_challenge_methods_supported": ["plain"]},
        {"token_endpoint_auth_methods_supported": ["none", "private_key_jwt"]},
    ],
)
def test_a_description_that_leads_elsewhere_or_offers_too_little_is_not_followed(
    stage: Stage, described: dict[str, Any]
) -> None:
    stage.idp.described = described
    browser = stage.console().browser()
    browser.get("/sign-in")
    assert browser.post("/sign-in/provider").status_code == 503


@pytest.mark.parametrize(
    "answer",
    [
        (302, b"", {"Location": "https://evil.example/"}),
        (500, b"", {}),
        (200, b"<html>", {}),
        (200, b"[]", {}),
        (200, b"{" + b" " * 300_000 + b"}", {}),
    ],
    ids=["redirect", "failure", "page", "list", "too long"],
)
def test_a_description_that_is_none_is_not_followed(
    stage: Stage, answer: tuple[int, bytes, dict[str, str]]
) -> None:
    stage.idp.answers["/.well-known/openid-configuration"] = answer
    browser = stage.console().browser()
    browser.get("/sign-in")
    assert browser.post("/sign-in/provider").status_code == 503
    assert len(stage.idp.asked) == 1


def test_a_provider_with_a_certificate_of_another_issuer_is_not_asked(
    stage: Stage, tmp_path: Path
) -> None:
    stranger = TestAuthority(tmp_path, "stranger")
    browser = stage.console(ca=stranger.ca).browser()
    browser.get("/sign-in")
    assert browser.post("/sign-in/provider").status_code == 503
    assert stage.idp.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        (200, b'{"keys": [' + b" " * 10_000_000 + b"]}", {}),
        (302, b"", {"Location": "https://evil.example/jwks"}),
        (200, b'{"keys": []}', {}),
    ],
    ids=["10 MB", "redirect", "no keys"],
)
def test_keys_that_cannot_be_had_open_nothing(
    stage: Stage, answer: tuple[int, bytes, dict[str, str]]
) -> None:
    stage.person()
    stage.idp.answers["/jwks"] = answer
    browser = stage.console().browser()
    refused(browser, stage.led_back(browser), 503, "PROVIDER_UNAVAILABLE")


@pytest.mark.parametrize(
    "answer",
    [
        (401, b'{"error": "invalid_client"}', {}),
        (400, b'{"error": "invalid_request"}', {}),
        (302, b"", {"Location": "https://evil.example/token"}),
        (200, b'{"access_token": "a", "token_type": "Bearer"}', {}),
        (200, b'{"access_token": "a", "id_token": "a.b.c", "token_type": "mac"}', {}),
        (200, b'["id_token"]', {}),
        (500, b"<html>", {}),
    ],
)
def test_an_answer_without_tokens_opens_nothing(
    stage: Stage, answer: tuple[int, bytes, dict[str, str]]
) -> None:
    stage.person()
    stage.idp.answers["/token"] = answer
    browser = stage.console().browser()
    refused(browser, stage.led_back(browser), 503, "PROVIDER_UNAVAILABLE")


# --- linking -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mary(whole: House) -> str:
    """Gives the token of a session of Mary, who has a password and a second factor."""
    return cookie(whole.sign_in("mary", OFFICER)) or ""


def as_mary(house: House, mary: str) -> Browser:
    browser = house.browser()
    put_cookie(browser, mary)
    return browser


def linking_back(stage: Stage, browser: Browser) -> str:
    browser.get("/account")
    answer = browser.post("/account/identity", present=PASSWORD)
    return stage.idp.visited(answer.headers["Location"], stage.ca).removeprefix(CONSOLE)


def test_whoever_shows_the_password_again_links_the_own_identity(stage: Stage, mary: str) -> None:
    house = stage.console()
    stage.idp.subject = "sub-of-mary"
    browser = as_mary(house, mary)
    browser.get("/account")
    assert browser.post("/account/identity", present="wrong").status_code == 422
    answer = browser.get(linking_back(stage, browser))
    assert answer.headers["Location"] == "/account"
    assert cookie(browser) == mary
    assert "sub-of-mary" in browser.get("/account").get_data(as_text=True)
    other = house.browser()
    other.get(stage.led_back(other))
    assert "Mary" in other.get("/account").get_data(as_text=True)
    with house.desk.store.read() as conn:
        linked = journal.page(conn, action=JournalAction.PERSON_LINKED, limit=1)[0]
    assert (linked.subject, linked.actor) == ("mary", "user:mary")
    house.clock.move(minutes=1)
    stage.idp.subject = "another-of-mary"
    assert browser.get(linking_back(stage, browser)).status_code == 409
    linking.unlink(house.desk, "mary", actor="user:test")
    assert not is_in(browser)
    assert not is_in(other)


def test_an_identity_is_linked_to_nobody_but_whoever_began_that(stage: Stage) -> None:
    house = stage.console()
    login = stage.person()
    signed_in = house.browser()
    signed_in.get(stage.led_back(signed_in))
    jane = house.sign_in(f"jane-{login}", OFFICER)
    stage.idp.subject = f"sub-of-thief-{login}"
    for victim in (house.browser(), signed_in):
        back = linking_back(stage, jane)
        put_cookie(victim, cookie(jane, "__Host-eco-way") or "", "__Host-eco-way")
        assert victim.get(back).status_code == 400
    thief = house.browser()
    refused(thief, stage.led_back(thief), 403, "NOT_LINKED")


def test_an_identity_belongs_to_one_account(stage: Stage) -> None:
    house = stage.console()
    login, other = stage.person(), stage.person(linked=False)
    with pytest.raises(ConflictError, match="another account"):
        linking.link(house.desk, other, f"sub-{login}", actor="user:test")
    with pytest.raises(ConflictError, match="unlink that first"):
        linking.link(house.desk, login, "some-other-subject", actor="user:test")


@pytest.mark.parametrize("subject", ["", " a", "a\n", "x" * 256, "é"])
def test_a_subject_that_no_provider_gives_is_not_linked(stage: Stage, subject: str) -> None:
    login = stage.person(linked=False)
    with pytest.raises(InputError, match="printable"):
        linking.link(stage.console().desk, login, subject, actor="user:test")


def test_an_administrator_links_and_unlinks_colleagues_whose_sessions_end(stage: Stage) -> None:
    login = stage.person(linked=False)
    house = stage.console()
    chief = house.sign_in(f"chief-{login}", PersonRole.ISSUING_ADMINISTRATOR, administers=True)
    assert "National &lt;ID&gt;" in chief.get("/people").get_data(as_text=True)
    assert chief.post(f"/people/{login}/identity", subject=f"sub-{login} ").status_code == 303
    colleague = house.browser()
    colleague.get(stage.led_back(colleague))
    assert is_in(colleague)
    assert f"sub-{login}" in chief.get("/people").get_data(as_text=True)
    assert chief.post(f"/people/{login}/identity/end").status_code == 303
    assert not is_in(colleague)
    other = house.browser()
    refused(other, stage.led_back(other), 403, "NOT_LINKED")
    foreign = stage.person(CUSTOMS)
    chief.get("/people")
    assert chief.post(f"/people/{foreign}/identity/end").status_code == 404
    with house.desk.store.read() as conn:
        gone = journal.page(conn, action=JournalAction.PERSON_UNLINKED, limit=1)[0]
    assert (gone.subject, gone.detail["subject"]) == (login, f"sub-{login}")


# --- without passwords ---------------------------------------------------------------------


def test_where_local_accounts_are_off_no_password_opens_anything(stage: Stage) -> None:
    with_both = stage.console()
    login = f"local-{stage.person(linked=False)}"
    with_both.sign_in(login, OFFICER)
    house = stage.console(local_accounts=False)
    browser = house.browser()
    page = browser.get("/sign-in").get_data(as_text=True)
    assert 'type="password"' not in page
    answer = browser.post("/sign-in", login=login, password=PASSWORD)
    assert answer.status_code == 403
    assert "LOCAL_ACCOUNTS_OFF" in answer.get_data(as_text=True)
    assert not is_in(browser)


def test_a_code_of_the_owner_opens_one_session_where_local_accounts_are_off(
    stage: Stage,
) -> None:
    login = stage.person(linked=False)
    house = stage.console(local_accounts=False)
    code = directory.invite(house.desk, login, actor="user:owner").code
    browser = house.browser()
    browser.get("/welcome")
    form = {"login": login, "password": PASSWORD, "again": PASSWORD}
    assert browser.post("/welcome", code=code, **form).status_code == 303
    browser.follow("/")
    browser.post("/sign-in/enrol", code=house.code_of(login))
    assert is_in(browser)
    assert browser.post("/account/password", present=PASSWORD).status_code in {403, 422}
    again = house.browser()
    again.get("/sign-in")
    assert again.post("/sign-in", login=login, password=PASSWORD).status_code == 403
    again.get("/welcome")
    assert again.post("/welcome", code=code, **form).status_code == 401


def test_where_local_accounts_are_off_an_administrator_gives_no_codes(stage: Stage) -> None:
    login = stage.person(linked=False)
    house = stage.console(local_accounts=False)
    chief = house.sign_in(f"chief-{login}", PersonRole.ISSUING_ADMINISTRATOR, administers=True)
    chief.get("/people")
    assert chief.post(f"/people/{login}/invite").status_code == 403
    chief.get("/people")
    form = {"login": f"new-{login}", "name": "Joe", "role": "ISSUING_OFFICER", "language": "fr"}
    page = chief.post("/people", **form).get_data(as_text=True)
    assert f"new-{login}" in page
    assert "One-time code for" not in page
    assert chief.post(f"/people/new-{login}/factor/forget").status_code == 303


# --- leaving, and the policy of pages ------------------------------------------------------


def test_signing_out_ends_the_session_here_and_leads_to_where_it_ends_there(
    stage: Stage,
) -> None:
    stage.person()
    house = stage.console()
    browser = house.browser()
    browser.get(stage.led_back(browser))
    token_before = cookie(browser)
    browser.get("/account")
    to = browser.post("/sign-out").headers["Location"]
    assert stage.idp.visited(to, stage.ca) == f"{CONSOLE}/sign-in"
    put_cookie(browser, token_before or "")
    assert not is_in(browser)


def test_where_the_provider_has_no_way_out_signing_out_ends_here(stage: Stage) -> None:
    stage.person()
    stage.idp.described["end_session_endpoint"] = None
    browser = stage.console().browser()
    browser.get(stage.led_back(browser))
    browser.get("/account")
    assert browser.post("/sign-out").headers["Location"] == "/sign-in"


def test_forms_may_lead_to_the_provider_and_nowhere_else(stage: Stage) -> None:
    origin = stage.idp.issuer.removesuffix("/realms/customs")
    policy = stage.console().browser().get("/sign-in").headers["Content-Security-Policy"]
    assert f"form-action 'self' {origin};" in policy
    assert policy.count("https://") == 1
    assert (
        "form-action 'self';"
        in (stage.whole.browser().get("/sign-in").headers["Content-Security-Policy"])
    )


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_each_failure_is_told_in_the_language_of_the_visitor_with_a_way_back(
    stage: Stage, language: str
) -> None:
    browser = stage.console().browser()
    page = browser.get(f"{BACK}?lang={language}")
    text = page.get_data(as_text=True)
    assert page.headers["Content-Language"] == language
    assert 'href="/sign-in?lang=fr"' in text
    assert "SIGN_IN_LOST" in text


def test_nothing_of_this_is_there_without_a_provider(stage: Stage) -> None:
    browser = stage.whole.browser()
    assert "/sign-in/provider" not in browser.get("/sign-in").get_data(as_text=True)
    assert browser.post("/sign-in/provider").status_code == 404
    assert browser.get(BACK).status_code == 404


def test_nothing_of_a_secret_is_in_what_is_printed_of_the_provider(stage: Stage) -> None:
    terms = stage.console().desk.provider.terms
    assert SECRET not in repr(terms)
    assert SECRET not in repr(replace(terms, name="x"))
