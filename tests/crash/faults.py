"""Exceptions as libraries raise them, and a way to raise them for one message only."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pydantic
from cryptography.exceptions import InvalidSignature as WrongSignature
from lxml import etree
from signxml.exceptions import InvalidInput, InvalidSignature
from sqlalchemy.exc import DatabaseError, OperationalError


def _validation_error() -> Exception:
    try:
        pydantic.TypeAdapter(int).validate_python("x")
    except pydantic.ValidationError as exc:
        return exc
    raise AssertionError("pydantic took x for a number")


FROM_XML = (
    etree.XMLSyntaxError("bad", 1, 1, 1),
    etree.C14NError("bad"),
    etree.XMLSchemaValidateError("internal error"),
)
FROM_TRUST = (InvalidSignature("bad"), InvalidInput("bad"), WrongSignature())
FROM_PYTHON = (
    _validation_error(),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"),
    TypeError("bad"),
    ValueError("bad"),
    NotImplementedError(),
    RecursionError(),
)
FROM_THE_MACHINE = (MemoryError(), OSError(errno.ENOSPC, "no space left on device"))
FROM_THE_DATABASE = (
    OperationalError("SELECT 1", {}, Exception("disk I/O error")),
    DatabaseError("SELECT 1", {}, Exception("malformed")),
)
EVERY = (*FROM_XML, *FROM_TRUST, *FROM_PYTHON, *FROM_THE_MACHINE, *FROM_THE_DATABASE)


def named(exc: Exception) -> str:
    """Return a name for the list of tests."""
    return f"{type(exc).__module__.split('.')[0]}.{type(exc).__name__}"


@dataclass
class RaisesFor:
    """Stands in for ``work`` and raises ``error`` where ``bad`` says so."""

    work: Callable[..., Any]
    bad: Callable[..., bool]
    error: Exception

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.bad(*args, **kwargs):
            raise self.error
        return self.work(*args, **kwargs)


@dataclass
class RaisesOneOf:
    """Stands in for the way to a receiver and raises for the envelopes named."""

    work: Callable[[bytes], bytes]
    errors: Mapping[bytes, Exception]

    def __call__(self, envelope: bytes) -> bytes:
        if envelope in self.errors:
            raise self.errors[envelope]
        return self.work(envelope)
