"""What the tests of paper print and sign: orders, summaries, a trust list of two countries."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

from gateway.agreements import load_agreements
from gateway.documents import Language
from gateway.paper.checking import TrustList
from gateway.paper.order import PrintOrder, SignatureNote, Standing
from gateway.paper.summary import Attester, Summary, sign_summary, summary_of
from gateway.trust import Credential
from gateway.trust.demo_pki import DemoPki
from tests.factories import ISSUED_AT, NOW, certificate

AGREEMENTS = load_agreements()
XML = "<signed>été شهادة</signed>".encode()
SHA256 = hashlib.sha256(XML).hexdigest()
SIGNED = SignatureNote(
    holds=True, subject="CN=ZRA eCO signing,C=ZM", fingerprint="ab" * 32, signed_at=ISSUED_AT
)


def print_order(**changes: Any) -> PrintOrder:
    """Return an order for ``factories.certificate()`` in English; arguments replace fields."""
    values: dict[str, Any] = {
        "document": certificate(),
        "agreement": AGREEMENTS["COMESA"],
        "xml": XML,
        "sha256": SHA256,
        "standing": Standing.VALID,
        "signature": SIGNED,
        "language": Language.ENGLISH,
        "printed_at": NOW,
        "printer": "Kenya Single Window (KE-SW)",
    }
    return PrintOrder(**(values | changes))


def summary(**changes: Any) -> Summary:
    """Return Zambia's summary of ``factories.certificate()``; arguments replace fields."""
    made = summary_of(
        certificate(),
        sha256=SHA256,
        standing=Standing.VALID,
        stated_at=NOW,
        attester=Attester.AUTHORITY,
        attester_country="ZM",
    )
    return replace(made, **changes)


def signed_text(credential: Credential, **changes: Any) -> str:
    """Return a signed summary; arguments replace its fields."""
    return sign_summary(summary(**changes), credential)


def trust_of(pki: DemoPki, *countries: str) -> TrustList:
    """Return what a checker knows who registered these countries."""
    known = [pki.countries[code] for code in countries or tuple(pki.countries)]
    return TrustList(
        trusts=tuple(each.trust() for each in known),
        certificates=tuple(
            cert
            for each in known
            for cert in (
                each.ca.cert,
                each.authority.credential.signing_cert,
                each.gateway.credential.signing_cert,
                each.customs.credential.signing_cert,
            )
        ),
        made_at=NOW - timedelta(hours=1),
    )
