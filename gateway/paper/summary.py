"""The signed summary in the QR code: what it states, and how it is written.

A COSE_Sign1 message in base32, so that it fits the alphanumeric mode of QR codes and can stand in
an address as it is.  It names no trader and no price.  Who may have signed it, and whether that
is believed, is the business of ``gateway.paper.checking``.

Source: RFC 9052, 4.2 and 4.4 (COSE_Sign1); RFC 9053, 2.1 (ES256); RFC 8812, 2 (RS256);
RFC 4648, 6 (base32).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from gateway.documents import CertificateKind, CertificateOfOrigin
from gateway.documents.certificate_of_origin import GoodsItem
from gateway.errors import InputError
from gateway.paper import cbor
from gateway.paper.order import Standing
from gateway.paper.pieces import figure
from gateway.trust import Credential
from gateway.trust.algorithms import SignatureMethod

MARK: Final = "ECO1."
"""Begins every summary; another form would get another number."""

LONGEST: Final = 1_600
"""Letters of a text that is looked at: an RSA key of 4096 bits and all fields fit."""

NAMED_ITEMS: Final = 3
DIGEST_BYTES: Final = 16
KEY_BYTES: Final = 8

_FIRST_DAY: Final = date(1900, 1, 1)
_FIRST_MINUTE: Final = datetime(2000, 1, 1, tzinfo=UTC)
_ALGORITHMS: Final = {SignatureMethod.ECDSA_SHA256: -7, SignatureMethod.RSA_SHA256: -257}
_FORM: Final = re.compile(r"(?:[A-Z0-9.:/-]{0,200}/)?ECO1\.([A-Z2-7]{40,1500})", re.ASCII)
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,34}", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_HS: Final = re.compile(r"[0-9]{6}", re.ASCII)
_FIGURE: Final = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?", re.ASCII)

# What stands in codes on paper: new values are added at the end, none ever moves.
_KINDS: Final = (
    CertificateKind.STANDARD,
    CertificateKind.RETROSPECTIVE,
    CertificateKind.REEXPORT,
    CertificateKind.SIMPLIFIED,
)
_STANDINGS: Final = (
    Standing.VALID,
    Standing.NOT_YET,
    Standing.PARTLY_USED,
    Standing.USED,
    Standing.UNDER_QUERY,
    Standing.REFUSED,
    Standing.ENDING,
    Standing.CANCELLED,
    Standing.REPLACED,
    Standing.EXPIRED,
)


class Attester(StrEnum):
    """Says in which capacity a summary was signed: as issuing authority, or as a gateway."""

    AUTHORITY = "AUTHORITY"
    GATEWAY = "GATEWAY"


_ATTESTERS: Final = (Attester.AUTHORITY, Attester.GATEWAY)


@dataclass(frozen=True, kw_only=True)
class SummaryItem:
    """Is a goods item in short: first six digits of its tariff code, quantity and unit."""

    hs6: str
    quantity: str
    unit: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Is what a summary states.

    Attributes:
        digest: first 16 bytes of the SHA-256 of the signed document.
        items: the first three goods items.
        stated_at: when the summary was made, to the minute.
        attester_country: whose authority or gateway signed it.
    """

    agreement: str
    kind: CertificateKind
    test: bool
    issuing_country: str
    serial_number: str
    issued_on: date
    valid_from: date
    valid_until: date
    destination_country: str
    item_count: int
    items: tuple[SummaryItem, ...]
    digest: bytes
    standing: Standing
    stated_at: datetime
    attester: Attester
    attester_country: str


@dataclass(frozen=True, kw_only=True)
class SignedSummary:
    """Is a summary as it was read, with its signature.

    Attributes:
        key: first 8 bytes of the SHA-256 of the signing certificate.
        to_verify: the bytes that were signed.
    """

    summary: Summary
    method: SignatureMethod
    key: bytes
    signature: bytes
    to_verify: bytes


def summary_of(
    document: CertificateOfOrigin,
    *,
    sha256: str,
    standing: Standing,
    stated_at: datetime,
    attester: Attester,
    attester_country: str,
) -> Summary:
    """Return the summary of a certificate.

    Args:
        sha256: of the signed document, lower-case hex.

    Raises:
        InputError: its serial number holds what a summary cannot carry.
    """
    if not document.serial_number.isprintable():
        raise InputError("the serial number holds characters that a summary does not carry")
    named = (_item_of(item) for item in document.items[:NAMED_ITEMS])
    return Summary(
        agreement=document.agreement,
        kind=document.kind,
        test=document.test,
        issuing_country=document.exporting_country,
        serial_number=document.serial_number,
        issued_on=document.issued_at.date(),
        valid_from=document.valid_from,
        valid_until=document.valid_until,
        destination_country=document.destination_country,
        item_count=len(document.items),
        items=tuple(item for item in named if item is not None),
        digest=bytes.fromhex(sha256)[:DIGEST_BYTES],
        standing=standing,
        stated_at=stated_at.replace(second=0, microsecond=0),
        attester=attester,
        attester_country=attester_country,
    )


def _item_of(item: GoodsItem) -> SummaryItem | None:
    """Return an item in short; None for one that rules should have refused."""
    hs6, quantity = item.hs_code[:6], figure(item.quantity.value)
    if _HS.fullmatch(hs6) is None or _FIGURE.fullmatch(quantity) is None:
        return None
    return SummaryItem(hs6=hs6, quantity=quantity, unit=item.quantity.unit)


def sign_summary(summary: Summary, credential: Credential) -> str:
    """Return the text of a signed summary."""
    signer = credential.value_signer
    key = bytes.fromhex(credential.fingerprint)[:KEY_BYTES]
    protected = cbor.written({1: _ALGORITHMS[signer.method], 4: key})
    payload = cbor.written(_fields(summary))
    signature = signer.sign(_to_sign(protected, payload))
    message = cbor.written([protected, {}, payload, signature])
    return MARK + _encoded(message)


def read_summary(text: str) -> SignedSummary:
    """Return what a text states and who is said to have signed it; nothing is verified here.

    Args:
        text: the summary, or the whole address in the QR code.

    Raises:
        InputError: it is no summary.
    """
    if len(text) > LONGEST:
        raise InputError("the text is longer than any summary")
    match = _FORM.fullmatch("".join(text.split()).upper())
    if match is None:
        raise InputError(f"the text holds no summary, which begins with {MARK}")
    try:
        return _message(cbor.read(_decoded(match[1])))
    except (ValueError, OverflowError) as exc:
        raise InputError(f"the summary is damaged: {exc}") from exc


def _decoded(letters: str) -> bytes:
    raw = base64.b32decode(letters + "=" * (-len(letters) % 8))
    if _encoded(raw) != letters:
        raise ValueError("letters that say nothing at the end")
    return raw


def _encoded(raw: bytes) -> str:
    return base64.b32encode(raw).decode("ascii").rstrip("=")


def _to_sign(protected: bytes, payload: bytes) -> bytes:
    return cbor.written(["Signature1", protected, b"", payload])


def _fields(summary: Summary) -> dict[int, cbor.Value]:
    return {
        1: summary.agreement,
        2: _KINDS.index(summary.kind),
        3: int(summary.test),
        4: summary.issuing_country,
        5: summary.serial_number,
        6: (summary.issued_on - _FIRST_DAY).days,
        7: (summary.valid_from - _FIRST_DAY).days,
        8: (summary.valid_until - _FIRST_DAY).days,
        9: summary.destination_country,
        10: summary.item_count,
        11: [[int(item.hs6), item.quantity, item.unit] for item in summary.items],
        12: summary.digest,
        13: _STANDINGS.index(summary.standing),
        14: (summary.stated_at - _FIRST_MINUTE) // timedelta(minutes=1),
        15: _ATTESTERS.index(summary.attester),
        16: summary.attester_country,
    }


def _message(value: cbor.Value) -> SignedSummary:
    protected, unprotected, payload, signature = _list(value, 4)
    head = _map(cbor.read(_bytes(protected)))
    if set(head) != {1, 4} or _map(unprotected):
        raise ValueError("its head names other things than algorithm and key")
    method = next((each for each, code in _ALGORITHMS.items() if code == head[1]), None)
    key = _bytes(head[4])
    if method is None or len(key) != KEY_BYTES:
        raise ValueError("an algorithm or key that summaries do not use")
    return SignedSummary(
        summary=_summary(_map(cbor.read(_bytes(payload)))),
        method=method,
        key=key,
        signature=_bytes(signature),
        to_verify=_to_sign(_bytes(protected), _bytes(payload)),
    )


def _summary(fields: dict[int, cbor.Value]) -> Summary:
    missing = set(range(1, 17)) - set(fields)
    if missing:
        raise ValueError(f"it lacks field {min(missing)}")
    items = tuple(_item(_list(each, 3)) for each in _list(fields[11]))
    if len(items) > NAMED_ITEMS:
        raise ValueError("it names more items than a summary does")
    digest = _bytes(fields[12])
    if len(digest) != DIGEST_BYTES:
        raise ValueError("a digest of another length")
    return Summary(
        agreement=_matching(fields[1], _CODE),
        kind=_KINDS[_number(fields[2], len(_KINDS))],
        test=bool(_number(fields[3], 2)),
        issuing_country=_matching(fields[4], _COUNTRY),
        serial_number=_text(fields[5]),
        issued_on=_day(fields[6]),
        valid_from=_day(fields[7]),
        valid_until=_day(fields[8]),
        destination_country=_matching(fields[9], _COUNTRY),
        item_count=_number(fields[10], 100_000),
        items=items,
        digest=digest,
        standing=_STANDINGS[_number(fields[13], len(_STANDINGS))],
        stated_at=_FIRST_MINUTE + timedelta(minutes=_number(fields[14], 1 << 27)),
        attester=_ATTESTERS[_number(fields[15], len(_ATTESTERS))],
        attester_country=_matching(fields[16], _COUNTRY),
    )


def _item(parts: list[cbor.Value]) -> SummaryItem:
    hs6 = f"{_number(parts[0], 1_000_000):06d}"
    figure, unit = _matching(parts[1], _FIGURE), _matching(parts[2], _CODE)
    return SummaryItem(hs6=_matching(hs6, _HS), quantity=figure, unit=unit)


def _day(value: cbor.Value) -> date:
    return _FIRST_DAY + timedelta(days=_number(value, 110_000))


def _number(value: cbor.Value, below: int) -> int:
    if not isinstance(value, int) or not 0 <= value < below:
        raise ValueError("a number out of its range")
    return value


def _bytes(value: cbor.Value) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("no bytes where bytes belong")  # noqa: TRY004 - read_summary words it
    return value


def _text(value: cbor.Value) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 70 or not value.isprintable():
        raise ValueError("no text where text belongs")
    return value


def _matching(value: cbor.Value, form: re.Pattern[str]) -> str:
    text = _text(value)
    if form.fullmatch(text) is None:
        raise ValueError("a code of another form")
    return text


def _list(value: cbor.Value, length: int | None = None) -> list[cbor.Value]:
    if not isinstance(value, list) or length not in (None, len(value)):
        raise ValueError("no list where a list belongs")
    return value


def _map(value: cbor.Value) -> dict[int, cbor.Value]:
    if not isinstance(value, dict):
        raise ValueError("no map where a map belongs")  # noqa: TRY004 - read_summary words it
    return value
