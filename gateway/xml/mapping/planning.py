"""From the entries of a mapping file to the plan of a message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from gateway.documents.findings import LocalisedText
from gateway.xml.mapping.anatomy import Anatomy
from gateway.xml.mapping.blueprint import Declaration
from gateway.xml.mapping.entries import Entry, Place
from gateway.xml.mapping.plan import Binding, Constant, Node
from gateway.xml.mapping.rows import Row, RowKind
from gateway.xml.mapping.steps import Step, XmlPath, parse_path
from gateway.xml.mapping.values import NAMED_CODECS, Codec, coded, default_codec


@dataclass(frozen=True)
class _Scope:
    """Is what an enclosing section or group hands down to its rows."""

    node: Node
    prefix: str
    box: str | None
    article: str | None

    def path_of(self, field: str) -> str:
        """Return the document path of ``field``, which is written relative to the scope."""
        if field == ".":  # the record or member of the scope itself
            return self.prefix
        return f"{self.prefix}.{field}" if self.prefix else field


class Planner:
    """Grows the plan of one message, entry by entry."""

    def __init__(
        self,
        root: Declaration,
        name: str,
        anatomy: Anatomy,
        prefixes: Mapping[str, str],
        labels: Mapping[str, LocalisedText],
    ) -> None:
        self._anatomy = anatomy
        self._prefixes = prefixes
        self._labels = labels
        self.root = Node(Step(root.tag, name), root, path="", line=1, anchor="")
        self.rows: list[Row] = []
        self.places: dict[str, Place] = {}

    def add(self, entries: Iterable[Entry]) -> None:
        """Add entries that stand at the top of the file."""
        self._add_all(entries, _Scope(self.root, "", None, None))

    def _add_all(self, entries: Iterable[Entry], scope: _Scope) -> None:
        verbs = {
            "field": self._add_field,
            "constant": self._add_constant,
            "record": self._add_section,
            "each": self._add_group,
        }
        for entry in entries:
            inner = replace(
                scope,
                box=entry.optional_text("box") or scope.box,
                article=entry.optional_text("article") or scope.article,
            )
            verbs[entry.kind](entry, inner)

    def _add_section(self, entry: Entry, scope: _Scope) -> None:
        prefix = scope.path_of(entry.text("record"))
        if prefix != scope.prefix and prefix not in self._anatomy.groups:
            raise entry.place.error(f"the document has no record {prefix!r}")
        node = self._descend(scope.node, self._path(entry).steps, entry.place)
        self._add_all(entry.entries(), replace(scope, node=node, prefix=prefix))

    def _add_group(self, entry: Entry, scope: _Scope) -> None:
        group = f"{scope.path_of(entry.text('each'))}[]"
        if group not in self._anatomy.groups:
            raise entry.place.error(f"the document repeats no {group!r}")
        path = self._path(entry).steps
        steps = self._anatomy.steps(scope.node.anchor, group)
        if not path or steps is None:
            raise entry.place.error("a group needs an element of its own below its outer group")
        parent = self._descend(scope.node, path[:-1], entry.place)
        node = self._new_child(parent, path[-1], entry.place)
        node.group, node.group_steps, node.anchor = group, steps, group
        node.constants.update(entry.texts("attributes"))
        self._add_all(entry.entries(), replace(scope, node=node, prefix=group))

    def _add_constant(self, entry: Entry, scope: _Scope) -> None:
        path = self._path(entry)
        node = self._descend(scope.node, path.steps, entry.place)
        if path.attribute or node.text or node.constant or node is scope.node:
            raise entry.place.error("the element is already filled, or is no element of its own")
        node.constant = Constant(entry.text("constant"), entry.pattern("accepts"))
        node.constants.update(entry.texts("attributes"))
        self._keep_row(entry, scope, node, kind=RowKind.CONSTANT, field="", form="constant")

    def _add_field(self, entry: Entry, scope: _Scope) -> None:
        field = scope.path_of(entry.text("field"))
        leaf = self._anatomy.leaves.get(field)
        if leaf is None:
            raise entry.place.error(f"the document has no field {field!r}")
        path = self._path(entry)
        node = self._descend(scope.node, path.steps, entry.place)
        steps = self._anatomy.steps(node.anchor, field)
        if steps is None:
            raise entry.place.error(f"{field!r} is repeated; it belongs into a group of its own")
        kind = RowKind.DERIVED if entry.flag("derived") else RowKind.VALUE
        codec = _codec(entry, leaf.type, kind)
        row = self._keep_row(
            entry,
            scope,
            node,
            kind=kind,
            field=field,
            form=codec.name,
            attribute=path.attribute,
        )
        derived = _codes(entry, leaf.type) if kind is RowKind.DERIVED else None
        may_lack = self._anatomy.may_lack(node.anchor, steps)
        _bind(node, path.attribute, Binding(row, codec, steps, may_lack, derived), entry)
        node.constants.update(entry.texts("attributes"))

    def _keep_row(
        self,
        entry: Entry,
        scope: _Scope,
        node: Node,
        *,
        kind: RowKind,
        field: str,
        form: str,
        attribute: str | None = None,
    ) -> Row:
        row = Row(
            kind=kind,
            field=field,
            xml=f"{node.path}/@{attribute}" if attribute else node.path,
            form=form,
            constant=entry.text("constant") if kind is RowKind.CONSTANT else None,
            attributes=tuple(sorted((node.constants | entry.texts("attributes")).items())),
            box=scope.box,
            label=entry.label(self._labels) if kind is RowKind.VALUE else None,
            article=scope.article,
            line=entry.place.line,
        )
        if kind is RowKind.VALUE:
            if field in self.places:
                first = self.places[field].line
                raise entry.place.error(f"{field!r} has a row already, on line {first}")
            self.places[field] = entry.place
        self.rows.append(row)
        return row

    def _path(self, entry: Entry) -> XmlPath:
        try:
            return parse_path(entry.text("xml"), self._prefixes)
        except ValueError as exc:
            raise entry.place.error(str(exc)) from exc

    def _descend(self, node: Node, steps: Iterable[Step], place: Place) -> Node:
        for step in steps:
            known = next((c for c in node.children if c.step == step and not c.group), None)
            node = known or self._new_child(node, step, place)
        return node

    def _new_child(self, parent: Node, step: Step, place: Place) -> Node:
        declaration = parent.declaration.structure.children.get(step.tag)
        if declaration is None:
            raise place.error(f"the schema has no {step.name} below {_shown(parent)}")
        node = Node(
            step=step,
            declaration=declaration,
            path=f"{parent.path}/{_spelled(step)}".lstrip("/"),
            line=place.line,
            anchor=parent.anchor,
        )
        parent.children.append(node)
        for predicate in step.predicates:
            if predicate.is_attribute:
                node.constants[predicate.subject] = predicate.value
            else:
                inner = self._new_child(node, Step(predicate.subject, predicate.name), place)
                inner.constant = Constant(predicate.value)
        return node


def _bind(node: Node, attribute: str | None, binding: Binding, entry: Entry) -> None:
    if attribute is not None:
        if attribute in node.attributes:
            raise entry.place.error(f"the attribute {attribute} is already filled")
        node.attributes[attribute] = binding
        return
    if node.text or node.constant:
        raise entry.place.error(f"the element {node.path} is already filled")
    node.text = binding


_TRUTH: Final = {"true": True, "false": False}


def _codes(entry: Entry, leaf_type: type[Any]) -> dict[Any, str]:
    written = entry.texts("codes")
    if issubclass(leaf_type, bool):
        members: dict[str, Any] = dict(_TRUTH)
    elif issubclass(leaf_type, StrEnum):
        members = {member.value: member for member in leaf_type}
    else:
        raise entry.place.error("only enumerations and truth values have codes")
    if set(written) != set(members):
        odd = ", ".join(sorted(set(written) ^ set(members)))
        raise entry.place.error(f"the codes do not cover the field's values: {odd}")
    return {members[name]: code for name, code in written.items()}


def _codec(entry: Entry, leaf_type: type[Any], kind: RowKind) -> Codec:
    if kind is RowKind.DERIVED:
        return coded({code: code for code in _codes(entry, leaf_type).values()})
    if entry.texts("codes"):
        codes = _codes(entry, leaf_type)
        if len(set(codes.values())) != len(codes):
            raise entry.place.error("two values have the same code")
        return coded(codes)
    named = entry.optional_text("as")
    if named is None:
        return default_codec(leaf_type)
    if named not in NAMED_CODECS:
        raise entry.place.error(f"no form is named {named!r}")
    return NAMED_CODECS[named]


def _spelled(step: Step) -> str:
    return step.name + "".join(
        f"[{'@' if predicate.is_attribute else ''}{predicate.name}='{predicate.value}']"
        for predicate in step.predicates
    )


def _shown(node: Node) -> str:
    return node.path or node.step.name
