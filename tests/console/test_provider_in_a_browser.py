"""Signing in and out through the provider in a real browser, from site to site and back."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from gateway.services.people import linking
from gateway.services.people.openid import BACK, OpenIdTerms
from gateway.services.people.openid_provider import OpenIdProvider
from gateway.store import PersonRole
from tests.console.house import make_house
from tests.console.identity_provider import CLIENT, SECRET, OpenIdStandIn
from tests.console.screen import Screen, served
from tests.wire.tls_files import TestAuthority

pytestmark = pytest.mark.xdist_group("console-browser")


def test_a_person_signs_in_and_out_through_the_provider_without_scripts(
    screen: Screen, tmp_path: Path
) -> None:
    authority = TestAuthority(tmp_path, "browser-ca")
    with served(screen.house.app) as server:
        base = f"https://127.0.0.1:{server.server_port}"
        idp = OpenIdStandIn(
            authority.issue("idp", "localhost", "127.0.0.1"),
            redirect_uri=f"{base}{BACK}",
            clock=screen.house.clock,
            asks=True,
        )
        terms = OpenIdTerms(
            issuer=idp.issuer,
            name="National ID",
            client_id=CLIENT,
            client_secret=SECRET,
            console=base,
            ca=authority.ca,
            factor_amr=("otp",),
        )
        house = make_house(
            screen.house.front, provider=OpenIdProvider(terms), clock=screen.house.clock
        )
        house.enter("wanjiku", PersonRole.CUSTOMS_OFFICER)
        linking.link(house.desk, "wanjiku", idp.subject, actor="user:test")
        server.app = house.app
        context = screen.browser.new_context(ignore_https_errors=True, java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{base}/account?lang=en")
        page.get_by_role("button", name="National ID").click()
        page.wait_for_url(f"{idp.issuer}/**")
        page.get_by_role("button", name="It is me").click()
        page.wait_for_url(f"{base}/account?lang=en")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"{base}/sign-in")
        assert f"{base}/sign-in" in [
            dict(parse_qsl(urlsplit(path).query)).get("post_logout_redirect_uri")
            for path in idp.asked
        ]
        page.goto(f"{base}/account")
        assert page.url.startswith(f"{base}/sign-in?next=")
        context.close()
        idp.close()
