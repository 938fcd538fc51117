"""Which data each business rule complains about, read from the source of the rules themselves.

A rule names the datum in the first argument of ``complain``.  That argument is followed through
names, loops and helpers of its module as far as texts go, so no list of rules and data is kept
beside the rules.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Final

from gateway.agreements.rulebook import Rule, all_rules
from gateway.agreements.rules.codes import CODED_VALUES
from gateway.documents.fields import groups, leaves
from gateway.documents.shape import Document

_ANY: Final = "*"
_DEEPEST: Final = 8


@cache
def rules_by_datum(document: type[Document]) -> Mapping[str, tuple[Rule, ...]]:
    """Return the rules about each datum of a document; the empty path is the whole of it.

    Paths are those of ``gateway.documents.fields``; records and repetitions stand as such.
    """
    found: dict[str, list[Rule]] = {}
    for rule in all_rules():
        if document in rule.documents:
            for path in touched(rule, document):
                found.setdefault(path, []).append(rule)
    return MappingProxyType({path: tuple(rules) for path, rules in found.items()})


def touched(rule: Rule, document: type[Document]) -> tuple[str, ...]:
    """Return the data of ``document`` that a rule complains about, in order of their names."""
    if rule.id == "CODE":
        return tuple(CODED_VALUES[document])
    known = {*leaves(document), *groups(document)}
    found: set[str] = set()
    for pattern in _patterns(rule.judge):
        if not pattern:
            found.add("")
        form = re.compile(re.escape(pattern).replace(r"\*", r"[^.]+") + r"(\[\])?")
        found |= {path for path in known if form.fullmatch(path)}
    return tuple(sorted(found))


@cache
def _patterns(judge: Callable[..., object]) -> frozenset[str]:
    module = _Module.of(inspect.unwrap(judge).__module__)
    return frozenset(module.complaints(judge.__name__))


class _Module:
    """Follows texts through the functions of one module of rules."""

    def __init__(self, tree: ast.Module) -> None:
        functions = (each for each in tree.body if isinstance(each, ast.FunctionDef))
        self._functions = {each.name: each for each in functions}
        self._constants = _assigned(tree.body)

    @staticmethod
    @cache
    def of(name: str) -> _Module:
        return _Module(ast.parse(inspect.getsource(sys.modules[name])))

    def complaints(self, name: str) -> Iterator[str]:
        """Yield the paths, with ``*`` for what is not known, that a function complains about."""
        for function in self._reached(name, set()):
            for call in _calls(function):
                if call_name(call) == "complain":
                    yield from self._texts(call.args[0], function, _DEEPEST)

    def _reached(self, name: str, seen: set[str]) -> Iterator[ast.FunctionDef]:
        function = self._functions.get(name)
        if function is None or name in seen:
            return
        seen.add(name)
        yield function
        for call in _calls(function):
            yield from self._reached(call_name(call), seen)

    def _texts(self, node: ast.expr, function: ast.FunctionDef, depth: int) -> set[str]:
        """Return every text that an expression may be."""
        found = {_ANY}
        match node if depth else None:
            case ast.Constant(value=str(text)):
                found = {text}
            case ast.JoinedStr(values=values):
                parts = [self._texts(each, function, depth - 1) for each in values]
                joined = ("".join(each) for each in product(*parts))
                found = {re.sub(r"\[[^\]]*\]", "[]", each) for each in joined}
            case ast.FormattedValue(value=value):
                found = self._texts(value, function, depth - 1)
            case ast.IfExp(body=body, orelse=other):
                found = self._texts(body, function, depth) | self._texts(other, function, depth)
            case ast.Name(id=name):
                found = self._named(name, function, depth - 1)
        return found

    def _named(self, name: str, function: ast.FunctionDef, depth: int) -> set[str]:
        for expression in (*_assigned(function.body).get(name, ()), *self._constants.get(name, ())):
            return self._texts(expression, function, depth)
        for loop in (each for each in ast.walk(function) if isinstance(each, ast.For)):
            place = _place(loop.target, name)
            if place is not None:
                return self._members(loop.iter, place, function, depth)
        names = [each.arg for each in function.args.args]
        if name in names:
            return self._handed(function, names.index(name), depth)
        return {_ANY}

    def _members(
        self, node: ast.expr, place: int, function: ast.FunctionDef, depth: int
    ) -> set[str]:
        """Return what stands at a place of each member of what a loop goes through."""
        if isinstance(node, ast.Tuple | ast.List):
            rows = [(each, function) for each in node.elts]
        elif isinstance(node, ast.ListComp):
            rows = [(node.elt, function)]
        elif isinstance(node, ast.Name):
            lists = _assigned(function.body).get(node.id, ())
            members = (self._members(each, place, function, depth - 1) for each in lists)
            return set().union(*members) if depth else {_ANY}
        elif isinstance(node, ast.Call) and call_name(node) in self._functions:
            inner = self._functions[call_name(node)]
            yields = (each.value for each in ast.walk(inner) if isinstance(each, ast.Yield))
            rows = [(each, inner) for each in yields if each is not None]
        else:
            return {_ANY}
        found: set[str] = set()
        for row, owner in rows:
            cell = row.elts[place] if isinstance(row, ast.Tuple) else row
            found |= self._texts(cell, owner, depth)
        return found or {_ANY}

    def _handed(self, function: ast.FunctionDef, place: int, depth: int) -> set[str]:
        """Return what callers in this module hand over at a place."""
        found: set[str] = set()
        for caller in self._functions.values():
            for call in _calls(caller):
                if call_name(call) == function.name and len(call.args) > place:
                    found |= self._texts(call.args[place], caller, depth)
        return found or {_ANY}


def call_name(call: ast.Call) -> str:
    """Return the plain name that is called, empty for anything else."""
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _calls(function: ast.FunctionDef) -> Iterator[ast.Call]:
    return (each for each in ast.walk(function) if isinstance(each, ast.Call))


def _assigned(body: list[ast.stmt]) -> dict[str, list[ast.expr]]:
    """Return what is assigned to each name in these statements."""
    found: dict[str, list[ast.expr]] = {}
    for statement in body:
        for node in ast.walk(statement):
            if not isinstance(node, ast.Assign | ast.AugAssign):
                continue
            target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
            value = node.value
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=False))
            for name, expression in pairs:
                if isinstance(name, ast.Name):
                    found.setdefault(name.id, []).append(expression)
    return found


def _place(target: ast.expr, name: str) -> int | None:
    """Return at which place of a loop's target a name stands."""
    names = target.elts if isinstance(target, ast.Tuple) else [target]
    for place, each in enumerate(names):
        if isinstance(each, ast.Name) and each.id == name:
            return place
    return None
