"""Validating messages against their schemas; what breaks a schema becomes findings.

lxml gives the verdict; only when it refuses does xmlschema explain (``gateway.xml.explaining``).
Both are told never to fetch anything.  Business rules are not checked here (see
``gateway.agreements``).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lxml import etree

from gateway.documents.codes import DocumentType
from gateway.documents.findings import Finding
from gateway.errors import ConfigError, SchemaError, VersionNotSupportedError
from gateway.resources import data_path
from gateway.xml.explaining import explain_by_lxml, explain_by_xmlschema
from gateway.xml.namespaces import ENVELOPE_NS, message_namespace

if TYPE_CHECKING:
    import xmlschema

_LARGE: Final = 5_000
"""Elements beyond which xmlschema would take seconds; libxml2's own words must do there."""


class MessageSchema:
    """Is the schema of one message; may be used from many threads at once.

    libxml2 keeps the errors of a validation in the schema object, so every thread has its own.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._compiled()

    def findings(self, root: etree._Element) -> tuple[Finding, ...]:
        """Return what breaks the schema; empty when nothing does."""
        compiled = self._compiled()
        if compiled.validate(root):
            return ()
        if _is_large(root):
            return explain_by_lxml(root, compiled.error_log)
        try:
            with self._lock:  # a cached property is built twice when two threads meet
                explainer = self._explainer
            found = explain_by_xmlschema(root, explainer)
        except Exception:  # noqa: BLE001 - the verdict stands, and libxml2 has words for it too
            found = ()
        return found or explain_by_lxml(root, compiled.error_log)

    def _compiled(self) -> etree.XMLSchema:
        compiled: etree.XMLSchema | None = getattr(self._of_thread, "compiled", None)
        if compiled is None:
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            try:
                compiled = etree.XMLSchema(etree.parse(str(self._file), parser))
            except (OSError, etree.LxmlError) as exc:
                raise ConfigError(f"{self._file}: the schema cannot be used ({exc})") from exc
            self._of_thread.compiled = compiled
        return compiled

    @cached_property
    def _explainer(self) -> xmlschema.XMLSchema10:
        import xmlschema  # takes a third of a second, and most processes never need it

        return xmlschema.XMLSchema10(self._file, allow="local", defuse="always", use_fallback=False)


class SchemaSet:
    """Holds the schemas of every message and of the envelope, by root element."""

    def __init__(self, schemas: Mapping[str, MessageSchema]) -> None:
        self._schemas = MappingProxyType(dict(schemas))

    @classmethod
    def load(cls) -> SchemaSet:
        """Return the schemas shipped with the gateway, compiled.

        Raises:
            ConfigError: a schema file is missing or broken.
        """
        folder = data_path("schemas", "uncefact")
        roots = {f"{{{message_namespace(kind)}}}{kind}": str(kind) for kind in DocumentType}
        roots[f"{{{ENVELOPE_NS}}}Envelope"] = "Envelope"
        return cls({root: MessageSchema(folder / f"{n}_1p0.xsd") for root, n in roots.items()})

    def findings(self, root: etree._Element) -> tuple[Finding, ...]:
        """Return what breaks the schema of the message below ``root``, in document order.

        At most ``gateway.xml.explaining.MAX_FINDINGS``; empty when the message is valid.

        Raises:
            VersionNotSupportedError: no schema is known for this root element.
        """
        schema = self._schemas.get(str(root.tag))
        if schema is None:
            name = etree.QName(root)
            raise VersionNotSupportedError(
                f"no message {name.localname[:80]!r} of namespace {str(name.namespace)[:120]!r}"
                " is known here; only major version 1 is read"
            )
        return schema.findings(root)

    def require_valid(self, root: etree._Element) -> None:
        """Return when the message below ``root`` follows its schema.

        Raises:
            SchemaError: with a finding for each thing that does not.
            VersionNotSupportedError: no schema is known for this root element.
        """
        findings = self.findings(root)
        if findings:
            name = etree.QName(root).localname
            raise SchemaError(
                f"{name}: {len(findings)} element(s) break the message schema", findings=findings
            )


def _is_large(root: etree._Element) -> bool:
    return next(islice(root.iter(), _LARGE, None), None) is not None
