"""Environments of the contestants: made once, of pinned ranges, apart from our own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.harness import UnavailableError

ROOT = Path(__file__).resolve().parent.parent.parent
PLACE = ROOT / ".tools" / "bench"
PROGRAMS = Path(__file__).resolve().parent / "programs"
INSTALL_SECONDS = 600
JAVA_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Patch:
    """Is a text in an installed file that must be another one for the library to start here."""

    files: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Says what a contestant needs.

    Attributes:
        name: of its folder under ``.tools/bench``.
        requirements: of pip, as ranges.
    """

    name: str
    requirements: tuple[str, ...]
    patches: tuple[Patch, ...] = ()


# oscrypto 1.3.0 reads one digit of OpenSSL's patch level (github.com/wbond/oscrypto/issues/78).
OSCRYPTO = Patch(
    files="oscrypto/_openssl/_libcrypto_c*.py",
    old=r"\\b(\\d\\.\\d\\.\\d[a-z]*)\\b",
    new=r"\\b(\\d+\\.\\d+\\.\\d+[a-z]*)\\b",
)

SIGNXML = Environment(name="signxml", requirements=("signxml>=5.2,<6",))
XMLSEC = Environment(name="xmlsec", requirements=("xmlsec>=1.3.16,<1.4",))
XMLSCHEMA = Environment(name="xmlschema", requirements=("xmlschema>=4.1,<5",))
PYAS2LIB = Environment(name="pyas2lib", requirements=("pyas2lib>=1.4.4,<1.5",), patches=(OSCRYPTO,))
AS4 = Environment(name="as4", requirements=("as4>=0.2,<0.3",))
DJANGO_PYAS2 = Environment(
    name="django-pyas2",
    requirements=("django-pyas2>=1.2.3,<1.3", "gunicorn>=23,<28"),
    patches=(OSCRYPTO,),
)
EVERY = (SIGNXML, XMLSEC, XMLSCHEMA, PYAS2LIB, AS4, DJANGO_PYAS2)


@cache
def python_of(environment: Environment, place: Path = PLACE) -> Path:
    """Return the interpreter of an environment, installed if it is not yet.

    Raises:
        UnavailableError: it cannot be installed here; the reason is the end of pip's words.
    """
    folder = place / environment.name
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = hashlib.sha256(repr(environment).encode()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="ascii") == wanted and python.is_file():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _run([sys.executable, "-m", "venv", str(folder)], INSTALL_SECONDS)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, *environment.requirements], INSTALL_SECONDS)
    for patch in environment.patches:
        _apply(patch, folder)
    stamp.write_text(wanted, encoding="ascii")
    return python


@cache
def java_classes(place: Path = PLACE) -> tuple[str, Path]:
    """Return the ``java`` command and the folder of our compiled program.

    Raises:
        UnavailableError: there is no JDK, or it does not compile the program.
    """
    java, javac = shutil.which("java"), shutil.which("javac")
    if java is None or javac is None:
        raise UnavailableError("no JDK is on the path")
    folder, source = place / "jdk", PROGRAMS / "Dsig.java"
    stamp = folder / "compiled"
    wanted = hashlib.sha256(source.read_bytes() + javac.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="ascii") != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        _run([javac, "-d", str(folder), str(source)], JAVA_SECONDS)
        stamp.write_text(wanted, encoding="ascii")
    return java, folder


def versions(environment: Environment) -> str:
    """Return what is installed there, as pip names it."""
    command = [str(python_of(environment)), "-m", "pip", "freeze", "--disable-pip-version-check"]
    return ", ".join(_run(command, INSTALL_SECONDS).split())


def _apply(patch: Patch, folder: Path) -> None:
    for file in folder.glob(f"lib/python3*/site-packages/{patch.files}"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(patch.old, patch.new), encoding="utf-8")


def _run(command: list[str], seconds: float) -> str:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise UnavailableError(f"{Path(command[0]).name} did not run: {exc}") from exc
    if done.returncode:
        last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        raise UnavailableError(f"{Path(command[0]).name} failed: {' '.join(last)[:300]}")
    return done.stdout
