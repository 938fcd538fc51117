"""The way to the same page in another language: what was asked for goes along."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Request
from werkzeug.routing import MapAdapter

from gateway.documents import Language


def in_each_language(request: Request, addresses: MapAdapter) -> dict[str, str]:
    """Return the address of the page that is shown, by language.

    What a form brought does not go along; after it, the page that the form stood on is meant.
    """
    asked = [each for each in request.args.items(multi=True) if each[0] != "lang"]
    path = _page_above(request.path, addresses)
    if path != request.path:
        asked = []
    return {each.value: f"{path}?{urlencode([*asked, ('lang', each.value)])}" for each in Language}


def _page_above(path: str, addresses: MapAdapter) -> str:
    """Return the nearest address at or above ``path`` that a browser may simply open."""
    while path and not addresses.test(path, "GET"):
        path = path.rpartition("/")[0]
    return path or "/"
