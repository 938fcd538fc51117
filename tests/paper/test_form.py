"""The printed form: every box, three languages, any number of items, the signed document inside."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from PIL import Image

from gateway.documents import CertificateKind, Language, Purpose
from gateway.documents.certificate_of_origin import (
    Endorsement,
    OriginalCertificate,
    ReplacedCertificate,
    RetrospectiveIssue,
)
from gateway.documents.parties import DocumentReference
from gateway.errors import InternalError, TooLargeError
from gateway.paper import printing
from gateway.paper.order import SignatureNote, Standing
from gateway.paper.pictures import picture
from gateway.paper.printing import print_certificate
from gateway.paper.sheet import sheet
from tests.factories import ISSUED_AT, certificate, goods_item
from tests.paper.pictures import image, png
from tests.paper.reading import attached, info_of, pages, qr_codes, text_of
from tests.paper.samples import AGREEMENTS, SHA256, XML, print_order

LATIN = (Language.ENGLISH, Language.FRENCH)


def items(count: int):
    return tuple(goods_item(n, description=f"Goods called {n}") for n in range(1, count + 1))


def told_by_page(pdf: bytes) -> list[str]:
    """Return the text of each page."""
    return text_of(pdf).split("\f")[:-1]


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("agreement", sorted(AGREEMENTS))
@pytest.mark.parametrize("language", Language)
def test_every_box_stands_on_the_sheet_with_number_and_caption(agreement: str, language: Language):
    made = sheet(print_order(agreement=AGREEMENTS[agreement], language=language))
    parts = (*made["left"], *made["right"], *made["columns"], *made["below"])
    shown = {part["number"]: part["title"] for part in parts}
    boxes = AGREEMENTS[agreement].boxes
    assert shown == {box.number: box.title.in_language(language) for box in boxes}
    assert len(parts) == len(boxes)


@pytest.mark.parametrize("language", LATIN)
def test_an_item_is_not_torn_apart_where_a_page_ends(language: Language):
    document = certificate(items=items(60))
    printed = told_by_page(print_certificate(print_order(document=document, language=language)))
    origin = {Language.ENGLISH: "Origin:", Language.FRENCH: "Origine"}[language]
    assert len(printed) > 3
    for page in printed:
        assert page.count("Goods called") == page.count(origin)


def test_an_item_that_no_page_holds_goes_on_over_the_next():
    long = goods_item(1, description=" ".join(f"word{n}" for n in range(500)))
    printed = told_by_page(print_certificate(print_order(document=certificate(items=(long,)))))
    told = flat(" ".join(printed))
    assert len(printed) > 1
    assert all(f"word{n}" in told for n in range(500))


@pytest.mark.parametrize(
    ("language", "colon", "semicolon"),
    [
        (Language.ENGLISH, "printing: 2026", "added; KGM"),
        (Language.FRENCH, "impression\u00a0: 2026", "ajoutée\u00a0; KGM"),
        (Language.ARABIC, "الطباعة: ", "المضافة\u2069؛ "),
    ],
)
def test_punctuation_is_that_of_the_language(language: Language, colon: str, semicolon: str):
    made = sheet(print_order(language=language))
    said = "".join(text for _, text in made["standing"]["at"]["runs"])
    legend = "".join(text for _, text in made["legend"][0]["runs"])
    assert colon in said
    assert semicolon in legend


@pytest.mark.parametrize("language", LATIN)
def test_captions_and_values_can_be_read_off_the_print(language: Language):
    text = flat(text_of(print_certificate(print_order(language=language))))
    names = {Language.ENGLISH: "Zambia (ZM)", Language.FRENCH: "Zambie (ZM)"}
    for value in ("Kafue Textiles Ltd", "COM-ZM000001", "ZM-20260309-000123", "520512", "41.50 %"):
        assert value in text
    assert SHA256 in text, "a long value can be copied whole"
    for value in ("12500 KGM", "INV-2026-778", "J. Mwansa", "KTL/NBO 1-500", names[language]):
        assert value in text
    for box in AGREEMENTS["COMESA"].boxes:
        first = box.title.in_language(language).split()[0]
        assert f"{box.number} {first}" in text


def test_the_arabic_form_is_shaped_and_runs_from_right_to_left():
    pdf = print_certificate(print_order(language=Language.ARABIC, code="ECO1." + "ABC" * 90))
    text = flat(text_of(pdf))
    assert "شهادة المنشأ" in text
    assert "ZM-20260309-000123" in text
    page = pages(pdf, dpi=100)[0]
    (code,) = qr_codes(page)
    assert code.position.top_right.x < page.size[0] / 3, "the code has changed sides"


def test_many_items_flow_over_pages_that_repeat_the_head():
    pdf = print_certificate(print_order(document=certificate(items=items(40))))
    count = int(info_of(pdf)["Pages"])
    assert count >= 3
    text = text_of(pdf)
    leaves = [flat(page) for page in text.split("\f")[:count]]
    for number, leaf in enumerate(leaves, start=1):
        assert f"Page {number} of {count}" in leaf
        assert "COPY 1" in leaf
        assert "ZM-20260309-000123" in leaf
    assert all("Customs tariff number" in leaf for leaf in leaves[:-1])
    assert [f"Goods called {n}" for n in range(1, 41) if f"Goods called {n}" not in text] == []


@pytest.mark.parametrize(
    "xml", [XML, "<a>é</a>".encode("utf-16"), b"\xef\xbb\xbf<a/>\r\n", b"<a/>"]
)
def test_the_signed_document_is_enclosed_byte_for_byte(xml: bytes):
    assert attached(print_certificate(print_order(xml=xml))) == xml


def test_the_file_claims_to_be_an_archive_that_can_be_read_aloud():
    pdf = print_certificate(print_order(language=Language.FRENCH))
    info = info_of(pdf)
    assert info["Tagged"] == "yes"
    assert info["Title"] == "Certificat d'origine ZM-20260309-000123"
    assert info["JavaScript"] == "no"
    assert info["Page size"].endswith("(A4)")
    for claim in (b"<pdfaid:part>3", b"<pdfaid:conformance>A", b"<pdfuaid:part>1"):
        assert claim in pdf
    assert b"/AFRelationship/Source" in pdf
    assert b"/Lang(fr)" in pdf


def test_the_same_order_gives_the_same_bytes_in_any_process():
    script = (
        "import hashlib; from tests.paper.samples import print_order;"
        "from gateway.paper.printing import print_certificate;"
        "print(hashlib.sha256(print_certificate(print_order())).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == hashlib.sha256(print_certificate(print_order())).hexdigest()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("standing", Standing)
def test_a_standing_that_proves_nothing_is_written_across(standing: Standing, language: Language):
    made = sheet(print_order(standing=standing, language=language, copy_number=7))
    word = made["standing"]["word"]
    assert made["standing"]["good"] is standing.proves
    assert made["marks"]["copy"].endswith(" 7")
    assert made["marks"]["across"] == (made["marks"]["copy"] if standing.proves else word)


def test_every_standing_has_a_word_of_its_own():
    for language in Language:
        words = {
            sheet(print_order(standing=s, language=language))["standing"]["word"] for s in Standing
        }
        assert len(words) == len(Standing)


def test_a_signature_that_does_not_hold_is_said_loudly():
    note = SignatureNote(
        holds=False, subject=None, fingerprint=None, signed_at=ISSUED_AT, code="SIGNER_REVOKED"
    )
    text = flat(text_of(print_certificate(print_order(signature=note))))
    assert "THE SIGNATURE DOES NOT HOLD" in text
    assert "SIGNER_REVOKED" in text
    assert "The signature of the issuing authority holds" not in text


def test_a_test_certificate_says_on_paper_that_it_proves_nothing():
    made = sheet(print_order(document=certificate(test=True)))
    assert made["marks"]["across"] == made["marks"]["test"] == "TEST – PROVES NOTHING"


def test_what_only_some_kinds_have_stands_in_the_endorsements():
    document = certificate(
        kind=CertificateKind.REEXPORT,
        purpose=Purpose.REPLACEMENT,
        endorsements=(Endorsement(box="5", text="ISSUED RETROSPECTIVELY"),),
        retrospective=RetrospectiveIssue(
            applied_on=ISSUED_AT.date(), reason_code="ERROR", reason="Weight was wrong"
        ),
        replaces=ReplacedCertificate(
            serial_number="ZM-20260301-000001", issued_on=ISSUED_AT.date(), reason="Error in box 9"
        ),
        original_certificate=OriginalCertificate(
            serial_number="EG-20260101-000009",
            issued_on=ISSUED_AT.date(),
            country="EG",
            import_declaration=DocumentReference(number="ZM2026LUN77"),
            customs_control="Bonded warehouse 4",
        ),
        remarks="First line\nsecond line",
    )
    text = flat(text_of(print_certificate(print_order(document=document))))
    for shown in (
        "Re-exportation certificate – Replacement",
        "ISSUED RETROSPECTIVELY",
        "The one issued held involuntary errors – Weight was wrong",
        "ZM-20260301-000001",
        "EG-20260101-000009",
        "Bonded warehouse 4",
        "ZM2026LUN77",
    ):
        assert shown in text


BOMB = png(20_000, 20_000, rows=b"\0" * 1000)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", png()[:60], BOMB, b"<svg/>", b"x" * 99])
def test_a_picture_that_cannot_be_shown_costs_the_picture_only(content: bytes):
    document = certificate(stamp=image(content))
    text = text_of(print_certificate(print_order(document=document)))
    assert "A picture in the document cannot be shown." in text


def test_pictures_of_signature_and_stamp_are_printed():
    signed = certificate().certification.model_copy(update={"image": image(png())})
    declared = certificate().declaration.model_copy(update={"image": None})
    document = certificate(stamp=image(png(20, 20)), certification=signed, declaration=declared)
    with_pictures = print_certificate(print_order(document=document))
    assert "cannot be shown" not in text_of(with_pictures)
    assert [len(box["pictures"]) for box in sheet(print_order(document=document))["below"]] == [
        0,
        2,
        0,
    ]


def test_a_certificate_too_long_for_paper_is_refused_with_the_reason():
    with pytest.raises(TooLargeError, match=r"501 goods items.*The signed XML is the certificate"):
        print_certificate(print_order(document=certificate(items=items(501))))
    wordy = tuple(goods_item(n, description="word " * 300 + "end") for n in range(1, 501))
    with pytest.raises(TooLargeError, match="letters"):
        print_certificate(print_order(document=certificate(items=wordy)))
    with pytest.raises(TooLargeError, match="4000001 bytes"):
        print_certificate(print_order(xml=b"x" * 4_000_001))


def test_pictures_do_not_count_as_letters():
    noise = bytes(n * n % 251 for n in range(3 * 500 * 500 + 500))
    large = png(
        500, 500, rows=b"".join(b"\0" + noise[n * 1500 : n * 1500 + 1500] for n in range(500))
    )
    document = certificate(stamp=image(large + b"\0" * 900_000))
    assert "stamp" not in text_of(print_certificate(print_order(document=document)))


def test_threads_print_each_their_own_certificate():
    orders = [
        print_order(document=certificate(serial_number=f"ZM-20260309-{n:06d}")) for n in range(8)
    ]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(print_certificate, orders))
    assert made == [print_certificate(order) for order in orders]
    assert all(f"ZM-20260309-{n:06d}" in text_of(pdf) for n, pdf in enumerate(made))


def test_a_child_forked_after_printing_refuses_instead_of_hanging():
    script = (
        "import os; from tests.paper.samples import print_order;"
        "from gateway.paper.printing import print_certificate as p;"
        "p(print_order());\n"
        "if os.fork() == 0:\n"
        "    try: p(print_order())\n"
        "    except Exception as e: print(type(e).__name__, e, flush=True)\n"
        "    os._exit(0)\n"
        "os.wait()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("InternalError this process was forked")


def test_a_fault_of_the_press_says_nothing_of_the_document(monkeypatch: pytest.MonkeyPatch):
    def broken(order, *, pictures=True):
        return sheet(order) | {"columns": "Kafue Textiles Ltd"}

    monkeypatch.setattr(printing, "sheet", broken)
    with pytest.raises(InternalError) as caught:
        print_certificate(replace(print_order(), copy_number=9))
    assert "Kafue" not in caught.value.detail


@pytest.mark.parametrize("progressive", [False, True])
def test_a_picture_may_be_a_jpeg(progressive: bool):
    out = io.BytesIO()
    Image.new("RGB", (60, 30), (20, 80, 160)).save(out, "JPEG", progressive=progressive)
    found = picture(image(out.getvalue()))
    assert found is not None
    assert (found["width"], found["height"]) == (60, 30)
    signed = certificate().certification.model_copy(update={"image": None})
    document = certificate(stamp=image(out.getvalue()), certification=signed, declaration=signed)
    assert "cannot be shown" not in text_of(print_certificate(print_order(document=document)))


@pytest.mark.parametrize(
    "content", [b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\x00\x00" * 9, png(0, 5), b"GIF89a" + b"x" * 50]
)
def test_what_states_no_size_is_no_picture(content: bytes):
    assert picture(image(content)) is None
    assert picture(None) is None
