"""The wheel stands alone: built from the sdist, installed elsewhere, it finds all of its data.

The wheel is built without a network and installed without its dependencies, which come from
this environment by path; the checkout itself stays out of reach of what is run.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import gateway

ROOT = Path(__file__).resolve().parent.parent
DATA_FOLDERS = ("schemas", "mappings")

pytestmark = pytest.mark.xdist_group("packaging")


@dataclass(frozen=True)
class Installed:
    """The gateway as a stranger has it: from the wheel, far from the checkout."""

    wheel: Path
    home: Path
    elsewhere: Path

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [str(self.home / "bin" / command[0]), *command[1:]],
            cwd=self.elsewhere,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self.elsewhere)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip()

    def python(self, code: str) -> str:
        return self.run("python", "-W", "error", "-c", code)


def run_quietly(*command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    base = tmp_path_factory.mktemp("packaging")
    # Without --wheel, `build` makes the sdist and then the wheel from what the sdist holds.
    run_quietly(sys.executable, "-m", "build", "--no-isolation", "--outdir", base / "dist")
    (wheel,) = (base / "dist").glob("*.whl")

    home = base / "home"
    venv.create(home, with_pip=False)
    run_quietly(
        *(sys.executable, "-m", "pip", "--quiet", "--python", home / "bin" / "python"),
        *("install", "--no-deps", "--no-index", "--no-compile", wheel),
    )
    site = next(home.glob("lib/python*/site-packages"))
    # A path line adds the dependencies' folder without running its own path files, so that the
    # editable checkout among them stays invisible.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    elsewhere = base / "elsewhere"
    elsewhere.mkdir()
    return Installed(wheel, home, elsewhere)


# --- what is in the wheel ----------------------------------------------------------------------


def tracked(*folders: str) -> Iterator[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--", *folders], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    yield from (name for name in listed.stdout.splitlines() if (ROOT / name).is_file())


def test_the_wheel_holds_every_file_of_the_package_and_its_data(installed: Installed):
    packed = set(zipfile.ZipFile(installed.wheel).namelist())
    expected = {
        name if name.startswith("gateway/") else f"gateway/_data/{name}"
        for name in tracked("gateway", *DATA_FOLDERS)
    }
    assert expected - packed == set()


def test_the_wheel_holds_nothing_but_the_gateway(installed: Installed):
    packed = zipfile.ZipFile(installed.wheel).namelist()
    tops = {name.split("/")[0] for name in packed}
    assert tops == {"gateway", f"eco_gateway-{gateway.__version__}.dist-info"}
    assert not [name for name in packed if name.endswith((".db", ".key", ".p12", ".pyc"))]


def test_the_wheel_carries_its_licence_and_tells_checkers_that_it_is_typed(installed: Installed):
    packed = set(zipfile.ZipFile(installed.wheel).namelist())
    licences = f"eco_gateway-{gateway.__version__}.dist-info/licenses"
    assert {"gateway/py.typed", f"{licences}/LICENSE", f"{licences}/NOTICE"} <= packed


# --- the wheel, installed ------------------------------------------------------------------------


def test_the_installed_gateway_is_the_wheel_and_not_the_checkout(installed: Installed):
    place = installed.python("import gateway; print(gateway.__file__)")
    assert Path(place).is_relative_to(installed.home)
    data = installed.python("from gateway.resources import data_path as p; print(p('schemas'))")
    assert Path(data).is_relative_to(installed.home)


def test_every_module_can_be_imported_from_the_wheel(installed: Installed):
    count = installed.python(
        "import importlib, pkgutil, gateway\n"
        "found = [m.name for m in pkgutil.walk_packages(gateway.__path__, 'gateway.')\n"
        "         if not m.name.endswith('__main__') and '.migrations.' not in m.name]\n"
        "[importlib.import_module(name) for name in found]\n"
        "print(len(found))"
    )
    assert int(count) > 30


def test_the_mapping_tables_load_from_the_wheel(installed: Installed):
    names = installed.python(
        "from gateway.xml.mapping import load_tables\n"
        "print(*sorted(kind.value for kind in load_tables()))"
    )
    assert names.split() == [
        "Acknowledgement",
        "BooksStatement",
        "CertificateOfOrigin",
        "CustomsResponse",
    ]


def test_the_schemas_load_from_the_wheel(installed: Installed):
    installed.python("from gateway.xml.schema import SchemaSet; SchemaSet.load()")


def test_the_agreements_load_from_the_wheel(installed: Installed):
    names = installed.python(
        "from gateway.agreements.profile import load_agreements; print(*load_agreements())"
    )
    assert "COMESA" in names.split()


def test_the_national_formats_load_from_the_wheel(installed: Installed):
    names = installed.python(
        "from gateway.xml.national import load_national_formats; print(*load_national_formats())"
    )
    assert names


def test_the_code_lists_load_from_the_wheel(installed: Installed):
    answer = installed.python(
        "from gateway.documents.codelists import code_list\n"
        "print('ZM' in code_list('countries'), 'KGM' in code_list('units'))"
    )
    assert answer == "True True"


def test_the_interface_descriptions_are_in_the_wheel(installed: Installed):
    found = installed.python(
        "from gateway.resources import data_path\n"
        "print(*sorted(p.name for p in data_path('schemas').rglob('*.wsdl')))"
    )
    assert found


def test_a_database_can_be_migrated_from_the_wheel(installed: Installed):
    installed.python(
        "from gateway.store import Store\n"
        "store = Store.open('sqlite:///books.db'); store.migrate(); store.close()"
    )
    assert (installed.elsewhere / "books.db").stat().st_size > 0


def test_the_command_line_tells_its_version(installed: Installed):
    assert gateway.__version__ in installed.run("eco", "--version")


# --- what the project declares -------------------------------------------------------------------


def declared() -> tuple[set[str], set[str]]:
    """The names of run-time and of development dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(requirements: list[str]) -> set[str]:
        found = (re.match(r"[A-Za-z0-9._-]+", each) for each in requirements)
        return {plain_name(match.group()) for match in found if match}

    optional = project["optional-dependencies"]
    return names(project["dependencies"]), names(optional["dev"])


def offered(extra: str) -> set[str]:
    """The names of what an extra adds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = (re.match(r"[A-Za-z0-9._-]+", each) for each in project["optional-dependencies"][extra])
    return {plain_name(match.group()) for match in found if match}


def plain_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


OF_OTHER_ENVIRONMENTS = ROOT / "bench" / "contestants" / "programs"
"""What the bench compares us with is installed by itself, each into a place of its own."""


def imported_libraries(*folders: str) -> set[str]:
    """The distributions that the files below these folders import, by name."""
    ours = {"gateway", "tests", "bench", "docs", *(p.stem for p in (ROOT / "docs").glob("*.py"))}
    distributions = packages_distributions()
    found = set()
    files = {path for folder in folders for path in (ROOT / folder).rglob("*.py")}
    for path in files - set(OF_OTHER_ENVIRONMENTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            else:
                continue
            tops = {name.split(".")[0] for name in names}
            for top in tops - ours - set(sys.stdlib_module_names):
                found.add(plain_name(distributions.get(top, [top])[0]))
    return found


def test_the_gateway_declares_every_library_it_imports():
    run_time, _ = declared()
    comes_with_its_owner = {"pydantic-core"}  # in exactly the version that pydantic names
    imported = imported_libraries("gateway") - run_time - comes_with_its_owner
    assert imported == {"pillow", "zxing-cpp"}, "the extra `scan`, and nothing else that is free"
    assert imported == offered("scan")


def test_the_gateway_declares_no_library_that_it_never_imports():
    run_time, _ = declared()
    loaded_by_name = {"psycopg", "gunicorn"}  # by SQLAlchemy's URL, by its own command
    assert run_time - imported_libraries("gateway") - loaded_by_name == set()


def test_tests_and_benchmarks_declare_every_library_they_import():
    run_time, development = declared()
    assert imported_libraries("tests", "bench", "docs") - run_time - development == set()
