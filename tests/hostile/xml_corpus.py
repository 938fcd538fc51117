"""Hostile XML, made in code: each entry says what it is and which refusal it must meet.

Nothing here is stored as a file, because some entries are megabytes large when made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.errors import GatewayError, MalformedXmlError, TooLargeError, UnsafeXmlError


@dataclass(frozen=True)
class HostileXml:
    """One document nobody may be harmed by, and the error it must meet."""

    name: str
    make: Callable[[], bytes]
    error: type[GatewayError]

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def _declarations(count: int) -> bytes:
    return b" ".join(b'xmlns:p%d="urn:x:%d"' % (n, n) for n in range(count))


def _attributes(count: int) -> bytes:
    return b" ".join(b'a%d="1"' % n for n in range(count))


def _billion_laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE a [<!ENTITY l0 "ha">{entities}]><a>&l11;</a>'.encode()


def _quadratic_blowup() -> bytes:
    return b'<!DOCTYPE a [<!ENTITY x "' + b"x" * 50_000 + b'">]><a>' + b"&x;" * 50_000 + b"</a>"


def _scope_by_shadowing() -> bytes:
    """Few distinct declarations, but every level repeats them: 60 x 60 in scope at the leaves."""
    level = b"<a " + b" ".join(b'xmlns:p%d="urn:x:%d"' % (n, n) for n in range(60)) + b">"
    return level * 60 + b"<b/>" * 10_000 + b"</a>" * 60


def _long_text(markup: bytes) -> bytes:
    """Return markup in a document so long that libxml2 keeps no bounds of its own."""
    return b"<a><t>" + b"x" * 11_000_000 + b"</t>" + markup + b"</a>"


def _beyond_what_libxml2_bounds() -> Iterator[HostileXml]:
    def unsafe(name: str, make: Callable[[], bytes]) -> HostileXml:
        return HostileXml(f"{name} beside 11 MB of text", make, UnsafeXmlError)

    yield unsafe("depth 65", lambda: _long_text(b"<b>" * 64 + b"</b>" * 64))
    yield unsafe("depth 2 000", lambda: _long_text(b"<b>" * 2_000 + b"</b>" * 2_000))
    yield unsafe("depth 399 000", lambda: _long_text(b"<b>" * 399_000 + b"</b>" * 399_000))
    yield unsafe("billion laughs", lambda: _billion_laughs() + b" " * 11_000_000)
    yield unsafe("a million attributes", lambda: _long_text(b"<b " + _attributes(999_999) + b"/>"))
    yield unsafe("a million elements", lambda: _long_text(b"<b/>" * 1_000_000))
    yield unsafe("declarations", lambda: _long_text(b"<b " + _declarations(65) + b"/>"))
    yield unsafe("shadowing", lambda: _long_text(_scope_by_shadowing()))


def _structure() -> Iterator[HostileXml]:
    def unsafe(name: str, make: Callable[[], bytes]) -> HostileXml:
        return HostileXml(name, make, UnsafeXmlError)

    yield unsafe("empty DTD", lambda: b"<!DOCTYPE a><a/>")
    yield unsafe("DTD after spaces", lambda: b"\n \n<!DOCTYPE a []><a/>")
    yield unsafe("billion laughs", _billion_laughs)
    yield unsafe("quadratic blow-up", _quadratic_blowup)
    yield unsafe(
        "file entity",
        lambda: b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
    )
    yield unsafe(
        "parameter entity",
        lambda: b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x">%x;]><a/>',
    )
    yield unsafe("external DTD", lambda: b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>')
    yield unsafe(
        "identifier declared by DTD", lambda: b"<!DOCTYPE a [<!ATTLIST a b ID #IMPLIED>]><a b='x'/>"
    )
    yield unsafe(
        "DTD in UTF-16",
        lambda: '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
    )
    yield unsafe("comment", lambda: b"<a>1<!-- -->200.50</a>")
    yield unsafe("comment after the root", lambda: b"<a/><!-- -->")
    yield unsafe("comment around CDATA", lambda: b"<a><!-- <![CDATA[ --><b/><!-- ]]> --></a>")
    yield unsafe("processing instruction", lambda: b"<a><?p not-an-?></a>")
    yield unsafe("style sheet instruction", lambda: b'<?xml-stylesheet href="x.xsl"?><a/>')
    yield unsafe("declaration after a space", lambda: b' <?xml version="1.0"?><a/>')
    yield unsafe("depth 65", lambda: b"<a>" * 65 + b"</a>" * 65)
    yield unsafe("depth 100 000", lambda: b"<a>" * 100_000 + b"</a>" * 100_000)
    yield unsafe("400 001 elements", lambda: b"<a>" + b"<b/>" * 400_000 + b"</a>")
    yield unsafe("65 attributes", lambda: b"<a " + _attributes(65) + b"/>")
    yield unsafe("100 000 attributes", lambda: b"<a " + _attributes(100_000) + b"/>")
    yield unsafe("65 declarations", lambda: b"<a " + _declarations(65) + b"/>")
    yield unsafe("25 000 declarations", lambda: b"<a " + _declarations(25_000) + b"/>")
    yield unsafe(
        "5000 declarations with 5000 children",
        lambda: b"<a " + _declarations(5000) + b">" + b"<b/>" * 5000 + b"</a>",
    )
    yield unsafe(
        "65 nested declarations",
        lambda: (
            b"".join(b'<a xmlns:p%d="urn:x"><a>' % n for n in range(31))
            + b"<a "
            + _declarations(40)
            + b"/>"
            + b"</a></a>" * 31
        ),
    )
    yield unsafe("scope crowded by shadowing", _scope_by_shadowing)
    yield unsafe(
        "390 000 elements below 60 declarations",
        lambda: b"<a " + _declarations(60) + b">" + b"<b/>" * 390_000 + b"</a>",
    )
    yield unsafe(
        "390 000 elements below 60 nested declarations",
        lambda: (
            b"".join(b'<a xmlns:p%d="urn:x">' % n for n in range(60))
            + b"<b/>" * 390_000
            + b"</a>" * 60
        ),
    )
    yield unsafe("relative namespace", lambda: b'<a xmlns="b"/>')
    yield unsafe("relative namespace of a prefix", lambda: b"<a><p:b xmlns:p = './x'/></a>")
    yield unsafe("namespace with a reference", lambda: b'<a xmlns="&#x62;"/>')
    yield unsafe("namespace with a space", lambda: b'<a xmlns="urn:x y"/>')


def _encodings() -> Iterator[HostileXml]:
    def malformed(name: str, make: Callable[[], bytes]) -> HostileXml:
        return HostileXml(name, make, MalformedXmlError)

    yield malformed("nothing", lambda: b"")
    yield malformed("text only", lambda: b"certificate")
    yield malformed("UTF-7", lambda: b"+ADw-a/+AD4-")
    yield malformed("UTF-7 stated", lambda: b'<?xml version="1.0" encoding="UTF-7"?><a/>')
    yield malformed("UTF-32", lambda: "<a/>".encode("utf-32"))
    yield malformed("UTF-16 without mark", lambda: "<a/>".encode("utf-16-le"))
    yield malformed(
        "UTF-16 that states UTF-8",
        lambda: '<?xml version="1.0" encoding="UTF-8"?><a/>'.encode("utf-16"),
    )
    yield malformed(
        "UTF-8 that states UTF-16", lambda: b'<?xml version="1.0" encoding="UTF-16"?><a/>'
    )
    yield malformed("EBCDIC", lambda: '<?xml version="1.0" encoding="cp037"?><a/>'.encode("cp037"))
    yield malformed("latin-1", lambda: "<a>é</a>".encode("latin-1"))
    yield malformed(
        "latin-1 stated",
        lambda: '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode("latin-1"),
    )
    yield malformed("overlong", lambda: b"<a>\xc0\xbc</a>")
    yield malformed("surrogate", lambda: b"<a>\xed\xa0\x80</a>")
    yield malformed(
        "lone surrogate in UTF-16", lambda: b"\xff\xfe<\x00a\x00>\x00\x00\xd8<\x00/\x00a\x00>\x00"
    )
    yield malformed("NUL", lambda: b"<a>\x00</a>")
    yield malformed("NUL by reference", lambda: b"<a>&#0;</a>")
    yield malformed("control character by reference", lambda: b"<a>&#8;</a>")
    yield malformed("non-character", "<a>\uffff</a>".encode)
    yield malformed("two marks", lambda: b"\xef\xbb\xbf\xef\xbb\xbf<a/>")
    yield malformed("XML 1.1", lambda: b'<?xml version="1.1"?><a/>')
    yield malformed("broken declaration", lambda: b"<?xml encoding='UTF-8'?><a/>")


def _forms() -> Iterator[HostileXml]:
    def malformed(name: str, make: Callable[[], bytes]) -> HostileXml:
        return HostileXml(name, make, MalformedXmlError)

    yield malformed("entity without DTD", lambda: b"<a>&nbsp;</a>")
    yield malformed("two roots", lambda: b"<a/><b/>")
    yield malformed("text after the root", lambda: b"<a/>x")
    yield malformed("unclosed", lambda: b"<a><b></a>")
    yield malformed("same attribute twice", lambda: b'<a b="1" b="2"/>')
    yield malformed(
        "same attribute by two prefixes",
        lambda: b'<a xmlns:p="urn:x" xmlns:q="urn:x" p:b="1" q:b="2"/>',
    )
    yield malformed("prefix without declaration", lambda: b"<p:a/>")
    yield malformed("prefix declared empty", lambda: b'<a xmlns:p=""/>')
    yield malformed("xml prefix rebound", lambda: b'<a xmlns:xml="urn:x"/>')
    yield malformed("unclosed CDATA a million times", lambda: b"<a>" + b"<![CDATA[" * 1_000_000)
    yield malformed("open quote for 9 MB", lambda: b"<a b='" + b'=" ' * 3_000_000)
    yield HostileXml("only opening brackets", lambda: b"<" * 11_000_000, UnsafeXmlError)
    yield HostileXml("25 MB", lambda: b"<a>" + b"x" * 25_000_000 + b"</a>", TooLargeError)
    yield from _beyond_what_libxml2_bounds()


CORPUS = (*_structure(), *_encodings(), *_forms())
