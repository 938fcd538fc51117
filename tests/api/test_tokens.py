"""Access tokens of an identity provider on a real socket: sound, hostile, rotated, and it is down."""

from __future__ import annotations

import json
import ssl
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from functools import cache

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.config import settings_from
from gateway.errors import (
    BadAnswerError,
    ConfigError,
    NotAuthenticatedError,
    TimedOutError,
    TokenKeysUnavailableError,
)
from gateway.services.access import Scope
from gateway.services.provider import Provider
from gateway.services.token_keys import KeyRing, keys_in
from gateway.services.tokens import TokenRules, Tokens
from gateway.store import OrganisationState, clients
from gateway.transport.fetching import DocumentServer
from gateway.web.api import ApiSettings, create_api_app
from tests.api.counter import Front
from tests.api.identity_provider import (
    AUDIENCE,
    IdentityProvider,
    SigningKey,
    b64,
    mac_token,
    token,
)
from tests.factories import NOW, certificate
from tests.keep.books import SETTINGS
from tests.wire.tls_files import Pair, TestAuthority

OWNER = "ZM-ISSUING_AUTHORITY"


@cache
def strong() -> SigningKey:
    return SigningKey("rsa", rsa.generate_private_key(65537, 2048))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TestAuthority:
    return TestAuthority(tmp_path_factory.mktemp("idp"), "idp-ca")


@pytest.fixture(scope="module")
def server_pair(authority: TestAuthority) -> Pair:
    return authority.issue("idp", "localhost", "127.0.0.1")


@pytest.fixture
def idp(server_pair: Pair) -> Iterator[IdentityProvider]:
    made = IdentityProvider(server_pair)
    yield made
    made.close()


class Clock:
    """Is the monotonic clock of a key ring, moved by tests."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def provider_of(idp: IdentityProvider, authority: TestAuthority, **changes: object) -> Provider:
    return Provider(**({"issuer": idp.issuer, "ca": authority.ca} | changes))


def tokens_for(front: Front, provider: Provider, clock: Clock, **rules: object) -> Tokens:
    said = {
        "issuer": provider.issuer,
        "audience": AUDIENCE,
        "organisations": {"asycuda": OWNER, "ghost": "NOBODY"},
    }
    return Tokens(
        rules=TokenRules(**(said | rules)),
        keys=KeyRing(provider.loader(), clock=clock),
        store=front.desk.store,
        clock=front.desk.clock,
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(traded, idp, authority, clock) -> Tokens:
    return tokens_for(traded.zm, provider_of(idp, authority), clock)


def refused(tokens: Tokens, shown: str) -> str:
    """Return the reason in the log for which a token does not hold."""
    with structlog.testing.capture_logs() as said, pytest.raises(NotAuthenticatedError) as caught:
        tokens(shown)
    assert caught.value.detail == "the access token does not hold"
    (line,) = [each for each in said if each["event"] == "token refused"]
    assert not any(part in str(said) for part in shown.split(".") if len(part) > 4)
    return line["reason"]


# --- tokens that hold ---------------------------------------------------------------------------


def test_a_system_asks_its_provider_for_a_token_and_submits_with_it(border, idp, authority, clock):
    tokens = tokens_for(border.zm, provider_of(idp, authority), clock)
    known = ApiSettings(issuer=idp.issuer)
    app = create_api_app(border.zm.counter, known, tokens=tokens)
    form = {
        "grant_type": "client_credentials",
        "client_id": "asycuda",
        "client_secret": "s3cret",
        "scope": "certificates:submit certificates:read",
        "now": NOW.isoformat(),
    }
    trusted = ssl.create_default_context(cafile=authority.ca)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
    )
    body = urllib.parse.urlencode(form).encode()
    with opener.open(f"{idp.issuer}/token", data=body, timeout=10) as answer:
        shown = json.loads(answer.read())["access_token"]
    headers = {"Authorization": f"Bearer {shown}"}
    raw = certificate().model_dump_json().encode()
    sent = app.test_client().post(
        "/api/v1/certificates", data=raw, headers=headers, content_type="application/json"
    )
    assert sent.status_code == 202, sent.text
    me = app.test_client().get("/api/v1/me", headers=headers).json
    assert (me["organisation"], me["credential"]) == (OWNER, "oauth:asycuda")
    assert me["scopes"] == ["certificates:read", "certificates:submit"]
    key = border.zm.tokens["ISSUING_AUTHORITY"]
    by_key = app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {key}"})
    assert by_key.json["credential"] != "oauth:asycuda"
    described = app.test_client().get("/api/v1/openapi.json").json
    scheme = described["components"]["securitySchemes"]["token"]
    assert scheme["openIdConnectUrl"] == f"{idp.issuer}/.well-known/openid-configuration"


def test_keys_are_fetched_once_for_many_tokens(tokens, idp):
    for _ in range(5):
        assert tokens(token(idp.key, idp.claims(NOW))).organisation.code == OWNER
    assert [page.rsplit("/", 1)[1] for page in idp.asked] == ["openid-configuration", "jwks"]


def test_rsa_keys_and_a_list_of_audiences_hold_too(tokens, idp):
    idp.shown = [strong()]
    caller = tokens(token(strong(), idp.claims(NOW, aud=["other", AUDIENCE])))
    assert caller.expires_at == NOW + timedelta(seconds=300)


def test_scopes_are_those_of_the_token_that_the_organisation_may_have(
    traded, idp, authority, clock
):
    mapped = {"eco/submit": Scope.SUBMIT, "eco/decide": Scope.DECIDE}
    own = tokens_for(traded.zm, provider_of(idp, authority), clock, scopes=mapped)
    said = "eco/submit eco/decide reference:read root"
    assert own(token(idp.key, idp.claims(NOW, scope=said))).scopes == {
        Scope.SUBMIT, Scope.REFERENCE,
    }  # fmt: skip
    listed = ["eco/submit", 7]
    assert own(token(idp.key, idp.claims(NOW, scope=listed))).scopes == {Scope.SUBMIT}
    for nothing in (None, 7, {"a": 1}):
        assert own(token(idp.key, idp.claims(NOW, scope=nothing))).scopes == frozenset()


def test_a_type_that_the_operator_allows_holds_and_another_claim_may_name_the_client(
    traded, idp, authority, clock
):
    own = tokens_for(
        traded.zm,
        provider_of(idp, authority),
        clock,
        types=frozenset({"at+jwt", "JWT"}),
        client_claim="azp",
    )
    shown = token(idp.key, idp.claims(NOW, azp="asycuda", client_id=None), typ="JWT")
    assert own(shown).credential == "oauth:asycuda"


def test_clocks_may_differ_by_the_skew_and_no_more(tokens, idp):
    at = int(NOW.timestamp())
    assert tokens(token(idp.key, idp.claims(NOW, exp=at - 29, iat=at - 60, nbf=at - 60)))
    assert tokens(token(idp.key, idp.claims(NOW, nbf=at + 29, iat=at + 29)))


# --- hostile tokens -----------------------------------------------------------------------------


def claims_of(idp: IdentityProvider, **changes: object) -> dict:
    return idp.claims(NOW, **changes)


AT = int(NOW.timestamp())
FALSE_CLAIMS = [
    pytest.param({"exp": AT - 31, "iat": AT - 60}, "expired", id="expired"),
    pytest.param({"nbf": AT + 31}, "not yet", id="not-yet"),
    pytest.param({"iat": AT + 31}, "not yet", id="issued-in-the-future"),
    pytest.param({"exp": AT + 90_000}, "lifetime", id="lives-too-long"),
    pytest.param({"exp": AT, "iat": AT + 20}, "lifetime", id="ends-before-it-begins"),
    pytest.param({"iss": "https://evil.example"}, "issuer", id="issuer"),
    pytest.param({"aud": "https://other.example"}, "audience", id="audience"),
    pytest.param({"aud": []}, "audience", id="no-audience"),
    pytest.param({"aud": None}, "claims", id="audience-missing"),
    pytest.param({"exp": None}, "claims", id="exp-missing"),
    pytest.param({"iat": None}, "claims", id="iat-missing"),
    pytest.param({"exp": str(AT + 60)}, "claims", id="exp-in-quotes"),
    pytest.param({"exp": float("inf")}, "claims", id="exp-infinite"),
    pytest.param({"exp": 10**400}, "claims", id="exp-huge"),
    pytest.param({"client_id": None}, "client", id="no-client"),
    pytest.param({"client_id": ["asycuda"]}, "client", id="client-is-a-list"),
    pytest.param({"client_id": "x" * 151}, "client", id="client-is-long"),
    pytest.param({"client_id": "stranger"}, "unknown client", id="unknown-client"),
    pytest.param({"client_id": "ghost"}, "organisation missing", id="organisation-missing"),
]


@pytest.mark.parametrize(("changes", "reason"), FALSE_CLAIMS)
def test_a_token_with_false_claims_does_not_hold(tokens, idp, changes, reason):
    assert refused(tokens, token(idp.key, claims_of(idp, **changes))) == reason


FALSE_HEADERS = [
    pytest.param({"alg": "none"}, "algorithm", id="none"),
    pytest.param({"alg": "None"}, "algorithm", id="none-in-capitals"),
    pytest.param({"alg": "HS256"}, "algorithm", id="mac"),
    pytest.param({"alg": "RS256"}, "key", id="algorithm-of-another-key"),
    pytest.param({"alg": "ES384"}, "algorithm", id="not-allowed-here"),
    pytest.param({"alg": ["ES256"]}, "algorithm", id="algorithm-is-a-list"),
    pytest.param({"alg": None}, "algorithm", id="no-algorithm"),
    pytest.param({"typ": "JWT"}, "type", id="id-token"),
    pytest.param({"typ": None}, "type", id="no-type"),
    pytest.param({"kid": None}, "key", id="no-kid"),
    pytest.param({"kid": "k9"}, "key", id="unknown-kid"),
    pytest.param({"kid": 7}, "header", id="kid-is-a-number"),
    pytest.param({"kid": "../../etc/passwd"}, "key", id="kid-is-a-path"),
    pytest.param({"crit": ["exp"], "exp": 1}, "header", id="critical"),
    pytest.param({"b64": False, "crit": ["b64"]}, "header", id="not-encoded"),
]


@pytest.mark.parametrize(("header", "reason"), FALSE_HEADERS)
def test_a_token_with_a_false_header_does_not_hold(tokens, idp, header, reason):
    assert refused(tokens, token(idp.key, claims_of(idp), **header)) == reason


def test_a_public_key_is_no_secret(traded, tokens, idp, authority, clock):
    idp.shown = [idp.key, strong()]
    for key in idp.shown:
        shown = mac_token(key.pem, claims_of(idp), key.kid)
        assert refused(tokens, shown) == "algorithm"
    with pytest.raises(ValueError, match="must be among"):
        tokens_for(
            traded.zm, provider_of(idp, authority), clock, algorithms=frozenset({"HS256", "ES256"})
        )
    with pytest.raises(ValueError, match="must be among"):
        tokens_for(traded.zm, provider_of(idp, authority), clock, algorithms=frozenset({"none"}))


def test_keys_that_a_token_brings_along_are_not_believed(tokens, idp):
    own = SigningKey(idp.key.kid)
    for header in ({"jwk": own.jwk}, {"jku": "https://evil.example/jwks"}, {"x5u": "https://e"}):
        assert refused(tokens, token(own, claims_of(idp), **header)) == "signature"


def test_a_token_that_was_changed_or_is_none_does_not_hold(tokens, idp):
    sound = token(idp.key, claims_of(idp))
    head, body, signature = sound.split(".")
    other = b64(json.dumps(claims_of(idp, client_id="ghost")).encode())
    assert refused(tokens, f"{head}.{other}.{signature}") == "signature"
    assert refused(tokens, f"{head}.{body}.") == "signature"
    assert refused(tokens, f"{head}.{body}") == "shape"
    assert refused(tokens, f"{sound}.x") == "shape"
    assert refused(tokens, "x" * 8_001) == "shape"
    assert refused(tokens, f"{b64(b'[' * 3000)}.{body}.x") == "header"
    assert refused(tokens, f"{b64(b'[]')}.{body}.x") == "header"
    assert refused(tokens, "....") == "shape"
    signed = f"{head}.{b64(b'[' * 3000)}"
    assert refused(tokens, f"{signed}.{b64(idp.key.sign(signed.encode()))}") == "claims"


def test_hostile_tokens_are_answered_with_a_problem_and_nothing_else(traded, tokens, idp):
    client = create_api_app(traded.zm.counter, tokens=tokens).test_client()
    for shown in ("a.b.c", "é", "x" * 9_000, mac_token(b"x", {}, "k1"), "eco_none.none.none"):
        raw = f"Bearer {shown}".encode()
        answer = client.get("/api/v1/me", headers={"Authorization": raw.decode("latin-1")})
        assert (answer.status_code, answer.json["code"]) == (401, "NOT_AUTHENTICATED")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_suspended_organisation_is_not_let_in(border, idp, authority, clock):
    tokens = tokens_for(border.zm, provider_of(idp, authority), clock)
    with border.zm.desk.store.begin() as conn:
        clients.set_state(
            conn, OWNER, OrganisationState.SUSPENDED, at=NOW, actor="user:test", reason="a test"
        )
    assert refused(tokens, token(idp.key, claims_of(idp))) == "organisation suspended"


# --- keys ---------------------------------------------------------------------------------------


def test_a_new_key_is_found_when_a_token_names_it(tokens, idp, clock):
    tokens(token(idp.key, claims_of(idp)))
    old = idp.key
    idp.rotate("k2", keep=True)
    clock.now += 11
    assert tokens(token(idp.key, claims_of(idp)))
    assert tokens(token(old, claims_of(idp)))


def test_a_key_that_the_provider_took_away_counts_no_more_once_the_keys_are_read_anew(
    tokens, idp, clock
):
    old = idp.key
    tokens(token(old, claims_of(idp)))
    idp.rotate("k2", keep=False)
    clock.now += 301
    assert refused(tokens, token(old, claims_of(idp))) == "key"
    assert tokens(token(idp.key, claims_of(idp)))


def test_invented_key_ids_do_not_let_the_provider_be_asked_again_and_again(tokens, idp, clock):
    tokens(token(idp.key, claims_of(idp)))
    before = len(idp.asked)
    clock.now += 11
    for number in range(20):
        assert refused(tokens, token(idp.key, claims_of(idp), kid=f"x{number}")) == "key"
    assert len(idp.asked) == before + 2


def test_a_provider_that_is_down_at_the_start_is_told_as_such_and_asked_again_later(
    traded, tokens, idp, clock
):
    idp.answers["/jwks"] = (503, b"", {})
    shown = token(idp.key, claims_of(idp))
    client = create_api_app(traded.zm.counter, tokens=tokens).test_client()
    answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {shown}"})
    assert (answer.status_code, answer.json["code"]) == (503, "TOKEN_KEYS_UNAVAILABLE")
    assert answer.json["retryable"] is True
    assert "Retry-After" in answer.headers
    idp.answers.clear()
    with pytest.raises(TokenKeysUnavailableError):
        tokens(shown)  # not yet
    clock.now += 11
    assert tokens(shown)


def test_a_provider_that_goes_down_leaves_its_keys_in_force_for_an_hour(tokens, idp, clock):
    shown = token(idp.key, claims_of(idp))
    tokens(shown)
    idp.close()
    for _ in range(11):
        clock.now += 301
        assert tokens(shown)
    clock.now += 301
    with pytest.raises(TokenKeysUnavailableError):
        tokens(shown)


BAD_PAGES = [
    pytest.param((200, b"<html>", {}), id="no-json"),
    pytest.param((200, b'{"keys": {}}', {}), id="no-list"),
    pytest.param((200, b"[]", {}), id="a-list"),
    pytest.param((200, b'{"keys": []}', {}), id="no-key"),
    pytest.param((200, b"[" * 100_000, {}), id="deep"),
    pytest.param((200, b" " * 300_000, {}), id="huge"),
    pytest.param((302, b"", {"Location": "https://localhost/jwks"}), id="redirect"),
    pytest.param((200, b"\x1f\x8b", {"Content-Encoding": "gzip"}), id="compressed"),
    pytest.param((500, b"", {}), id="broken"),
]


@pytest.mark.parametrize("page", BAD_PAGES)
@pytest.mark.parametrize("path", ["/jwks", "/.well-known/openid-configuration"])
def test_what_the_provider_answers_wrongly_opens_nothing(tokens, idp, path, page):
    idp.answers[path] = page
    with pytest.raises(TokenKeysUnavailableError):
        tokens(token(idp.key, claims_of(idp)))


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://other.example", "jwks_uri": "{issuer}/jwks"},
        {"issuer": "{issuer}", "jwks_uri": "https://127.0.0.1:{port}/jwks"},
        {"issuer": "{issuer}", "jwks_uri": "http://localhost:{port}/jwks"},
        {"issuer": "{issuer}", "jwks_uri": "https://localhost:1/jwks"},
        {"issuer": "{issuer}", "jwks_uri": 7},
        {"issuer": "{issuer}"},
    ],
)
def test_a_description_that_leads_elsewhere_is_not_followed(tokens, idp, said):
    port = idp.server.server_address[1]
    told = {
        name: value.format(issuer=idp.issuer, port=port) if isinstance(value, str) else value
        for name, value in said.items()
    }
    idp.answers["/.well-known/openid-configuration"] = (200, json.dumps(told).encode(), {})
    with pytest.raises(TokenKeysUnavailableError):
        tokens(token(idp.key, claims_of(idp)))
    assert not any(page.endswith("/jwks") for page in idp.asked)


def test_a_server_of_another_authority_is_not_asked(traded, idp, clock, tmp_path):
    other = TestAuthority(tmp_path, "other-ca")
    own = tokens_for(traded.zm, provider_of(idp, other), clock)
    with pytest.raises(TokenKeysUnavailableError):
        own(token(idp.key, claims_of(idp)))
    assert idp.asked == []


def test_a_provider_that_never_answers_holds_nobody_for_long(idp, authority):
    idp.pause = 1.0
    server = DocumentServer(base=idp.issuer, ca=authority.ca, seconds=0.3)
    with pytest.raises(TimedOutError):
        server.fetch(f"{idp.issuer}/jwks")
    assert DocumentServer(base=idp.issuer).seconds <= 6


def test_keys_may_lie_in_a_file_where_the_provider_cannot_be_reached(
    traded, idp, authority, clock, tmp_path
):
    file = tmp_path / "jwks.json"
    file.write_bytes(json.dumps({"keys": [idp.key.jwk]}).encode())
    own = tokens_for(traded.zm, provider_of(idp, authority, jwks_file=file), clock)
    assert own(token(idp.key, claims_of(idp)))
    file.unlink()
    clock.now += 4_000
    with pytest.raises(TokenKeysUnavailableError):
        own(token(idp.key, claims_of(idp)))
    assert idp.asked == []


def test_an_address_of_the_keys_may_be_named(traded, idp, authority, clock):
    own = tokens_for(traded.zm, provider_of(idp, authority, jwks_url=f"{idp.issuer}/jwks"), clock)
    assert own(token(idp.key, claims_of(idp)))
    assert len(idp.asked) == 1


def test_keys_that_could_mislead_are_passed_over():
    sound, weak = SigningKey("sound"), SigningKey("weak", rsa.generate_private_key(65537, 1024))
    unusable = [
        weak.jwk,
        {"kty": "oct", "k": b64(b"secret"), "kid": "mac"},
        {**sound.jwk, "kid": "private", "d": "AQAB"},
        {**sound.jwk, "kid": "encrypts", "use": "enc"},
        {**sound.jwk, "kid": 7},
        {**sound.jwk, "kid": "x" * 201},
        {**sound.jwk, "kid": "curve", "crv": "secp256k1"},
        {**sound.jwk, "kid": "curve-is-a-list", "crv": []},
        {**sound.jwk, "kid": "no-point", "x": b64(bytes(32))},
        {**sound.jwk, "kid": "no-base64", "x": "*"},
        "text",
        None,
    ]
    found = keys_in(json.dumps({"keys": [*unusable, sound.jwk]}).encode())
    assert set(found) == {"sound"}
    assert found["sound"].algorithms == {"ES256"}
    other = keys_in(json.dumps({"keys": [{**sound.jwk, "alg": "RS256"}]}).encode())
    assert other["sound"].algorithms == frozenset()
    with pytest.raises(BadAnswerError):
        keys_in(json.dumps({"keys": [sound.jwk] * 101}).encode())


def test_documents_are_fetched_from_the_configured_server_only(authority):
    server = DocumentServer(base="https://idp.example/realm", ca=authority.ca)
    for elsewhere in (
        "https://evil.example/jwks",
        "http://idp.example/jwks",
        "https://idp.example:8443/jwks",
        "https://user:x@idp.example/jwks",
        "https://[idp/jwks",
    ):
        with pytest.raises(ConfigError):
            server.fetch(elsewhere)
    with pytest.raises(ConfigError, match="cannot be read"):
        DocumentServer(base="https://idp.example", ca=authority.ca / "x").fetch(
            "https://idp.example/jwks"
        )


# --- settings -----------------------------------------------------------------------------------

OAUTH = """
[api.oauth]
issuer = "https://idp.example/realms/customs"
audience = "https://eco.example/api/v1"
[[api.oauth.clients]]
client = "asycuda"
organisation = "ZM-ZRA"
[[api.oauth.scopes]]
token = "eco/submit"
scope = "certificates:submit"
"""
WRONG = [
    pytest.param('issuer = "https', 'issuer = "http', "https addresses", id="plain-issuer"),
    pytest.param("customs", "customs?a=b", "without a query", id="query"),
    pytest.param("[[api", 'algorithms = ["HS256"]\n[[api', "prove nothing", id="mac"),
    pytest.param("[[api", 'algorithms = ["none"]\n[[api', "prove nothing", id="none"),
    pytest.param(
        "[[api", 'jwks_url = "https://a/b"\njwks_file = "x"\n[[api', "not both", id="both"
    ),
    pytest.param("asycuda", "", "client", id="empty"),
]


@pytest.mark.parametrize(("old", "new", "complaint"), WRONG)
def test_settings_that_would_let_anybody_in_are_refused(tmp_path, old, new, complaint):
    with pytest.raises(ConfigError, match=complaint):
        settings_from(SETTINGS + OAUTH.replace(old, new, 1), tmp_path, source="test")


def test_settings_become_rules(tmp_path, traded):
    from gateway import national_side
    from gateway.app import Gateway

    for said, complaint in ((OAUTH, None), (OAUTH.replace("certificates:", "x:"), "no scope")):
        settings = settings_from(SETTINGS + said, tmp_path, source="test")
        gateway = Gateway(settings=settings, desk=traded.zm.desk)
        if complaint is not None:
            with pytest.raises(ConfigError, match=complaint):
                national_side.tokens_of(gateway)
            continue
        made = national_side.tokens_of(gateway)
        assert made.rules.organisations == {"asycuda": "ZM-ZRA"}
        assert made.rules.scopes == {"eco/submit": Scope.SUBMIT}
        assert national_side.api_settings(settings).issuer == made.rules.issuer
    plain = Gateway(settings=settings_from(SETTINGS, tmp_path, source="test"), desk=traded.zm.desk)
    assert national_side.tokens_of(plain) is None
