"""Canonical XML: the one place that asks lxml for it."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from gateway.trust.algorithms import Canonicalization
from gateway.xml.parsing import reparse


def canonical(
    node: etree._Element, method: Canonicalization, prefixes: Sequence[str] | None = None
) -> bytes:
    """Return the canonical form of an element and all below it, without comments.

    An element inside a document is read again as a document of its own first: libxml2's
    inclusive form of an inner element that inherits a *default* namespace comes out with
    ``xmlns=""`` where none belongs (every lxml from 4.9 to 6.1), so that genuine signatures of
    the JDK and of .NET would be refused.

    Attributes in the XML namespace that an inner element inherits from its ancestors are not
    carried over; ``gateway.trust.shape`` refuses them where they would matter.
    """
    if node.getparent() is not None:
        node = reparse(etree.tostring(node, with_tail=False))
    return etree.tostring(
        node,
        method="c14n",
        exclusive=method is Canonicalization.EXCLUSIVE,
        with_comments=False,
        inclusive_ns_prefixes=prefixes,
    )
