"""The client has every address of the interface, and is what `make docs` writes."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.client_code import FOLDER, ROOT, Writer
from gateway.client import Gateway
from gateway.web.api import ROUTES
from gateway.web.api.routes import Route

TEXTS = Writer(ROUTES).texts()


def method_of(route: Route):
    return getattr(Gateway, re.sub(r"(?<!^)([A-Z])", r"_\1", route.name).lower(), None)


def test_what_is_committed_is_what_would_be_written():
    folder = ROOT / FOLDER
    assert {path.relative_to(ROOT).as_posix() for path in folder.glob("*.py")} == set(TEXTS)
    stale = [name for name, text in TEXTS.items() if Path(ROOT / name).read_text() != text]
    assert not stale, f"out of date: run `make docs` ({', '.join(stale)})"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_has_a_method_with_its_parameters_and_answer(route: Route):
    method = method_of(route)
    assert method is not None, f"the client cannot {route.name}: run `make docs`"
    parameters = inspect.signature(method).parameters
    wanted = {*route.path_params.model_fields, *route.query.model_fields}
    wanted |= {"content"} if route.takes else set()
    wanted |= {"idempotency_key"} if route.keyed else set()
    assert wanted <= set(parameters)
    answer = next(iter(route.answers.values())).model
    returned = typing.get_type_hints(method)["return"]
    if answer is None:
        assert returned in (bytes, Iterator[bytes])
    else:
        assert set(returned.model_fields) == set(answer.model_fields)
        required = {name for name, each in answer.model_fields.items() if each.is_required()}
        assert required == {n for n, each in returned.model_fields.items() if each.is_required()}


def test_a_new_route_changes_what_would_be_written():
    route = ROUTES[0]
    texts = Writer(each for each in ROUTES if each is not route).texts()
    assert texts != TEXTS
