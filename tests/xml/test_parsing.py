"""What the one parser reads, and what it refuses before libxml2 or canonicalisation suffers."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import MalformedXmlError, TooLargeError, UnsafeXmlError
from gateway.xml.parsing import XmlLimits, parse, reparse, serialize
from tests.hostile.xml_corpus import CORPUS, HostileXml

REFUSALS = (UnsafeXmlError, MalformedXmlError, TooLargeError)
PIECES = [
    "<a>", "</a>", "<a/>", "<p:b xmlns:p='urn:x'>", "</p:b>", "<!--", "-->", "<![CDATA[", "]]>", "<?x", "?>",
    "<!DOCTYPE a [", "]>", "<?xml version='1.0' encoding='UTF-8'?>", "&amp;", "&#8;", "&x;", " xmlns='urn:y'",
    " b='1'", '"', "'", ">", "<", "=", "text", "\ufeff", "\x00", "é", "xmlns", " ", "/",
]  # fmt: skip


@pytest.mark.parametrize("hostile", CORPUS, ids=str)
def test_hostile_documents_meet_their_refusal_quickly(hostile: HostileXml) -> None:
    raw = hostile.make()
    started = time.perf_counter()
    with pytest.raises(hostile.error) as caught:
        parse(raw)
    assert type(caught.value) is hostile.error
    assert caught.value.detail
    assert len(caught.value.detail) < 400
    assert time.perf_counter() - started < 2


@given(st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(PIECES), max_size=25).map(lambda p: "".join(p).encode())))  # fmt: skip
@example(b"<a>]]></a>")
@example(b"\xff\xfe")
@example(b"\xfe\xff\x00")
@example(b"\xef\xbb\xbf")
def test_any_bytes_give_an_element_or_one_of_three_refusals(raw: bytes) -> None:
    try:
        root = parse(raw)
    except REFUSALS:
        return
    assert isinstance(root.tag, str)
    etree.tostring(root, method="c14n")
    assert etree.tostring(parse(serialize(root)), method="c14n") == etree.tostring(
        root, method="c14n"
    )


def test_plain_utf8_is_read_with_and_without_declaration_and_mark() -> None:
    declaration = "<?xml version='1.0' encoding='utf-8' standalone=\"yes\" ?>\n"
    for raw in (
        "<a>é</a>",
        "\ufeff<a>é</a>",
        declaration + "<a>é</a>",
        "\ufeff" + declaration + "<a>é</a>",
    ):
        assert parse(raw.encode()).text == "é"


@pytest.mark.parametrize(
    "declaration", ["", "<?xml version='1.0'?>", "<?xml version='1.0' encoding='UTF-16'?>"]
)
@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf16_is_read_when_its_mark_says_so(declaration: str, mark: bytes) -> None:
    codec = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    assert parse(mark + f"{declaration}<a>شهادة</a>".encode(codec)).text == "شهادة"


def test_cdata_is_the_text_it_holds_and_splits_nothing() -> None:
    root = parse(b"<a>1<![CDATA[<!DOCTYPE b><b>&amp;]]>00</a>")
    assert root.text == "1<!DOCTYPE b><b>&amp;00"
    assert len(root) == 0


def test_documents_at_the_limits_are_read() -> None:
    assert parse(b"<a>" * 64 + b"</a>" * 64) is not None
    assert (
        len(
            parse(
                b"<a " + b" ".join(b'b%d="<"' % n for n in range(64)).replace(b"<", b">") + b"/>"
            ).attrib
        )
        == 64
    )
    assert (
        parse(b"<a " + b" ".join(b'xmlns:p%d="urn:x"' % n for n in range(64)) + b"/>") is not None
    )
    assert len(parse(b"<a>" + b"<b/>" * 399_999 + b"</a>")) == 399_999


def test_a_text_longer_than_libxml2_takes_unasked_is_read_and_canonicalised() -> None:
    root = parse(b"<a><b>" + b"x" * 16_000_000 + b"</b></a>")
    assert len(root[0].text or "") == 16_000_000
    again = reparse(etree.tostring(root, method="c14n"))
    assert len(again[0].text or "") == 16_000_000


def test_the_default_namespace_declared_anew_on_each_of_many_elements_is_read() -> None:
    items = b"".join(
        b"<b xmlns='urn:b'><c xmlns=\"urn:c\">/></c><d a='/'/></b>" for _ in range(2000)
    )
    assert len(parse(b'<a xmlns="urn:a">' + items + b"</a>")) == 2000


def test_each_limit_is_the_callers_choice() -> None:
    with pytest.raises(TooLargeError):
        parse(b"<a/>", XmlLimits(max_bytes=3))
    with pytest.raises(UnsafeXmlError, match="deeper than 1"):
        parse(b"<a><b/></a>", XmlLimits(max_depth=1))
    with pytest.raises(UnsafeXmlError, match="more than 1 elements"):
        parse(b"<a><b/></a>", XmlLimits(max_nodes=1))
    with pytest.raises(UnsafeXmlError, match="more than 1 attributes"):
        parse(b'<a b="" c=""/>', XmlLimits(max_attributes=1))
    with pytest.raises(UnsafeXmlError, match="namespace declarations"):
        parse(b'<a xmlns="urn:x" xmlns:b="urn:y"/>', XmlLimits(max_namespaces=1))


def test_namespace_declarations_count_among_the_attributes_of_their_own_element_only() -> None:
    def element(attributes: int, declarations: int) -> bytes:
        parts = [b'b%d=""' % n for n in range(attributes)]
        parts += [b'xmlns:p%d="urn:x"' % n for n in range(declarations)]
        return b"<a " + b" ".join(parts) + b"/>"

    declared_above = b'<r xmlns:x="urn:x" xmlns:y="urn:y">' + element(64, 0) + b"</r>"
    assert len(parse(declared_above)[0].attrib) == 64
    assert len(parse(element(60, 4)).attrib) == 60
    for attributes in (60, 64, 65):
        with pytest.raises(UnsafeXmlError, match="more than 64 attributes"):
            parse(element(attributes, 65 - attributes if attributes < 64 else 1))


def test_many_elements_below_a_few_declarations_are_read() -> None:
    assert (
        len(
            parse(
                b"<a "
                + b" ".join(b'xmlns:p%d="urn:x"' % n for n in range(10))
                + b">"
                + b"<b/>" * 390_000
                + b"</a>"
            )
        )
        == 390_000
    )


def test_no_entity_or_address_is_ever_fetched(tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    raw = f'<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="{secret.as_uri()}" parse="text"/></a>'
    assert b"secret</" not in serialize(parse(raw.encode()))


def test_serializing_keeps_text_and_space_as_they_are() -> None:
    raw = b"<?xml version='1.0' encoding='UTF-8'?>\n<a>\n  <b>\xc3\xa9&#13;</b> </a>"
    assert serialize(parse(raw)) == raw
    assert (
        serialize(parse(raw)[0]) == b"<?xml version='1.0' encoding='UTF-8'?>\n<b>\xc3\xa9&#13;</b>"
    )


def test_canonical_bytes_are_read_again_without_new_caps() -> None:
    root = parse(b'<a xmlns:p="urn:x">' + b"<p:b/>" * 100 + b"</a>")
    canonical = etree.tostring(root, method="c14n", exclusive=True)
    assert canonical.count(b"xmlns") == 100
    assert len(reparse(canonical)) == 100


@pytest.mark.parametrize(
    "value", [b"'" * 500, b"xmlns" * 100, b"&quot;" * 500], ids=["quotes", "xmlns", "references"]
)
def test_many_quotes_in_one_value_or_text_are_no_crowd_of_attributes(value: bytes) -> None:
    root = parse(b'<a b="%b">%b</a>' % (value, value))
    assert root.text == root.get("b")


def test_the_cap_on_attributes_counts_either_quote_and_any_value() -> None:
    odd = [b" a%d='\"'" % n if n % 2 else b' a%d="\'"' % n for n in range(65)]
    assert len(parse(b"<a%b/>" % b"".join(odd[:64])).attrib) == 64
    with pytest.raises(UnsafeXmlError, match="64 attributes"):
        parse(b"<b><a%b/></b>" % b"".join(odd))


def test_no_declaration_hides_inside_a_value_that_looks_like_one() -> None:
    for hidden in (
        b"<a b='xmlns=\"' xmlns:p=\"relative\" c='\"'/>",
        b"<a b=\"xmlns='\" xmlns:p='relative' c=\"'\"/>",
        b"<a>xmlns=\"<b xmlns:p='relative'/>\"</a>",
        b"<a b='xmlns=\"' xmlns:p=\"urn:x\" c='\"'/>",
    ):
        with pytest.raises(UnsafeXmlError, match="absolute URI"):
            parse(hidden)
