"""The page for checking without a line: one HTML file with the trust list and the check inside.

It works from a folder or a stick: no address is ever asked, and a policy in the page forbids it.
What chains, revocation lists and registrations mean is worked out here, by ``gateway.trust``, and
handed to the page as spans of time in which each signer is believed; the page reads the summary,
compares moments and has the browser (WebCrypto) verify the signature.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.documents import Language, LocalisedText
from gateway.documents.codelists import code_list
from gateway.errors import InternalError
from gateway.paper.checking import TrustList, check_texts, issuers_shown
from gateway.paper.page_words import PageWords, page_words
from gateway.paper.summary import KEY_BYTES, Attester
from gateway.paper.words import words
from gateway.trust import PeerTrust, SignerRole, fingerprint_of
from gateway.trust.believing import spans_believed

_ROLES: Final = {
    Attester.AUTHORITY: SignerRole.ISSUING_AUTHORITY,
    Attester.GATEWAY: SignerRole.GATEWAY,
}


def check_page(trust: TrustList, *, gateway: str, language: Language = Language.ENGLISH) -> str:
    """Return the page as HTML.

    Args:
        gateway: whose trust list it is, for people.
        language: in which it opens; the reader may choose another.
    """
    folder = Path(__file__).parent
    style = (folder / "check_page.css").read_text(encoding="utf-8")
    script = (folder / "check_page.js").read_text(encoding="utf-8")
    data = {
        "gateway": gateway,
        "language": language.value,
        "made_at": _moment(trust.made_at),
        "keys": sorted({_key(certificate) for certificate in trust.certificates}),
        "signers": list(signers(trust)),
        "findings": {code.value: _finding(code.severity, said) for code, said in _texts()},
        "words": _words(page_words()),
        "countries": _countries(trust),
    }
    return _PAGE.format(
        language=language.value,
        policy=f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'",
        title=page_words().title.in_language(language),
        style=style,
        data=_embedded(data),
        script=script,
    )


def signers(trust: TrustList) -> Iterator[dict[str, Any]]:
    """Yield every signer whom the page believes at some time, in an order of their own."""
    found = []
    for certificate in trust.certificates:
        for peer in trust.trusts:
            for attester, role in _ROLES.items():
                shown = issuers_shown(certificate, trust)
                spans = spans_believed(shown, peer, role=role)
                if spans:
                    found.append(_signer(certificate, peer, attester, spans))
    yield from sorted(found, key=lambda each: (each["country"], each["attester"], each["key"]))


def _signer(
    certificate: x509.Certificate,
    peer: PeerTrust,
    attester: Attester,
    spans: tuple[tuple[datetime, datetime], ...],
) -> dict[str, Any]:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise InternalError(f"a signer with a {type(key).__name__} was believed")
    curves = {"secp256r1": "P-256", "secp384r1": "P-384"}
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        "key": _key(certificate),
        "country": peer.country,
        "attester": attester.value,
        "subject": certificate.subject.rfc4514_string(),
        "curve": None if isinstance(key, rsa.RSAPublicKey) else curves[key.curve.name],
        "spki": base64.b64encode(spki).decode("ascii"),
        "spans": [[_moment(since), _moment(until)] for since, until in spans],
    }


def _key(certificate: x509.Certificate) -> str:
    return fingerprint_of(certificate)[: 2 * KEY_BYTES]


def _texts() -> Iterator[tuple[Any, tuple[LocalisedText, LocalisedText]]]:
    for code, said in check_texts().items():
        yield code, (said.message, said.remedy)


def _finding(severity: Any, said: tuple[LocalisedText, LocalisedText]) -> dict[str, Any]:
    return {
        "severity": severity.value,
        "message": said[0].model_dump(),
        "remedy": said[1].model_dump(),
    }


def _words(said: PageWords) -> dict[str, Any]:
    """Return the words of the page, and those that the printed form uses for the same things."""
    form = words()
    shared = {
        name: getattr(form, name).model_dump()
        for name in type(form).model_fields
        if name.startswith(("status_", "kind_"))
    }
    return said.model_dump() | shared


def _countries(trust: TrustList) -> dict[str, dict[str, str]]:
    names = code_list("countries")
    known = sorted({peer.country for peer in trust.trusts})
    return {code: {each.value: names.name(code, each) for each in Language} for code in known}


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _embedded(data: dict[str, Any]) -> str:
    """Return data as JSON that cannot end the element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


_PAGE: Final = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main id="page"></main>
<noscript>This page checks with JavaScript. Cette page vérifie avec JavaScript. \
تتحقق هذه الصفحة باستخدام JavaScript.</noscript>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""
