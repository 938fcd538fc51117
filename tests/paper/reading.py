"""Reading a PDF back with other people's programs: text, pictures of pages, what is enclosed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} (poppler-utils) is not installed")
    return found


def _run(tool: str, *arguments: str, pdf: bytes) -> bytes:
    done = subprocess.run(
        [_tool(tool), *arguments], input=pdf, capture_output=True, check=True, timeout=60
    )
    return done.stdout


def text_of(pdf: bytes) -> str:
    """The text of all pages, in reading order."""
    return _run("pdftotext", "-", "-", pdf=pdf).decode("utf-8")


def info_of(pdf: bytes) -> dict[str, str]:
    """What the file says of itself."""
    lines = _run("pdfinfo", "-", pdf=pdf).decode("utf-8").splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def attached(pdf: bytes) -> bytes:
    """The one file that is enclosed."""
    with tempfile.TemporaryDirectory() as folder:
        source, saved = Path(folder) / "in.pdf", Path(folder) / "out.xml"
        source.write_bytes(pdf)
        command = [_tool("pdfdetach"), "-save", "1", "-o", str(saved), str(source)]
        subprocess.run(command, capture_output=True, check=True, timeout=60)
        return saved.read_bytes()


def pages(pdf: bytes, *, dpi: int) -> list[Image.Image]:
    """Each page as a picture."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.pdf"
        source.write_bytes(pdf)
        command = [_tool("pdftoppm"), "-r", str(dpi), "-png", str(source), f"{folder}/page"]
        subprocess.run(command, capture_output=True, check=True, timeout=60)
        found = []
        for path in sorted(Path(folder).glob("page*.png")):
            with Image.open(path) as opened:
                found.append(opened.convert("L"))
        return found


def qr_codes(page: Image.Image) -> list[zxingcpp.Barcode]:
    """Return the QR codes on a page; lines and letters are taken for no other kind of code."""
    return list(zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormat.QRCode))
