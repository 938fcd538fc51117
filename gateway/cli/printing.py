"""The commands of the printed certificate: print one, and check its code without a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.main import Invocation, OrderedGroup, common
from gateway.cli.opening import actor, content, present, the_gateway
from gateway.cli.output import ExitStatus, finding_lines, plain, stop
from gateway.documents import Language
from gateway.errors import InputError, NotFoundError
from gateway.store import CertificateRow, Side, certificates, journal

if TYPE_CHECKING:
    from gateway.app import Gateway
    from gateway.paper.checking import Checked
    from gateway.paper.summary import Summary

_MOST_BYTES = 20_000_000
_OUTPUT = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command()
@click.argument("serial")
@click.option("--country", default=None, help="Issuing country, where two states use the number.")
@click.option(
    "--copy",
    "copy_number",
    type=click.IntRange(1, 999),
    default=1,
    show_default=True,
    help="Number of the copy; the original is electronic.",
)
@click.option("--purpose", default=None, help="Why it is printed; stands in the journal.")
@click.option("-o", "--output", type=_OUTPUT, required=True, help="PDF file to write.")
@common
def paper(
    call: Invocation,
    serial: str,
    country: str | None,
    copy_number: int,
    purpose: str | None,
    output: Path,
) -> None:
    """Print the certificate SERIAL as a PDF form in the language of --language.

    The form has the boxes of the agreement, the status at this moment, what was found about the
    signature, a QR code, and inside the file the signed XML, byte for byte.
    """
    from gateway.services.printing import PrintWish, print_row

    with the_gateway(call) as gateway:
        row = _one(gateway, serial, country)
        wish = PrintWish(
            language=Language(call.output.language),
            copy_number=copy_number,
            address=gateway.settings.paper.check_address,
        )
        made = print_row(gateway.desk, row, wish)
        _note(gateway, row, purpose)
    _write(output, made)
    value = {"serial_number": row.serial_number, "file": str(output), "bytes": len(made)}
    call.output.result(value, [f"{output}: {len(made)} bytes"])


@click.group(cls=OrderedGroup)
def qr() -> None:
    """Read and check the code of a printed certificate, without a line to anybody."""


@qr.command("verify")
@click.argument("text")
@click.option(
    "--document",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="Signed XML that is said to belong to the paper.",
)
@common
def verify_code(call: Invocation, text: str, document: Path | None) -> None:
    """Say whether the code TEXT was signed by somebody whom this gateway trusts.

    TEXT is what a scanner read, a file that holds it, a picture of the code (with the extra
    `scan`), or `-` for standard input.  The signer is judged as of the moment that the code
    states.  The exit status is 5 if the code is not believed.
    """
    from gateway.paper.checking import verify_summary
    from gateway.services.paper_trust import trust_list

    enclosed = None if document is None else content(document)
    with the_gateway(call) as gateway:
        trust = trust_list(gateway.desk)
        found = verify_summary(_text(text), trust, gateway.desk.clock(), document=enclosed)
    value = {
        "holds": found.holds,
        "summary": None if found.summary is None else summary_view(found.summary),
        "signer": None if found.signer is None else plain(found.signer),
        "findings": [plain(each) for each in found.findings],
    }
    call.output.result(value, _checked_lines(found, call.output.language))
    stop(ExitStatus.OK if found.holds else ExitStatus.UNTRUSTED)


@qr.command("show")
@click.argument("text")
@common
def show_code(call: Invocation, text: str) -> None:
    """Say what the code TEXT states, whether true or not; needs no gateway home."""
    from gateway.paper.summary import read_summary

    signed = read_summary(_text(text))
    value = summary_view(signed.summary) | {"key": signed.key.hex(), "method": signed.method.name}
    call.output.result(value, _summary_lines(signed.summary))


@qr.command("page")
@click.option("-o", "--output", type=_OUTPUT, required=True, help="HTML file to write.")
@common
def write_page(call: Invocation, output: Path) -> None:
    """Write a page that checks codes in a browser, without a line: one file, nothing to install.

    It holds the trust list of this moment, so write it anew when a peer's certificates or
    revocation lists change.  It opens in the language of --language.
    """
    from gateway.paper.check_page import check_page, signers
    from gateway.services.paper_trust import trust_list

    with the_gateway(call) as gateway:
        trust = trust_list(gateway.desk)
        name = f"{gateway.desk.identity.name} ({gateway.desk.identity.identifier})"
    page = check_page(trust, gateway=name, language=Language(call.output.language)).encode()
    count = sum(1 for _ in signers(trust))
    _write(output, page)
    value = {"file": str(output), "bytes": len(page), "signers": count}
    call.output.result(value, [f"{output}: {count} signers, {len(page)} bytes"])


def summary_view(summary: Summary) -> dict[str, Any]:
    """Return what a summary states in the form of every JSON answer."""
    return {**plain(summary), "digest": summary.digest.hex()}


def _one(gateway: Gateway, serial: str, country: str | None) -> CertificateRow:
    with gateway.store.read() as conn:
        found = [
            row
            for row in certificates.by_serial(conn, serial)
            if country in (None, row.issuing_country)
        ]
    if not found:
        raise NotFoundError(f"no certificate {serial!r} was issued or received here")
    if len({row.issuing_country for row in found}) > 1:
        countries = ", ".join(sorted(row.issuing_country for row in found))
        raise InputError(f"{serial!r} was issued in {countries}; say which by --country")
    return min(found, key=lambda row: row.side is not Side.ISSUED)


def _note(gateway: Gateway, row: CertificateRow, purpose: str | None) -> None:
    """Write into the journal that a foreign certificate was looked at."""
    if row.side is not Side.RECEIVED:
        return
    with gateway.store.begin() as conn:
        journal.append(
            conn,
            at=present(),
            actor=actor(),
            action=journal.Action.DOCUMENT_VIEWED,
            subject=row.serial_number,
            detail={"certificates": 1, "purpose": purpose},
        )


def _write(output: Path, made: bytes) -> None:
    try:
        output.write_bytes(made)
    except OSError as exc:
        raise InputError(f"{output} cannot be written: {exc.strerror}") from exc


def _text(given: str) -> str:
    """Return the text of a code: as given, from a file, or out of a picture."""
    try:
        path = Path(given)
        if given != "-" and (len(given) > 250 or not path.is_file()):
            return given
    except (OSError, ValueError):
        return given
    raw = content(path)
    if len(raw) > _MOST_BYTES:
        raise InputError(f"{path} is larger than any picture of a code")
    if raw.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        return _scanned(raw)
    return raw[:10_000].decode("utf-8", "replace").strip()


def _scanned(picture: bytes) -> str:
    """Return the text of the one QR code in a picture."""
    import io

    try:
        import zxingcpp
        from PIL import Image
    except ImportError as exc:
        raise InputError(
            "reading pictures needs the extra `scan` (pip install 'eco-gateway[scan]'); "
            "or hand over the text that a scanner reads"
        ) from exc
    wanted = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
    try:
        with Image.open(io.BytesIO(picture), formats=("PNG", "JPEG")) as opened:
            found = zxingcpp.read_barcodes(opened.convert("L"), wanted)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as exc:
        raise InputError("the picture cannot be read") from exc
    if len(found) != 1:
        raise InputError(f"the picture shows {len(found)} QR codes, one is needed")
    return str(found[0].text)


def _checked_lines(found: Checked, language: str) -> Iterator[str]:
    yield "the code is believed" if found.holds else "THE CODE IS NOT BELIEVED"
    if found.signer is not None:
        yield f"  signed by   {found.signer.subject}"
        yield f"  as          {found.signer.role.value} of {found.signer.country}"
    if found.summary is not None:
        yield from _summary_lines(found.summary)
    yield from finding_lines(found.findings, language)


def _summary_lines(summary: Summary) -> Iterator[str]:
    test = ", TEST" if summary.test else ""
    yield f"  certificate {summary.serial_number}  {summary.agreement} {summary.kind.value}{test}"
    yield f"  route       {summary.issuing_country} → {summary.destination_country}"
    yield f"  issued      {summary.issued_on}, valid {summary.valid_from} to {summary.valid_until}"
    yield f"  at printing {summary.standing.value}, {summary.stated_at:%Y-%m-%d %H:%M} UTC"
    yield f"  items       {summary.item_count}"
    for item in summary.items:
        yield f"              HS {item.hs6}: {item.quantity} {item.unit}"
    yield f"  document    SHA-256 {summary.digest.hex()}…"
