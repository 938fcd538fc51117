"""What others wrote is printed as text: no program, no direction, no invisible sign gets through."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.documents import Language
from gateway.errors import ConfigError
from gateway.paper.fonts import covered, shown_characters
from gateway.paper.printing import print_certificate
from gateway.paper.sheet import sheet
from gateway.paper.shown import is_right_to_left, isolated, shown
from tests.factories import certificate, goods_item
from tests.paper.reading import info_of, pages, text_of
from tests.paper.samples import print_order

HOSTILE = {
    "markup": "<script>alert(1)</script> &amp; <b>x</b>",
    "formula": '=HYPERLINK("http://x.example","y")',
    "program": '#import "x": *; $x^2$ *b* _i_ `raw` @ref <lab> #panic() \\u{41}',
    "override": "abc \u202edef\u202c ghi",
    "isolates": "\u2066\u2067 left \u2069\u2069 open",
    "invisible": "a\u200bb\ufeffc\u2060d\U000e0041e",
    "no picture": "中文公司 አዲስ አበባ 😀 \ue000",
    "stacked": "e" + "\u0301" * 80,
    "unbroken": "W" * 190,
    "mixed": "شركة النيل Ltd. (مصر) 12/34",
    "quotes": "\"'`´«»\u201c\u201d -- --- ... ~",
}
# pdftotext wraps Arabic in embeddings of its own.
CONTROLS = set("\u202d\u202e\u200b\u2060\ufeff")


def everywhere(text: str):
    """The certificate with a text in every field that takes one."""
    base = certificate()
    address = base.exporter.address.model_copy(
        update={"line_one": text, "line_two": text, "city": text, "postcode": text[:60].strip()}
    )
    item = goods_item(description=text)
    item = item.model_copy(
        update={
            "packages": item.packages.model_copy(update={"marks": text}),
            "criterion": item.criterion.model_copy(update={"remark": text}),
            "invoices": (
                item.invoices[0].model_copy(update={"number": text[:60], "issuer_name": text}),
            ),
        }
    )
    signatory = base.certification.model_copy(
        update={"name": text, "statement": text, "identifier": text[:60], "image": None}
    )
    return base.model_copy(
        update={
            "exporter": base.exporter.model_copy(update={"name": text, "address": address}),
            "consignee": base.consignee.model_copy(update={"name": text}),
            "issuing_authority": base.issuing_authority.model_copy(
                update={"name": text, "office_name": text}
            ),
            "transport": base.transport.model_copy(update={"means_name": text, "route": text}),
            "remarks": f"{text}\n{text}",
            "items": (item,),
            "declaration": signatory,
            "certification": signatory,
            "stamp": None,
        }
    )


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_in_every_field_is_printed_as_it_reads(kind: str, language: Language):
    pdf = print_certificate(
        print_order(document=everywhere(HOSTILE[kind]), language=language, printer=HOSTILE[kind])
    )
    text = text_of(pdf)
    assert int(info_of(pdf)["Pages"]) <= 4
    assert not CONTROLS & set(text)
    assert "ZM-20260309-000123" in text
    for mark in ("alert(1)", "HYPERLINK", "#panic()"):
        if mark in HOSTILE[kind]:
            assert mark in text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", ["unbroken", "mixed", "no picture", "stacked"])
def test_no_text_leaves_the_form_or_its_column(kind: str, language: Language):
    quantity = goods_item().quantity.model_copy(update={"value": Decimal("123456789012345.123456")})
    document = everywhere(HOSTILE[kind])
    items = (document.items[0].model_copy(update={"quantity": quantity}),)
    order = print_order(document=document.model_copy(update={"items": items}), language=language)
    for page in pages(print_certificate(order), dpi=72):
        width, height = page.size
        margin = int(width * 11 / 210)
        for edge in ((0, 0, margin, height), (width - margin, 0, width, height)):
            assert min(page.crop(edge).tobytes()) > 200, "there is ink in the margin"


def test_what_turns_or_hides_text_is_printed_as_its_number():
    assert shown("abc \u202edef") == "abc [U+202E]def"
    assert shown("a\u200b\ufeffb") == "a[U+200B U+FEFF]b"
    assert shown("中") == "[U+4E2D]"
    assert shown("e" + "\u0301" * 9) == "é\u0301\u0301\u0301[" + " ".join(["U+0301"] * 5) + "]"
    assert shown("中" * 20) == "[" + " ".join(["U+4E2D"] * 8) + " +12]"


def test_marks_of_direction_are_dropped_and_spaces_made_plain():
    assert shown("a\u200e\u200fb\u00a0c\u3000d\te") == "ab c d e"


def test_a_word_too_long_for_a_line_may_be_broken_and_arabic_words_may_not():
    assert shown("x" * 23).split("\u200b") == ["xxxx"] * 5 + ["xxx"]
    assert shown("x" * 22) == "x" * 22
    assert shown("ش" * 60) == "ش" * 60


def test_a_quantity_of_any_sane_size_stays_in_one_piece():
    weight = goods_item().quantity.model_copy(update={"value": Decimal("123456789012.125")})
    made = sheet(print_order(document=certificate(items=(goods_item(quantity=weight),))))
    assert made["rows"][0][4][0]["runs"][1] == ("code", "123456789012.125 KGM")


def test_the_direction_of_a_text_is_that_of_its_first_letter():
    assert is_right_to_left("12 (شركة) Ltd")
    assert not is_right_to_left("Ltd شركة")
    assert not is_right_to_left("12/34")


@given(st.text(max_size=120))
def test_what_is_shown_can_be_printed_and_moves_nothing(text: str):
    for character in shown(text):
        assert character in "\n \u200b\u200c\u200d" or ord(character) in shown_characters()
        assert unicodedata.bidirectional(character) not in {
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        }


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(min_size=1, max_size=80).filter(lambda text: text.strip()), st.sampled_from(Language)
)
def test_any_text_at_all_is_printed(text: str, language: Language):
    document = certificate().model_copy(
        update={"items": (goods_item().model_copy(update={"description": text}),)}
    )
    pdf = print_certificate(print_order(document=document, language=language))
    assert pdf.startswith(b"%PDF-")


def test_values_in_an_arabic_form_are_isolated_from_their_labels():
    made = sheet(print_order(language=Language.ARABIC))
    exporter = made["left"][0]["lines"]
    values = [
        words for line in exporter for kind, words in line["runs"] if kind in {"strong", "code"}
    ]
    assert isolated("Kafue Textiles Ltd") in values
    assert all(value[0] in "\u2066\u2068" and value[-1] == "\u2069" for value in values)


def test_bytes_that_are_no_font_are_told_as_a_broken_installation():
    with pytest.raises(ConfigError, match="font"):
        covered(b"not a font at all, but long enough to be looked at")
