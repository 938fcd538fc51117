"""The one XML parser of the gateway, and the one serializer.

Whatever comes from outside is read here and nowhere else.  Bytes are scanned before libxml2
sees them, so that neither a DTD nor a document built to exhaust canonicalisation ever reaches
it; every scan is linear.  Each failure is an ``UnsafeXmlError``, a ``MalformedXmlError`` or a
``TooLargeError``; no exception of lxml leaves this module.

What a document means and whether it is signed is not decided here.

Plan of :func:`parse`:

1. Size.
2. Encoding: UTF-8, or UTF-16 with its byte order mark; the XML declaration may not say
   otherwise, and is taken off.
3. No DTD, comment or processing instruction.  CDATA is read as the text it is.
4. Relative namespace names refused (canonicalisation fails on them); caps on elements,
   attributes per element and namespace declarations in scope.
5. libxml2, every option written out; beyond ten million bytes without its own bounds, which ours
   replace.
6. Cap on depth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Final

from lxml import etree

from gateway.errors import MalformedXmlError, TooLargeError, UnsafeXmlError


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """Say how much one document may ask of us.

    Attributes:
        max_bytes: size of the document in bytes, as received.
        max_depth: nesting of elements; the root is at depth 1.
        max_nodes: elements in the document.
        max_attributes: attributes of one element, namespace declarations included.
        max_namespaces: namespace declarations in scope at any one element, shadowed ones
            included.
        max_scope_work: sum over all elements of the square of the declarations in scope, which
            is what inclusive canonicalisation costs in libxml2 (about 9 ns each).
    """

    max_bytes: int = 24_000_000
    max_depth: int = 64
    max_nodes: int = 400_000
    max_attributes: int = 64
    max_namespaces: int = 64
    max_scope_work: int = 50_000_000


DEFAULT_LIMITS: Final = XmlLimits()

READ_BY_ALL: Final = 10_000_000
"""Bytes up to which every reader built on libxml2 takes any text: no document so short can exceed
its bounds.  Beyond, text may be longer than it takes unasked, so its bounds are lifted; none of
what they keep out is left then: no DTD, so no entity; caps on bytes, elements and attributes."""

_MARK: Final = "\ufeff".encode()
_DECLARATION: Final = re.compile(
    rb"""<\?xml\s+version\s*=\s*(?P<q>["'])(?P<version>[^"'<>&]{1,16})(?P=q)
        (?:\s+encoding\s*=\s*(?P<r>["'])(?P<encoding>[A-Za-z][A-Za-z0-9._-]{0,39})(?P=r))?
        (?:\s+standalone\s*=\s*(?P<s>["'])(?:yes|no)(?P=s))?\s*\?>""",
    re.VERBOSE,
)
_CDATA: Final = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)", re.DOTALL)
_TAG: Final = re.compile(
    rb"""<(?P<close>/?)[^<>"'/]*+(?:(?:"[^"<]*+"|'[^'<]*+'|/(?!>))[^<>"'/]*+)*+(?P<empty>/?)>"""
)
_NAMESPACE: Final = re.compile(rb"""xmlns(?::[^\s=<>"']*+)?+\s*+=\s*+(?:"([^"<]*+)"|'([^'<]*+)')""")
_ABSOLUTE_URI: Final = re.compile(
    rb"[A-Za-z][A-Za-z0-9+.\-]*+:[A-Za-z0-9\-._~:/?#\[\]@!$'()*+,;=%]++"
)
_QUOTES_ALIKE: Final = bytes.maketrans(b"'", b'"')
_NEITHER_TAG_NOR_QUOTE: Final = bytes(set(range(256)) - set(b"<\"'"))


def parse(raw: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> etree._Element:
    """Return the root element of a document that came from outside.

    Raises:
        TooLargeError: more bytes than allowed.
        UnsafeXmlError: DTD, comment, processing instruction or a cap exceeded.
        MalformedXmlError: not well-formed XML 1.0 in UTF-8, or UTF-16 with byte order mark.
    """
    if len(raw) > limits.max_bytes:
        raise TooLargeError(f"{len(raw)} bytes of XML where {limits.max_bytes} are allowed")
    body = _body(raw)
    skeleton = _without_cdata(body)
    declared = _plain_namespaces(skeleton)
    _refuse_excess(skeleton, declared, limits)
    root = _read(body)
    if _depth_beyond(limits.max_depth)(root):
        raise UnsafeXmlError(f"elements nested deeper than {limits.max_depth}")
    return root


def reparse(canonical: bytes) -> etree._Element:
    """Return the root of bytes that were just canonicalised from a tree made by :func:`parse`.

    The caps were checked then, and canonical text holds neither DTD nor declaration.
    """
    return _read(canonical)


def serialize(root: etree._Element) -> bytes:
    """Return the element as a document in UTF-8 with XML declaration, nothing reformatted."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, with_tail=False)


def _body(raw: bytes) -> bytes:
    """Return the document in UTF-8 without byte order mark and XML declaration (step 2)."""
    text, encodings = _decoded(raw)
    if text.startswith(_MARK):
        raise MalformedXmlError("a second byte order mark")
    declaration = _DECLARATION.match(text)
    if declaration is None:
        if re.match(rb"<\?xml\s", text):
            raise MalformedXmlError("the XML declaration is not well-formed")
        return text
    if declaration["version"] != b"1.0":
        version = declaration["version"].decode()
        raise MalformedXmlError(f"XML version {version!r}, only 1.0 is read")
    stated = declaration["encoding"]
    if stated is not None and stated.decode().upper() not in encodings:
        raise MalformedXmlError(
            f"the XML declaration states {stated.decode()}, the bytes are {encodings[0]}"
        )
    return text[declaration.end() :]


def _decoded(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return the text in UTF-8 and the names of encoding that its declaration may state."""
    try:
        if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            return raw.decode("utf-16").encode(), ("UTF-16",)
        if not raw.isascii():
            raw.decode("utf-8")
        return raw.removeprefix(_MARK), ("UTF-8", "UTF8")
    except UnicodeDecodeError as exc:
        raise MalformedXmlError(
            f"byte {exc.start} is not {exc.encoding}; send UTF-8, or UTF-16 with byte order mark"
        ) from exc


def _without_cdata(body: bytes) -> bytes:
    """Return the markup alone (step 3): here every ``<`` begins a tag or the text is malformed."""
    skeleton = body
    if _holds(body, b"<!"):
        skeleton = _CDATA.sub(b"", body)
        if b"<!DOCTYPE" in skeleton:
            raise UnsafeXmlError("a DTD; this gateway reads none")
        if b"<!" in skeleton:
            raise UnsafeXmlError("a comment or declaration; this gateway reads none")
    if _holds(skeleton, b"<?"):
        raise UnsafeXmlError("a processing instruction; this gateway reads none")
    return skeleton


def _holds(text: bytes, opening: bytes) -> bool:
    """Return whether ``<`` and a rarer sign stand together; the rarer one is looked for first."""
    return opening[1:] in text and opening in text


def _plain_namespaces(skeleton: bytes) -> int:
    """Return how many namespaces are declared, each an absolute URI written plainly (step 4).

    The count is exact or too high: what looks like a declaration but reaches over the end of a
    value holds a quote or a space, which no plain name does.

    Raises:
        UnsafeXmlError: a namespace name is something else.
    """
    names: list[tuple[bytes, bytes]] = _NAMESPACE.findall(skeleton)
    for name in sorted(set(chain.from_iterable(names))):
        if name and not _ABSOLUTE_URI.fullmatch(name):
            raise UnsafeXmlError(f"namespace name {name[:80]!r} is not an absolute URI")
    return len(names)


def _refuse_excess(skeleton: bytes, declared: int, limits: XmlLimits) -> None:
    """Raise if elements, attributes or namespace declarations exceed the caps (step 4).

    What no document of ours comes near to is excluded on the few signs that matter, in one
    sweep; only a document that comes near is looked at closely.
    """
    signs = skeleton.translate(_QUOTES_ALIKE, _NEITHER_TAG_NOR_QUOTE)
    tags = signs.count(b"<")
    if tags > limits.max_nodes and tags - skeleton.count(b"</") > limits.max_nodes:
        raise UnsafeXmlError(f"more than {limits.max_nodes} elements")
    crowded = b'"' * (2 * limits.max_attributes + 2) in signs
    if crowded and _attributes_beyond(limits.max_attributes).search(skeleton):
        raise UnsafeXmlError(f"an element with more than {limits.max_attributes} attributes")
    if declared > limits.max_namespaces or tags * declared**2 > limits.max_scope_work:
        _refuse_crowded_scope(skeleton, limits)


def _refuse_crowded_scope(skeleton: bytes, limits: XmlLimits) -> None:
    """Raise if too many namespace declarations are in scope at one element or at all together.

    Only documents that hold many in all are walked tag by tag: software that declares the
    default namespace anew on every element is legitimate.
    """
    open_elements: list[int] = []
    in_scope = work = 0
    for tag in _TAG.finditer(skeleton):
        if tag["close"]:
            in_scope -= open_elements.pop() if open_elements else 0
            continue
        declared = tag[0].count(b"xmlns")
        in_scope += declared
        work += in_scope**2
        if in_scope > limits.max_namespaces or work > limits.max_scope_work:
            raise UnsafeXmlError("more namespace declarations in scope than are read")
        if tag["empty"]:
            in_scope -= declared
        else:
            open_elements.append(declared)


@lru_cache(maxsize=8)
def _attributes_beyond(most: int) -> re.Pattern[bytes]:
    """Return the pattern of a tag with more than ``most`` quoted values; it never backtracks."""
    quoted = rb"""(?:"[^"<]*+"|'[^'<]*+')[^<>"']*+"""
    return re.compile(rb"""<[^<>"']*+(?:%b){%d}""" % (quoted, most + 1))


@lru_cache(maxsize=8)
def _depth_beyond(most: int) -> etree.XPath:
    """Return the question whether a tree has an element deeper than ``most``."""
    return etree.XPath(f"boolean({'/*' * (most + 1)})", smart_strings=False)


def _parser(*, huge: bool) -> etree.XMLParser:
    """Return a new parser; every option is written out, whatever lxml's defaults become.

    Args:
        huge: lift libxml2's own bounds on text (ten million characters) and depth (256).
    """
    parser: etree.XMLParser = etree.XMLParser(  # type: ignore[call-overload]  # no decompress
        encoding="utf-8",
        attribute_defaults=False,
        dtd_validation=False,
        load_dtd=False,
        no_network=True,
        decompress=False,
        ns_clean=False,
        recover=False,
        schema=None,
        huge_tree=huge,
        remove_blank_text=False,
        resolve_entities=False,
        remove_comments=False,
        remove_pis=False,
        strip_cdata=True,
        collect_ids=False,
        compact=True,
    )
    return parser


def _read(body: bytes) -> etree._Element:
    """Return the root that libxml2 reads from UTF-8 without declaration (step 5)."""
    try:
        return etree.fromstring(body, _parser(huge=len(body) > READ_BY_ALL))
    except etree.XMLSyntaxError as exc:
        if exc.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT and "depth" in exc.msg:
            raise UnsafeXmlError(f"XML beyond what is read: {exc.msg}") from exc
        if exc.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
            raise TooLargeError(f"XML beyond what is read: {exc.msg}") from exc
        raise MalformedXmlError(f"not well-formed XML: {exc.msg}") from exc
    except (etree.LxmlError, ValueError) as exc:
        raise MalformedXmlError(f"not well-formed XML: {exc}") from exc
