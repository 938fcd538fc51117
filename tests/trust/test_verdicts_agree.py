"""No verdict of the strict path differs from signxml, xmlsec1 or the JDK without a reason.

Each document is judged by five: the gateway, the gateway's path over signxml for the same
document, signxml alone, xmlsec1, and the JDK.  Where one of them believes what we refuse, the
table says why we do; what we believe, all of them believe, or the table says why not.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import GatewayError
from gateway.trust import Credential, PeerTrust, SignerRole, sign, verify
from gateway.trust.demo_pki import CountryPki
from gateway.trust.foreign import verify_foreign
from gateway.xml.parsing import parse
from tests.factories import NOW
from tests.hostile.rewritten import REWRITTEN
from tests.hostile.signatures import FORGERIES, ODD
from tests.trust.by_signxml import believed_by_signxml, signed_by_signxml
from tests.trust.crafting import craft, document

AUTHORITY, GATEWAY = SignerRole.ISSUING_AUTHORITY, SignerRole.GATEWAY
MOMENT = NOW.strftime("%Y-%m-%d %H:%M:%S")

SIGNXML, XMLSEC1, JDK = "signxml", "xmlsec1", "JDK"
ALL = frozenset({SIGNXML, XMLSEC1, JDK})

COMMENT = "C14N leaves comments out, so they are not signed, yet part texts for those who read"
UNSIGNED = "instructions outside the root are digested by some stacks and not by others"
DTD = "no DTD is read: entities and defaults change content, and can exhaust the parser"
BASE64 = "padding and letters outside base64 are passed over there; there is one spelling for us"
PLACE = "a signature elsewhere than as last child of the root is the doorway of wrapping"
CONTENT = "content that nobody needs and that other readers might act on"
FETCH = "an address in a message is never followed; others pass it over when a key is given"
LIMIT = "more certificates than any honest chain has"
NO_CERTIFICATE = "without a certificate nobody can be looked up; signxml was told the key"
WEAK = "an algorithm that is broken or fading is not in the profile"
POLICY = "other canonicalisations are read under COMPATIBLE only"
SKIPPED = "signxml skips transforms that it does not know"
TWICE = "the transforms are these two, once each, in this order"
REFERENCES = "one reference, to the whole document, in one spelling"

REFUSED_HERE_ONLY: Mapping[str, tuple[frozenset[str], str]] = {
    "comment in the amount": (ALL, COMMENT),
    "comment before the root": (ALL, COMMENT),
    "comment in DigestValue": (ALL, COMMENT),
    "comment in SignedInfo": (ALL, COMMENT),
    "instruction after the root": (frozenset({SIGNXML}), UNSIGNED),
    "document type": (frozenset({XMLSEC1, JDK}), DTD),
    "entity in the amount": (frozenset({JDK}), DTD),
    "SignatureValue without padding": (frozenset({JDK}), BASE64),
    "SignatureValue with more padding": (frozenset({JDK}), BASE64),
    "letters that are no base64": (frozenset({SIGNXML, JDK}), BASE64),
    "loose end of SignatureValue": (frozenset({XMLSEC1, JDK}), BASE64),
    "signature first": (ALL, PLACE),
    "signature deep inside": (frozenset({XMLSEC1, JDK}), PLACE),
    "Object": (ALL, CONTENT),
    "KeyValue": (frozenset({XMLSEC1}), CONTENT),
    "RetrievalMethod": (ALL, FETCH),
    "no KeyInfo": (frozenset({SIGNXML}), NO_CERTIFICATE),
    "3000 certificates": (ALL, LIMIT),
    "SHA-1 signature": (frozenset({XMLSEC1, JDK}), WEAK),
    "SHA-1 digest": (frozenset({XMLSEC1, JDK}), WEAK),
    "MD5 digest": (frozenset({XMLSEC1}), WEAK),
    "inclusive SignedInfo": (ALL, POLICY),
    "inclusive reference": (ALL, POLICY),
    "open canonicalisation": (ALL, POLICY),
    "unknown transform": (frozenset({SIGNXML}), SKIPPED),
    "XPath filter": (frozenset({SIGNXML}), SKIPPED),
    "XSLT transform": (frozenset({SIGNXML}), SKIPPED),
    "enveloped twice": (ALL, TWICE),
    "content in a transform": (ALL, CONTENT),
    "truncated HMAC length": (frozenset({SIGNXML, XMLSEC1}), CONTENT),
    "second reference": (frozenset({XMLSEC1, JDK}), REFERENCES),
    "reference #xpointer(/)": (frozenset({XMLSEC1, JDK}), REFERENCES),
    "reference None": (frozenset({XMLSEC1}), REFERENCES),
}
"""Documents that others believe and we refuse: who does, and why we do not."""

BELIEVED_HERE: Mapping[str, tuple[frozenset[str], str]] = {
    "CDATA around DigestValue": (
        frozenset({JDK}),
        "the JDK reads the first text node only; the canonical form is the same, and is signed",
    ),
}
"""Documents that we believe: who does not, and why we do all the same."""

TOO_MUCH_FOR_OTHERS = {"2000 transforms"}
"""The JDK works on these for minutes; we refuse them by their shape (test_refusals)."""


def by_gateway(raw: bytes, trust: PeerTrust, role: SignerRole) -> str:
    """Return what was believed, or the refusal's name."""
    try:
        verified = verify(raw, trust, role=role, at=NOW)
    except GatewayError as exc:
        return type(exc).__name__
    return "believed " + etree.tostring(verified.root, method="c14n", exclusive=True).decode()


def by_foreign_path(raw: bytes, trust: PeerTrust, role: SignerRole) -> str:
    try:
        signed, _, _ = verify_foreign(parse(raw), replace(trust), role=role, at=NOW)
    except GatewayError as exc:
        return type(exc).__name__
    return "believed " + etree.tostring(signed, method="c14n", exclusive=True).decode()


def by_xmlsec1(files: Iterable[Path], anchor: Path) -> list[bool]:
    def judged(file: Path) -> bool:
        command = ["xmlsec1", "--verify", "--trusted-pem", str(anchor)]
        command += ["--verification-gmt-time", MOMENT, str(file)]
        outcome = subprocess.run(command, capture_output=True, timeout=60, check=False)
        return outcome.returncode == 0

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(judged, files))


def by_jdk(files: Iterable[Path], classes: Path) -> list[bool]:
    command = ["java", "-XX:TieredStopAtLevel=1", "-cp", str(classes), "EcoSignatures", "verify"]
    command += [str(file) for file in files]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert outcome.returncode == 0, outcome.stderr
    return [word == "valid" for word in outcome.stdout.split()]


@dataclass(frozen=True)
class Case:
    """A document, in which role it claims to be signed, and the certificate of who signed it."""

    raw: bytes
    role: SignerRole
    signing_cert: x509.Certificate


@pytest.fixture(scope="module")
def rewritten_by_elliptic(kenya: CountryPki) -> dict[str, Case]:
    """Return every rewriting of a document that an elliptic key signed."""
    return _rewritten(kenya.authority.credential, AUTHORITY)


@pytest.fixture(scope="module")
def corpus(kenya: CountryPki) -> dict[str, Case]:
    """Return every rewriting of a document that an RSA key signed, every forgery, every oddity."""
    elliptic = kenya.authority.credential
    made = _rewritten(kenya.gateway.credential, GATEWAY)
    for forgery in FORGERIES:
        root = etree.fromstring(sign(document(3), elliptic))
        raw = etree.tostring(forgery.forge(root))
        made[forgery.name] = Case(raw, AUTHORITY, elliptic.signing_cert)
    for odd in ODD:
        if odd.name not in TOO_MUCH_FOR_OTHERS:
            raw = craft(document(3), elliptic, odd.recipe)
            made[odd.name] = Case(raw, AUTHORITY, elliptic.signing_cert)
    return made


def _rewritten(credential: Credential, role: SignerRole) -> dict[str, Case]:
    raw, cert = sign(document(3), credential), credential.signing_cert
    return {name: Case(change(raw), role, cert) for name, change in REWRITTEN.items()}


def test_every_rewriting_rewrites(corpus: dict[str, Case]) -> None:
    untouched = corpus["untouched"].raw
    same = {name for name in REWRITTEN if corpus[name].raw == untouched}
    assert same == {"untouched"}


def test_the_strict_path_says_what_the_path_over_signxml_says(
    corpus: dict[str, Case], rewritten_by_elliptic: dict[str, Case], trust: PeerTrust
) -> None:
    for cases in (corpus, rewritten_by_elliptic):
        for name, case in cases.items():
            ours = by_gateway(case.raw, trust, case.role)
            assert ours == by_foreign_path(case.raw, trust, case.role), name


def test_signxml_alone_believes_no_more_than_the_table_says(
    corpus: dict[str, Case], trust: PeerTrust
) -> None:
    verdicts = [believed_by_signxml(case.raw, case.signing_cert) for case in corpus.values()]
    assert_explained(SIGNXML, corpus, verdicts, trust)


@pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="xmlsec1 is not installed")
def test_xmlsec1_believes_no_more_than_the_table_says(
    corpus: dict[str, Case], trust: PeerTrust, kenya: CountryPki, tmp_path: Path
) -> None:
    anchor = kenya.ca_path.parent.parent / "root.pem"
    verdicts = by_xmlsec1(written_to(tmp_path, corpus), anchor)
    assert_explained(XMLSEC1, corpus, verdicts, trust)


@pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK is installed")
def test_the_jdk_believes_no_more_than_the_table_says(
    corpus: dict[str, Case], trust: PeerTrust, jdk: Path, tmp_path: Path
) -> None:
    assert_explained(JDK, corpus, by_jdk(written_to(tmp_path, corpus), jdk), trust)


@pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK is installed")
def test_no_changed_byte_is_believed_by_us_and_not_by_the_jdk(
    kenya: CountryPki, trust: PeerTrust, jdk: Path, tmp_path: Path
) -> None:
    """Bytes of every region but KeyInfo, whose further certificates are hints to us that we need
    not read, while the JDK reads them all.
    """
    raw = sign(document(1), kenya.authority.credential)
    cert = kenya.authority.credential.signing_cert
    draw = random.Random(11)
    cases = {"untouched": Case(raw, AUTHORITY, cert)}
    key_info = range(raw.index(b"<ds:KeyInfo>"), raw.index(b"</ds:KeyInfo>"))
    for position in (place for place in range(0, len(raw), 7) if place not in key_info):
        changed = bytearray(raw)
        changed[position] ^= 1 << draw.randrange(7)
        cases[str(position)] = Case(bytes(changed), AUTHORITY, cert)
    theirs = by_jdk(written_to(tmp_path, cases), jdk)
    ours = [believed(case, trust) for case in cases.values()]
    only_ours = [n for n, our, their in zip(cases, ours, theirs, strict=True) if our and not their]
    assert [cases[place].raw for place in only_ours] == []
    assert ours[0]
    assert theirs[0]
    assert sum(theirs) < len(cases) / 2


def test_bytes_of_every_region_changed_meet_the_same_answer_on_both_paths(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    raw = sign(document(1), kenya.authority.credential)
    draw = random.Random(7)
    for position in range(0, len(raw), 5):
        changed = bytearray(raw)
        changed[position] = draw.choice(b"\n <>&\"'=/AZaz09;:#") if position % 2 else position % 128
        answers = (
            by_gateway(bytes(changed), trust, AUTHORITY),
            by_foreign_path(bytes(changed), trust, AUTHORITY),
        )
        assert answers[0] == answers[1], (position, bytes(changed))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_spans_cut_doubled_and_swapped_meet_the_same_answer_on_both_paths(
    kenya: CountryPki, trust: PeerTrust, data: st.DataObject
) -> None:
    """Pieces are whole tags and texts, so that much of what comes out is well-formed."""
    once = sign(document(1), kenya.exporter.credential)
    raw = sign(once, kenya.authority.credential) if data.draw(st.booleans()) else once
    pieces = [b"<" + piece for piece in raw.split(b"<")[1:]]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(pieces) - 1))
        length = data.draw(st.integers(1, 4))
        match data.draw(st.sampled_from(["cut", "double", "swap"])):
            case "cut":
                del pieces[place : place + length]
            case "double":
                pieces[place:place] = pieces[place : place + length]
            case "swap":
                pieces[place : place + 2] = reversed(pieces[place : place + 2])
        if not pieces:
            return
    mangled = b"".join(pieces)
    expected = by_foreign_path(mangled, trust, AUTHORITY)
    assert by_gateway(mangled, trust, AUTHORITY) == expected


def test_documents_signed_by_signxml_are_believed_on_the_strict_path(
    kenya: CountryPki, trust: PeerTrust, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = signed_by_signxml(document(), kenya.authority.credential)
    twice = signed_by_signxml(
        signed_by_signxml(document(), kenya.exporter.credential), kenya.authority.credential
    )

    def never(*_: object, **__: object) -> None:
        raise AssertionError("handed to signxml")

    monkeypatch.setattr("gateway.trust.verifying.verify_foreign", never)
    assert believed(Case(raw, AUTHORITY, kenya.authority.credential.signing_cert), trust)
    verified = verify(twice, trust, role=AUTHORITY, at=NOW)
    assert verified.inner is not None
    assert verified.inner.fingerprint == kenya.exporter.fingerprint


def written_to(folder: Path, cases: Mapping[str, Case]) -> list[Path]:
    files = []
    for number, case in enumerate(cases.values()):
        files.append(folder / f"{number}.xml")
        files[-1].write_bytes(case.raw)
    return files


def believed(case: Case, trust: PeerTrust) -> bool:
    return by_gateway(case.raw, trust, case.role).startswith("believed")


def assert_explained(
    who: str, cases: Mapping[str, Case], verdicts: list[bool], trust: PeerTrust
) -> None:
    """Assert that each verdict is ours, or differs as the table says; and the table is no wider."""
    nobody: tuple[frozenset[str], str] = (frozenset(), "")
    for (name, case), verdict in zip(cases.items(), verdicts, strict=True):
        ours = believed(case, trust)
        differing = (BELIEVED_HERE if ours else REFUSED_HERE_ONLY).get(name, nobody)[0]
        assert (verdict is not ours) is (who in differing), f"{name}: {who} says {verdict}"
