"""Agreement profiles: what ships, what a new one needs (no Python), and how a broken one is named."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gateway.agreements import (
    Agreement,
    BoxField,
    Facts,
    Point,
    Preference,
    Use,
    check,
    load_agreements,
)
from gateway.agreements.profile import SerialParts
from gateway.documents import CertificateKind
from gateway.documents.base import Quantity
from gateway.documents.certificate_of_origin import OriginCriterion
from gateway.documents.codelists import code_list
from gateway.errors import ConfigError
from tests.agreements.judging import COMESA, SADC, bent, profile_values, written
from tests.factories import NOW, certificate, goods_item

TWENTY_ONE = "BI CD DJ EG ER ET KE KM LY MG MU MW RW SC SD SO SZ TN UG ZM ZW"


def refusal(folder, **changes):
    """Return what is said about the COMESA profile with these sections replaced."""
    with pytest.raises(ConfigError) as caught:
        bent(folder, **changes)
    return caught.value.detail


def test_comesa_has_its_twenty_one_members_and_five_criteria():
    assert " ".join(sorted(COMESA.members)) == TWENTY_ONE
    assert [criterion.code for criterion in COMESA.criteria] == ["P", "M", "V", "X", "Y"]
    assert COMESA.members["ET"].preference is Preference.PARTIAL
    assert COMESA.box(BoxField.ENDORSEMENTS) == "5"
    assert COMESA.box(BoxField.CERTIFICATION) == "12"
    assert COMESA.kinds == tuple(CertificateKind)


def test_sadc_differs_visibly_and_needs_no_python():
    assert len(SADC.members) == 16
    assert len(SADC.boxes) == 13
    assert [criterion.code for criterion in SADC.criteria] == ["P", "S"]
    assert (SADC.use, COMESA.use) == (Use.SINGLE, Use.PARTIAL)
    assert SADC.validity_months != COMESA.validity_months
    assert SADC.serial_number.pattern != COMESA.serial_number.pattern
    assert SADC.box(BoxField.SERIAL_NUMBER) is None


@pytest.mark.parametrize("agreement", [COMESA, SADC], ids=["COMESA", "SADC"])
def test_members_of_every_agreement_are_countries(agreement):
    assert all(country in code_list("countries") for country in agreement.members)


@pytest.mark.parametrize("agreement", [COMESA, SADC], ids=["COMESA", "SADC"])
def test_a_new_serial_number_says_what_it_was_made_of(agreement):
    serial = agreement.format_serial(sequence=4711, day=date(2026, 3, 9), country="MW")
    assert agreement.serial_parts(serial) == SerialParts(4711, date(2026, 3, 9), "MW")
    assert agreement.serial_parts(serial + "0") is None


def sadc_certificate(**changes):
    """Return a certificate that fits the SADC profile."""
    values = {
        "agreement": "SADC",
        "serial_number": "SADC/ZM/0000123/09032026",
        "destination_country": "ZA",
        "valid_until": date(2026, 9, 9),
        "exporter": certificate().exporter.model_copy(
            update={"registration_number": "ZM/SADC/00042"}
        ),
        "consignee": certificate().consignee.model_copy(
            update={"address": certificate().consignee.address.model_copy(update={"country": "ZA"})}
        ),
        "items": (goods_item(criterion=OriginCriterion(code="S")),),
    }
    return certificate(**(values | changes))


@pytest.mark.parametrize("point", list(Point))
def test_a_good_sadc_certificate_is_good_under_sadc_only(point):
    known = Facts(point, NOW, "ZA")
    assert check(sadc_certificate(), SADC, known) == ()
    if point in (Point.ISSUE, Point.RECEIPT):
        assert check(sadc_certificate(), COMESA, known)


THIRD = {
    "id": "BAY",
    "name": {"en": "Bay accord", "fr": "Accord de la baie", "ar": "اتفاق الخليج"},
    "members": {"ZM": {}, "KE": {}},
    "kinds": ["STANDARD"],
    "simplified": None,
    "criteria": [
        {"code": "WO", "basis": "WHOLLY_OBTAINED", "name": {"en": "w", "fr": "o", "ar": "م"}}
    ],
    "boxes": [
        {"number": "VII-b", "title": {"en": "c", "fr": "d", "ar": "ق"}, "shows": ["criterion"]}
    ],
    "serial_number": {
        "pattern": "(?P<sequence>[0-9]+)/(?P<country>[A-Z]{2})/(?P<date>[0-9]{6})",
        "template": "{sequence}/{country}/{date}",
        "date_format": "%y%m%d",
        "example": "7/ZM/260309",
    },
    "validity_months": 3,
}


def test_a_third_agreement_is_one_yaml_file_and_works_end_to_end(tmp_path):
    written(tmp_path, profile_values() | THIRD)
    (bay,) = load_agreements(tmp_path).values()
    good = certificate(
        agreement="BAY",
        serial_number=bay.format_serial(sequence=7, day=date(2026, 3, 9), country="ZM"),
        valid_until=date(2026, 6, 9),
        items=(goods_item(criterion=OriginCriterion(code="WO")),),
    )
    for point in Point:
        assert check(good, bay, Facts(point, NOW, "KE")) == ()
    bad = good.model_copy(update={"items": (goods_item(),), "destination_country": "MW"})
    found = {finding.rule: finding for finding in check(bad, bay, Facts(Point.ISSUE, NOW, "KE"))}
    assert {"V7", "V39"} <= set(found)
    assert found["V39"].box == "VII-b"
    assert "WO" in found["V39"].message.ar


def test_the_shipped_profiles_are_loaded_once():
    assert load_agreements() is load_agreements()
    assert set(load_agreements()) == {"COMESA", "SADC"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nonsense": 1}, ("third.yaml", "nonsense", "no such key")),
        ({"limits": profile_values()["limits"] | {"skew": 5}}, ("limits.skew", "no such key")),
        ({"limits": profile_values()["limits"] | {"skew_minutes": "5"}}, ("limits.skew_minutes", "integer")),
        ({"limits": profile_values()["limits"] | {"weekend": [1, 2, 3, 4, 5, 6, 7]}}, ("limits", "working day")),
        ({"limits": profile_values()["limits"] | {"mass_tolerance_percent": "11"}}, ("mass_tolerance_percent",)),
        ({"limits": profile_values()["limits"] | {"use_tolerance_percent": 0.5}}, ("use_tolerance_percent", "quotes")),
        ({"members": {}}, ("members", "must not be empty")),
        ({"members": {"ZM": {"preference": "SOME"}}}, ("members.ZM.preference",)),
        ({"members": {"ZM": {"preference": "NONE"}}}, ("members.ZM", "note")),
        ({"criteria": profile_values()["criteria"][:1] + profile_values()["criteria"][:1]}, ("criteria", "P", "twice")),
        ({"boxes": profile_values()["boxes"][:1] + profile_values()["boxes"][:1]}, ("boxes", "twice")),
        ({"kinds": ["STANDARD", "STANDARD"]}, ("kinds", "twice")),
        ({"simplified": None}, ("simplified", "SIMPLIFIED")),
        ({"name": {"en": "COMESA", "fr": "COMESA"}}, ("name.ar", "required")),
        ({"levels": {"V101": {"ISSUE": "ERROR"}}}, ("levels", "V101")),
        ({"levels": {"V18": {"NEVER": "ERROR"}}}, ("levels.V18",)),
        ({"levels": {"V18": {"ISSUE": "FATAL"}}}, ("levels.V18.ISSUE",)),
    ],
)  # fmt: skip
def test_a_broken_profile_names_file_section_and_key(tmp_path, changes, words):
    detail = refusal(tmp_path, **changes)
    for word in ("third.yaml", *words):
        assert word in detail


@pytest.mark.parametrize(
    ("key", "change", "words"),
    [
        ("serial_number", {"pattern": "("}, "no regular expression"),
        ("serial_number", {"example": "ZM"}, "example does not match"),
        ("serial_number", {"date_format": None}, "date_format"),
        ("serial_number", {"template": "{country}-{date}-{sequence}"}, "template"),
        ("serial_number", {"template": "{nobody}"}, "country, date and sequence only"),
        (
            "registration_number",
            {"pattern": "COM-(?P<land>[A-Z]{2})[0-9]{6}"},
            "exactly the groups",
        ),
        ("registration_number", {"date_format": "%Y"}, "date_format"),
    ],
)
def test_a_broken_number_pattern_is_named(tmp_path, key, change, words):
    detail = refusal(tmp_path, **{key: profile_values()[key] | change})
    assert key in detail
    assert words in detail


def test_a_pattern_without_its_parts_is_refused(tmp_path):
    bare = {
        "pattern": "[0-9]{3}(?P<date>[0-9]{8})",
        "template": "001{date}",
        "date_format": "%Y%m%d",
        "example": "00120260309",
    }
    assert "sequence, date and country" in refusal(tmp_path, serial_number=bare)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id: A\nid: B\n", "line 2: the key 'id' stands there twice"),
        ("a: &x 1\nb: *x\n", "aliases are not used"),
        ("a: [1\n", "third.yaml, line"),
        ("- 1\n", "the whole file"),
        ("a: !!python/object:os.system {}\n", "line 1"),
        ("a: 2026-03-09T10:00:00Z\n? [1]\n: 2\n", "third.yaml"),
        ("a: !!binary aGVsbG8=\n", "third.yaml"),
    ],
)
def test_a_file_that_is_no_profile_is_named(tmp_path, text, words):
    path = tmp_path / "third.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"third\.yaml") as caught:
        Agreement.load(path)
    assert words in caught.value.detail


def test_a_missing_or_binary_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        Agreement.load(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError, match=r"binary\.yaml"):
        Agreement.load(tmp_path / "binary.yaml")


def test_two_profiles_with_one_id_or_none_at_all_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no agreement profile"):
        load_agreements(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    written(other, profile_values())
    (other / "zz.yaml").write_bytes(written(other, profile_values()).read_bytes())
    with pytest.raises(ConfigError, match="another profile"):
        load_agreements(other)


def test_an_agreement_without_simplified_certificates_has_no_threshold(tmp_path):
    none = bent(tmp_path, kinds=["STANDARD"], simplified=None)
    assert none.threshold("ZM", "KE", date(2026, 3, 9)) is None
    assert COMESA.threshold("ZM", "KE", date(2026, 3, 9)).amount == Decimal(2000)
    assert Quantity(value=Decimal(1), unit="KGM").unit == "KGM"
