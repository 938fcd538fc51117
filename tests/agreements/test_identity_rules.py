"""What a document says it is: agreement, kind, countries, serial number, dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from gateway.agreements import Point
from gateway.documents import CertificateKind
from gateway.documents.certificate_of_origin import (
    Endorsement,
    ReplacedCertificate,
    RetrospectiveIssue,
)
from gateway.documents.codes import Purpose
from tests.agreements.judging import (
    COMESA,
    SADC,
    bent,
    findings,
    known,
    known_item,
    register,
    said,
    text_of,
)
from tests.factories import ISSUED_AT, NOW, certificate, customs_response


def test_V1_a_document_of_another_agreement_is_refused():
    assert said("V1", certificate(agreement="EAC")) == ["error agreement"]
    assert said("V1", customs_response(agreement="EAC"), Point.RECEIPT) == ["error agreement"]


def test_V1_an_agreement_not_yet_or_no_longer_in_force_is_refused(tmp_path):
    ended = bent(tmp_path, active_until=date(2026, 3, 8))
    assert "not in force" in text_of("V1", certificate(), Point.ISSUE, ended)
    assert (
        said("V1", certificate(), Point.ISSUE, bent(tmp_path, active_until=date(2026, 3, 9))) == []
    )
    assert said("V1", certificate(), Point.ISSUE, bent(tmp_path, active_from=date(2026, 3, 10)))


def test_V2_a_kind_that_the_agreement_does_not_know_is_refused():
    assert said("V2", certificate(kind=CertificateKind.REEXPORT), Point.ISSUE, SADC) == [
        "error kind"
    ]
    assert said("V2", certificate(kind=CertificateKind.REEXPORT)) == []


@pytest.mark.parametrize(
    "words", ["NON-PREFERENTIAL certificate", "certificat non  préférentiel", "شهادة غير تفضيلية"]
)
def test_V3_a_certificate_that_calls_itself_non_preferential_is_never_sent(words):
    endorsed = certificate(endorsements=(Endorsement(box="5", text=words),))
    assert said("V3", endorsed) == ["error endorsements[0].text"]
    assert said("V3", certificate(remarks=words), Point.SEND) == ["error remarks"]
    assert said("V3", certificate(remarks=words), Point.RECEIPT) == []


def test_V4_an_exporting_country_outside_the_agreement_is_refused():
    authority = certificate().issuing_authority.model_copy(update={"country": "TZ"})
    outside = certificate(exporting_country="TZ", issuing_authority=authority)
    assert said("V4", outside) == ["error exporting_country"]


def test_V4_an_authority_of_another_state_cannot_issue():
    authority = certificate().issuing_authority.model_copy(update={"country": "MW"})
    assert said("V4", certificate(issuing_authority=authority), Point.RECEIPT) == [
        "error issuing_authority.country"
    ]


def test_V4_membership_counts_on_the_date_of_issue(tmp_path):
    members = {"ZM": {"until": date(2026, 3, 8)}, "KE": {}}
    assert said("V4", certificate(), Point.ISSUE, bent(tmp_path, members=members)) == [
        "error exporting_country"
    ]
    members["ZM"] = {"since": date(2026, 3, 9)}
    assert said("V4", certificate(), Point.ISSUE, bent(tmp_path, members=members)) == []


def test_V7_the_destination_must_be_another_member():
    assert said("V7", certificate(destination_country="DE")) == ["error destination_country"]
    assert "both ZM" in text_of("V7", certificate(destination_country="ZM"), Point.RECEIPT)


def test_V9_between_partners_of_a_customs_union_its_own_certificate_is_expected():
    assert said("V9", certificate(exporting_country="UG")) == ["warning agreement"]
    assert "EAC" in text_of("V9", certificate(exporting_country="UG"))
    assert said("V9", certificate()) == []


def test_V10_a_destination_without_full_preference_is_shown():
    (found,) = findings("V10", certificate(destination_country="ET"))
    assert found.severity == "WARNING"
    assert "10 %" in found.message.en
    assert "accorde une réduction" in found.message.fr
    assert "إثيوبيا" in found.message.ar
    assert said("V10", certificate(destination_country="ET"), Point.USE) == [
        "warning destination_country"
    ]


@pytest.mark.parametrize(
    "serial", ["ZM-20260309-123", "ZM/20260309/000123", "zm-20260309-000123", "٠"]
)
def test_V18_a_serial_number_of_another_form_is_refused(serial):
    assert said("V18", certificate(serial_number=serial)) == ["error serial_number"]


@pytest.mark.parametrize("day", ["20260310", "20261399"])
def test_V18_a_serial_number_of_another_or_impossible_day_is_refused(day):
    assert "date of issue" in text_of(
        "V18", certificate(serial_number=f"ZM-{day}-000123"), Point.RECEIPT
    )


def test_V18_a_serial_number_of_another_country_is_refused():
    assert "exporting country" in text_of("V18", certificate(serial_number="ZW-20260309-000123"))


def test_V18_the_day_is_the_one_written_whatever_its_offset():
    harare = timezone(timedelta(hours=2))
    late = datetime(2026, 3, 9, 0, 30, tzinfo=harare)  # still 8 March in UTC
    assert said("V18", certificate(issued_at=late)) == []


def test_V19_an_issue_in_the_future_is_refused_beyond_five_minutes_of_skew():
    at_limit = certificate(issued_at=NOW + timedelta(minutes=5))
    beyond = certificate(issued_at=NOW + timedelta(minutes=6))
    assert said("V19", at_limit) == []
    assert said("V19", beyond, Point.RECEIPT) == ["error issued_at"]
    assert said("V19", beyond, Point.RECEIPT, now=NOW + timedelta(minutes=1)) == []


def test_V19_an_issue_before_its_application_is_refused():
    reason = RetrospectiveIssue(applied_on=date(2026, 3, 10), reason_code="ERROR", reason="wrong")
    assert said("V19", certificate(retrospective=reason)) == ["error retrospective.applied_on"]


def test_V19_a_declaration_signed_after_the_issue_warns():
    later = certificate().declaration.model_copy(
        update={"signed_at": ISSUED_AT + timedelta(minutes=6)}
    )
    assert said("V19", certificate(declaration=later)) == ["warning declaration.signed_at"]


def test_V72_another_validity_than_agreed_warns():
    assert said("V72", certificate(valid_until=date(2027, 3, 10))) == ["warning valid_until"]
    assert said("V72", certificate(valid_until=date(2026, 9, 9)), Point.ISSUE, SADC) == []


def test_V72_a_validity_that_ends_before_it_begins_is_refused():
    assert said("V72", certificate(valid_until=date(2026, 3, 8)), Point.RECEIPT) == [
        "error valid_until"
    ]
    assert said("V72", certificate(valid_from=date(2026, 3, 8))) == ["warning valid_from"]


REPLACED = ReplacedCertificate(
    serial_number="ZM-20260301-000099", issued_on=date(2026, 3, 1), reason="Wrong weight"
)


def test_V75_a_replacement_must_name_what_it_replaces():
    assert said("V75", certificate(purpose=Purpose.REPLACEMENT)) == ["error replaces"]
    assert said("V75", certificate(purpose=Purpose.REPLACEMENT, replaces=REPLACED)) == []
    assert said("V75", certificate(replaces=REPLACED)) == ["error purpose"]


def test_V75_a_certificate_cannot_replace_itself():
    same = REPLACED.model_copy(update={"serial_number": "ZM-20260309-000123"})
    doc = certificate(purpose=Purpose.REPLACEMENT, replaces=same)
    assert said("V75", doc, Point.RECEIPT) == ["error replaces.serial_number"]


def test_V75_a_used_certificate_cannot_be_replaced():
    doc = certificate(purpose=Purpose.REPLACEMENT, replaces=REPLACED)
    used = known(items=(known_item(used=Decimal(1)),))
    assert "ALREADY_USED" in text_of("V75", doc, Point.RECEIPT, register=register(replaced=used))
    assert said("V75", doc, Point.RECEIPT, register=register(replaced=known())) == []
    assert said("V75", doc, Point.RECEIPT, register=register()) == [
        "warning replaces.serial_number"
    ]


CANCELLED = {"purpose": Purpose.CANCELLATION, "cancellation_reason": "The shipment was called off"}


def test_V76_a_cancellation_gives_its_reason():
    assert said("V76", certificate(purpose=Purpose.CANCELLATION)) == ["error cancellation_reason"]
    assert said("V76", certificate(cancellation_reason="No longer needed")) == [
        "error cancellation_reason"
    ]
    assert said("V76", certificate(**CANCELLED)) == []


def test_V76_only_a_known_and_unused_certificate_is_cancelled():
    doc = certificate(**CANCELLED)
    unused = register(same_serial=known(same_content=False))
    used = register(same_serial=known(items=(known_item(reexported=Decimal(5)),)))
    assert said("V76", doc, Point.RECEIPT, register=unused) == []
    assert "not known here" in text_of("V76", doc, Point.RECEIPT, register=register())
    assert "ALREADY_USED" in text_of("V76", doc, Point.RECEIPT, register=used)


def test_a_known_certificate_in_a_dead_state_is_told_from_a_living_one():
    assert known(state="CANCELLED").is_dead
    assert not known().is_dead
    assert not replace(known_item(), used=Decimal(0)).used
    assert COMESA.id == "COMESA"
