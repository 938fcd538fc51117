"""Visiting a console of the demonstration over TLS, as a person with a browser would."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests


@dataclass(frozen=True)
class Visited:
    """Is the page that a person came to by signing in, wherever the console led."""

    status: int
    page: str


def visit(console: Mapping[str, Any], account: Mapping[str, str], authority: str) -> Visited:
    """Return what the owner of an account sees first; the certificate of the server must hold."""
    with requests.Session() as browser:
        browser.trust_env = False
        browser.verify = authority
        form = browser.get(f"{console['url']}sign-in", timeout=30).text
        seal = re.search(r'name="seal" value="([^"]*)"', form)
        assert seal is not None, form
        answer = browser.post(
            f"{console['url']}sign-in",
            data={"seal": seal[1], "login": account["login"], "password": account["password"]},
            headers={"Accept-Language": "en"},
            timeout=30,
        )
        return Visited(answer.status_code, answer.text)
