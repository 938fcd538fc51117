"""The documentation is true: generated pages are current, links lead somewhere, verbs exist."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import gateway
from gateway import errors

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def build_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_build", DOCS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUILD = build_script()


def pages() -> Iterator[Path]:
    yield from sorted(ROOT.glob("*.md"))
    for folder in ("docs", "tests", "certs", "mappings", "schemas", "bench"):
        yield from sorted((ROOT / folder).rglob("*.md"))


def prose(page: Path) -> str:
    """The page without fenced code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """The anchors that headings of a page get, by the rule that forges use."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.+)$", prose(page), flags=re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")
        count = 1
        unique = anchor
        while unique in found:
            unique = f"{anchor}-{count}"
            count += 1
        found.add(unique)
    return found


# --- generated pages ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(BUILD.PAGES))
def test_generated_pages_are_current(name: str):
    path = DOCS / name
    assert path.exists(), f"docs/{name} is missing: run `make docs`"
    assert path.read_text(encoding="utf-8") == BUILD.written(name), "out of date: run `make docs`"


def test_every_error_code_has_a_heading():
    headings = set(re.findall(r"^#+ (\w+)$", (DOCS / "errors.md").read_text(), flags=re.M))
    assert {cls.code for cls in errors.all_error_types()} == headings


# --- links and reachability -----------------------------------------------------------------------


def links(page: Path) -> Iterator[str]:
    yield from re.findall(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)", prose(page))


def test_every_link_leads_somewhere():
    broken = []
    for page in pages():
        for link in links(page):
            if re.match(r"[a-z]+:", link):
                continue
            place, _, anchor = link.partition("#")
            target = (page.parent / place).resolve() if place else page
            if not target.exists():
                broken.append(f"{page.relative_to(ROOT)}: {link}")
            elif anchor and target.suffix == ".md" and anchor not in anchors(target):
                broken.append(f"{page.relative_to(ROOT)}: {link} (no such heading)")
    assert not broken, "\n" + "\n".join(broken)


def test_every_page_can_be_reached_from_the_first():
    reached: set[Path] = set()
    waiting = [ROOT / "README.md", DOCS / "index.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        waiting += [page.parent / link.partition("#")[0] for link in links(page)]
    lost = {page.resolve() for page in DOCS.rglob("*.md")} - reached
    assert not lost, sorted(str(page.relative_to(ROOT)) for page in lost)


def test_every_page_has_one_title():
    for page in pages():
        titles = re.findall(r"^# .+$", prose(page), flags=re.M)
        assert len(titles) == 1, f"{page.relative_to(ROOT)} has the titles {titles}"


# --- what the pages name ------------------------------------------------------------------------------


def makefile_verbs() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.M))


def test_every_make_verb_that_a_page_names_exists():
    verbs = makefile_verbs()
    assert verbs >= {"demo", "test", "lint", "format", "bench", "docs", "serve"}
    unknown = {
        f"{page.relative_to(ROOT)}: make {verb}"
        for page in pages()
        for verb in re.findall(r"(?:`|^    |^\$ )make ([a-z]+)", page.read_text(), flags=re.M)
        if verb not in verbs
    }
    assert not unknown


def test_every_file_that_the_architecture_names_exists():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:gateway|mappings|schemas)/[\w./-]*)`", text))
    assert named
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]


def test_every_room_stands_in_the_architecture():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    rooms = {
        path.name
        for path in (ROOT / "gateway").iterdir()
        if not path.name.startswith(("_", ".")) and path.name != "py.typed"
    }
    assert not [room for room in sorted(rooms) if room not in text]


# --- decisions and the change log -----------------------------------------------------------------------


def decisions() -> list[Path]:
    return sorted((DOCS / "decisions").glob("[0-9]*.md"))


def test_decisions_are_numbered_without_gaps_and_listed():
    index = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    assert [int(page.name[:4]) for page in decisions()] == list(range(1, len(decisions()) + 1))
    assert not [page.name for page in decisions() if f"({page.name})" not in index]


def test_decisions_follow_the_frame():
    for page in decisions():
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {page.name[:4]} "), page.name
        sections = re.findall(r"^## (.+)$", text, flags=re.M)
        assert sections[:2] == ["Context", "Decision"], page.name
        assert {"Also considered", "Consequences"} <= set(sections), page.name


def test_decisions_that_the_code_cites_exist():
    known = {page.name[:4] for page in decisions()}
    cited = {
        (path.relative_to(ROOT).as_posix(), number)
        for path in (ROOT / "gateway").rglob("*.py")
        for number in re.findall(r"docs/decisions/(\d{4})", path.read_text(encoding="utf-8"))
    }
    assert not sorted(each for each in cited if each[1] not in known)


def test_the_change_log_knows_the_present_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(gateway.__version__)}\] - \d{{4}}-\d\d-\d\d$", text, re.M)
    assert text.index("## [Unreleased]") < text.index(f"## [{gateway.__version__}]")
