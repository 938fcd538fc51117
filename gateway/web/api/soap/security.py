"""API keys in WS-Security, for tool kits that cannot set HTTP headers: UsernameToken.

The user name is the visible part of the key, the password the whole key as text.  Digests
cannot be checked, because keys are stored hashed; signatures and encryption are not read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from flask import Request
from lxml import etree

from gateway.errors import InputError, MustUnderstandError, NotAuthenticatedError
from gateway.services.keys import PREFIX

_OASIS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
WSSE_NS: Final = f"{_OASIS}-wssecurity-secext-1.0.xsd"
WSU_NS: Final = f"{_OASIS}-wssecurity-utility-1.0.xsd"
PASSWORD_TEXT: Final = f"{_OASIS}-username-token-profile-1.0#PasswordText"
SECURITY: Final = f"{{{WSSE_NS}}}Security"
SKEW: Final = timedelta(minutes=5)
_TOKEN: Final = f"{{{WSSE_NS}}}UsernameToken"
_TIMESTAMP: Final = f"{{{WSU_NS}}}Timestamp"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})


def is_shielded(request: Request) -> bool:
    """Return whether nobody can listen: TLS to us, or from a proxy of our own on this host."""
    return request.is_secure or request.remote_addr in _LOOPBACK


def token_in(headers: tuple[etree._Element, ...], *, now: datetime, shielded: bool) -> str | None:
    """Return the API key in the header blocks of a SOAP message, or None where there is none.

    Raises:
        MustUnderstandError: the block holds more than is read here.
        NotAuthenticatedError: the token is of another form, expired, or came unprotected.
        InputError: a time in it is none.
    """
    blocks = [block for block in headers if block.tag == SECURITY]
    if not blocks:
        return None
    if not shielded:
        raise NotAuthenticatedError("a key in a SOAP header is taken over TLS only; exchange it")
    parts = [part for block in blocks for part in block]
    unread = next((part for part in parts if part.tag not in (_TOKEN, _TIMESTAMP)), None)
    if unread is not None:
        name = etree.QName(unread).localname
        raise MustUnderstandError(f"{name[:70]} in the Security header is not read here")
    for part in parts:
        _refuse_expired(part, now)
    tokens = [part for part in parts if part.tag == _TOKEN]
    if len(tokens) != 1:
        raise NotAuthenticatedError(f"the Security header has {len(tokens)} UsernameTokens, not 1")
    return _key(tokens[0])


def _key(token: etree._Element) -> str:
    name = (token.findtext(f"{{{WSSE_NS}}}Username") or "").strip()
    passwords = token.findall(f"{{{WSSE_NS}}}Password")
    if len(passwords) != 1 or passwords[0].get("Type", PASSWORD_TEXT) != PASSWORD_TEXT:
        raise NotAuthenticatedError("a UsernameToken has one Password, of the type PasswordText")
    key = (passwords[0].text or "").strip()
    if not key.startswith(f"{PREFIX}{name}_"):
        raise NotAuthenticatedError("the Username is the visible part of the key in Password")
    return key


def _refuse_expired(part: etree._Element, now: datetime) -> None:
    stated = part.findtext(f"{{{WSU_NS}}}Expires")
    if part.tag != _TIMESTAMP or stated is None:
        return
    try:
        expires = datetime.fromisoformat(stated.strip())
    except ValueError as exc:
        raise InputError("Expires in the Security header is no time") from exc
    if expires.replace(tzinfo=expires.tzinfo or UTC) < now - SKEW:
        raise NotAuthenticatedError("the Timestamp of the Security header has expired")
