"""Guarding pages: cookies, the seal of forms, and where a request may come from.

Every cookie is ``__Host-``: of this host alone, over TLS alone, not to be read by scripts.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import Final
from urllib.parse import urlsplit

from flask import Request, Response

from gateway.errors import NotPermittedError

SESSION: Final = "__Host-eco"
FORM: Final = "__Host-eco-form"
LANGUAGE: Final = "__Host-eco-lang"
JOURNEY: Final = "__Host-eco-way"
SEAL: Final = "seal"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_OWN_SITES: Final = ("same-origin", "none")
_YEAR: Final = 31_536_000


def token_in(request: Request, cookie: str) -> str | None:
    """Return the token that a cookie brings, None if it brings nothing of that form."""
    value = request.cookies.get(cookie, "")
    return value if _TOKEN.fullmatch(value) else None


def seal_of(token: str) -> str:
    """Return what a form holds to show that it came from a page of this session."""
    mac = hmac.new(token.encode("ascii"), b"eco console form 1", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode("ascii").rstrip("=")


def new_form_token() -> str:
    """Return a token that ties forms to a browser in which nobody has signed in."""
    return secrets.token_urlsafe(32)


def require_own_form(request: Request, token: str | None, seal: str) -> None:
    """Return if the form comes from a page of this console in this session.

    Raises:
        NotPermittedError: it does not; nothing was done.
    """
    if not _is_own_site(request):
        raise NotPermittedError("the form comes from another site")
    if token is None or not hmac.compare_digest(seal.encode(), seal_of(token).encode()):
        raise NotPermittedError("the form is outdated; open the page again")


def _is_own_site(request: Request) -> bool:
    if request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITES:
        return False
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def set_cookie(response: Response, name: str, value: str, *, lasts: bool = False) -> None:
    """Put a cookie into the answer.

    Args:
        lasts: a year instead of until the browser closes.
    """
    response.set_cookie(
        name,
        value,
        max_age=_YEAR if lasts else None,
        secure=True,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def drop_cookie(response: Response, name: str) -> None:
    """Take a cookie away."""
    response.delete_cookie(name, secure=True, httponly=True, samesite="Lax", path="/")


def local_path(stated: str, default: str = "/") -> str:
    """Return where to go on, if that is a page here; never another site."""
    fine = stated.startswith("/") and not stated.startswith(("//", "/\\"))
    return stated if fine and stated.isprintable() and "\\" not in stated else default
