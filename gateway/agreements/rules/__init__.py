"""The business rules, by what they look at; importing this package registers them all."""

from gateway.agreements.rules import (
    codes,
    goods,
    identity,
    invoices,
    kinds,
    origin,
    parties,
    register,
    response,
    transport,
    trust,
    wire,
)

__all__ = [
    "codes",
    "goods",
    "identity",
    "invoices",
    "kinds",
    "origin",
    "parties",
    "register",
    "response",
    "transport",
    "trust",
    "wire",
]
