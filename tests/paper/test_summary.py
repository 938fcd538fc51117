"""The signed summary: it carries all that it states, nothing that is nobody's business, no more."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents import CertificateKind
from gateway.documents.base import Quantity
from gateway.errors import InputError
from gateway.paper import cbor
from gateway.paper.order import Standing
from gateway.paper.printing import print_certificate
from gateway.paper.qr import LARGEST, SMALLEST_MODULE, drawn
from gateway.paper.summary import (
    LONGEST,
    MARK,
    Attester,
    Summary,
    SummaryItem,
    read_summary,
    sign_summary,
    summary_of,
)
from gateway.trust import Credential, KeyKind, generate_key
from gateway.trust.demo_pki import DemoPki
from tests.factories import NOW, certificate, goods_item
from tests.paper.reading import pages, qr_codes
from tests.paper.samples import SHA256, print_order, signed_text, summary
from tests.paper.splicing import joined, parts

ADDRESS = "HTTPS://CHECK.ORIGIN.ZRA.EXAMPLE/C/"


@pytest.fixture
def authority(pki: DemoPki) -> Credential:
    return pki.countries["ZM"].authority.credential


CODES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,34}", fullmatch=True)
COUNTRIES = st.from_regex(r"[A-Z]{2}", fullmatch=True)
DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))
SERIALS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=70)
SUMMARIES = st.builds(
    Summary,
    agreement=CODES,
    kind=st.sampled_from(CertificateKind),
    test=st.booleans(),
    issuing_country=COUNTRIES,
    serial_number=SERIALS,
    issued_on=DAYS,
    valid_from=DAYS,
    valid_until=DAYS,
    destination_country=COUNTRIES,
    item_count=st.integers(0, 10_000),
    items=st.lists(
        st.builds(
            SummaryItem,
            hs6=st.from_regex(r"[0-9]{6}", fullmatch=True),
            quantity=st.from_regex(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?", fullmatch=True),
            unit=CODES,
        ),
        max_size=3,
    ).map(tuple),
    digest=st.binary(min_size=16, max_size=16),
    standing=st.sampled_from(Standing),
    stated_at=st.integers(0, 2**27 - 1).map(
        lambda minutes: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    attester=st.sampled_from(Attester),
    attester_country=COUNTRIES,
)


@settings(max_examples=60, deadline=None)
@given(SUMMARIES)
def test_what_was_signed_is_what_is_read(made: Summary):
    key = generate_key(KeyKind.EC_P256)
    text = sign_summary(made, _bare(key))
    assert len(text) <= LONGEST
    assert read_summary(ADDRESS + text).summary == made


class _Signer:
    """Stands for a credential without a certificate."""

    def __init__(self, key) -> None:
        from gateway.trust.values import EllipticSigner

        self.value_signer = EllipticSigner(key)
        self.fingerprint = "ab" * 32


def _bare(key) -> Credential:
    return _Signer(key)  # type: ignore[return-value]


def test_a_summary_names_no_trader_and_no_price(authority: Credential):
    document = certificate()
    text = signed_text(authority)
    raw = base64.b32decode(text.removeprefix(MARK) + "=" * (-len(text.removeprefix(MARK)) % 8))
    hidden = [
        document.exporter.name,
        document.consignee.name,
        document.exporter.registration_number,
        document.exporter.trader_id,
        document.items[0].description,
        document.items[0].invoices[0].number,
        "36000",
        "USD",
        document.certification.name,
    ]
    assert not [value for value in hidden if value.encode() in raw]


def test_the_first_three_items_are_named_and_all_are_counted():
    items = tuple(
        goods_item(n, hs_code=f"01012{n}", quantity=Quantity(value=Decimal("10.50"), unit="KGM"))
        for n in range(1, 6)
    )
    made = summary_of(
        certificate(items=items),
        sha256=SHA256,
        standing=Standing.VALID,
        stated_at=NOW,
        attester=Attester.AUTHORITY,
        attester_country="ZM",
    )
    assert made.item_count == 5
    assert [each.hs6 for each in made.items] == ["010121", "010122", "010123"]
    assert {each.quantity for each in made.items} == {"10.50"}


def test_a_serial_number_with_hidden_letters_gets_no_summary():
    with pytest.raises(InputError, match="serial number"):
        summary_of(
            certificate(serial_number="ZM-1\u202e2"),
            sha256=SHA256,
            standing=Standing.VALID,
            stated_at=NOW,
            attester=Attester.AUTHORITY,
            attester_country="ZM",
        )


# --- what is no summary ---------------------------------------------------------------------------


def test_each_letter_matters(authority: Credential):
    text = signed_text(authority)
    right = read_summary(text)
    for at in range(len(MARK), len(text)):
        other = "A" if text[at] != "A" else "B"
        try:
            read = read_summary(text[:at] + other + text[at + 1 :])
        except InputError:
            continue
        assert (read.to_verify, read.signature, read.key) != (
            right.to_verify,
            right.signature,
            right.key,
        )


@pytest.mark.parametrize("cut", [0, 3, 5, 20, 60, 200, -1, -8])
def test_a_truncated_summary_is_refused(authority: Credential, cut: int):
    with pytest.raises(InputError):
        read_summary(signed_text(authority)[:cut])


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "ECO1.",
        "ECO2." + "A" * 100,
        "ECO1." + "A" * 100,
        "ECO1." + "1" * 100,
        "ECO1." + "Ａ" * 100,
        "ECO1." + "ش" * 100,
        "eco1." + "\x00" * 50,
        "ECO1." + "A" * 10_000_000,
        "javascript:alert(1)//ECO1." + "A" * 100,
        "http://x/?ECO1." + "A" * 100,
        "HC1:" + "6BFOXN" * 30,
        "\ud800" * 50,
    ],
    ids=range(14),
)
def test_a_text_of_another_kind_is_refused(text: str):
    with pytest.raises(InputError):
        read_summary(text)


@given(st.binary(min_size=30, max_size=600))
def test_any_bytes_in_the_right_letters_are_refused(raw: bytes):
    text = MARK + base64.b32encode(raw).decode().rstrip("=")
    with pytest.raises(InputError):
        read_summary(text)


@given(st.text(max_size=300))
def test_any_text_is_refused(text: str):
    with pytest.raises(InputError):
        read_summary(text)


def test_lists_within_lists_are_refused_before_they_cost_anything():
    nested = b"\x81" * 500 + b"\x00"
    with pytest.raises(ValueError, match="too deep"):
        cbor.read(nested)
    with pytest.raises(ValueError, match="too early"):
        cbor.read(b"\x9b\x00\x00\x7f\xff\xff\xff\xff\xff")
    with pytest.raises(ValueError, match="too early"):
        cbor.read(b"\x5a\x7f\xff\xff\xff")


@pytest.mark.parametrize(
    "raw",
    [
        b"\x18\x05",  # 5 in two bytes
        b"\x19\x00\xff",  # 255 in three
        b"\x9f\x01\xff",  # a list without length
        b"\xa2\x02\x00\x01\x00",  # members out of order
        b"\xa2\x01\x00\x01\x00",  # a member twice
        b"\xf9\x3c\x00",  # a float
        b"\xf6",  # null
        b"\xc1\x00",  # a tag
        b"\x00\x00",  # two values
        b"\x62\xff\xff",  # no UTF-8
        b"",
    ],
)
def test_another_spelling_of_a_value_is_refused(raw: bytes):
    with pytest.raises(ValueError):
        cbor.read(raw)


def test_a_summary_of_tomorrow_with_more_fields_is_still_read(authority: Credential):
    text = signed_text(authority)
    head, open_head, payload, signature = parts(text)
    newer = joined([head, open_head, cbor.written({**cbor.read(payload), 99: "new"}), signature])
    assert read_summary(newer).summary == read_summary(text).summary


@pytest.mark.parametrize("field", range(1, 17))
def test_a_field_of_another_type_is_refused(authority: Credential, field: int):
    head, open_head, payload, signature = parts(signed_text(authority))
    for wrong in (-1, 2**60, b"x", "\u202e", "x" * 71, [], {}, [[1]], [[1, 2, 3]] * 4):
        if field == 11 and wrong == []:
            continue  # a summary may name no items
        fields = {**cbor.read(payload), field: wrong}
        with pytest.raises(InputError):
            read_summary(joined([head, open_head, cbor.written(fields), signature]))


# --- the code on paper -----------------------------------------------------------------------------

KEYS = {"p-256": 64, "p-384": 96, "rsa-2048": 256, "rsa-3072": 384, "rsa-4096": 512}


@pytest.mark.parametrize("kind", KEYS)
def test_the_code_of_every_kind_of_key_fits_the_form_and_can_be_scanned(kind: str):
    longest = replace(summary(), serial_number="SADC/ZM/0000123/09032026/" + "9" * 15)
    unsigned = sign_summary(longest, _bare(generate_key(KeyKind.EC_P256)))
    text = ADDRESS + unsigned + "A" * ((KEYS[kind] - 64) * 8 // 5)
    symbol = drawn(text)
    assert symbol.module >= SMALLEST_MODULE
    assert symbol.millimetres <= LARGEST
    page = pages(print_certificate(print_order(code=text)), dpi=120)[0]
    (found,) = qr_codes(page)
    assert found.text == text
    assert found.ec_level == "M"


def test_a_text_too_long_for_a_code_that_can_be_scanned_is_refused():
    with pytest.raises(InputError, match="modules would"):
        drawn("A" * 2_500)
    with pytest.raises(InputError, match="too long"):
        drawn("A" * 5_000)


def test_a_printed_code_survives_a_stain(authority: Credential):
    text = ADDRESS + signed_text(authority)
    page = pages(print_certificate(print_order(code=text)), dpi=120)[0]
    (found,) = qr_codes(page)
    where = found.position.bottom_right
    side = int(where.x - found.position.top_left.x)
    stain = side // 8
    page.paste(128, (where.x - stain, where.y - stain, where.x, where.y))
    (again,) = qr_codes(page)
    assert again.text == text
