"""A home's own formats: taken anew while in use, and never replaced by a file with an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.xml.national import FormatCatalogue, load_national_formats
from gateway.xml.national.catalogue import FormatChange, FormatNews
from tests.national.bench_format import yaml_of
from tests.national.test_mistakes import tidy

SOUND = tidy(yaml_of())
WRONG = SOUND.replace("{field: kind, constant: STANDARD}", "{field: kind, constant: SPECIAL}")


@dataclass
class Home:
    """Is a gateway home with formats of its own."""

    path: Path
    news: list[FormatNews] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.path / "formats" / "bent.yaml"

    def write(self, text: str, version: str = "1") -> None:
        self.file.parent.mkdir(exist_ok=True)
        written = self.file.with_suffix(".new")
        written.write_text(text.replace('version: "1"', f'version: "{version}"'), encoding="utf-8")
        written.replace(self.file)

    def open(self) -> FormatCatalogue:
        return FormatCatalogue(
            load_national_formats,
            folder=self.path / "formats",
            kept=self.path / "run" / "formats",
            tell=self.news.append,
        )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_home_without_formats_has_those_that_ship(home: Home) -> None:
    assert dict(home.open()) == dict(load_national_formats())
    assert home.news == []


def test_a_file_is_taken_without_a_restart_and_gone_when_it_is_removed(home: Home) -> None:
    catalogue = home.open()
    assert "bent" not in catalogue
    home.write(SOUND)
    assert catalogue["bent"].version == "1"
    home.write(SOUND, "2")
    assert catalogue["bent"].version == "2"
    home.file.unlink()
    assert "bent" not in catalogue
    assert [each.change for each in home.news] == [
        FormatChange.TAKEN,
        FormatChange.TAKEN,
        FormatChange.REMOVED,
    ]
    assert "bent" not in home.open()


def test_a_file_with_an_error_leaves_the_old_version_in_force(home: Home) -> None:
    home.write(SOUND)
    catalogue = home.open()
    before = catalogue["bent"]
    home.write(WRONG, "2")
    assert catalogue["bent"] is before
    (fault,) = catalogue.faults
    assert fault.file == "bent.yaml"
    assert fault.in_force == before.mark
    line = WRONG[: WRONG.index("SPECIAL")].count("\n") + 1
    assert [(each.line, each.row) for each in fault.mistakes] == [(line, '"kind"')]
    assert home.news[-1].change is FormatChange.REFUSED
    assert home.news[-1].mistakes == fault.mistakes
    assert len(home.news) == 1
    home.write(SOUND, "3")
    assert catalogue["bent"].version == "3"
    assert catalogue.faults == ()


def test_the_old_version_stays_in_force_over_a_restart(home: Home) -> None:
    home.write(SOUND)
    before = home.open()["bent"]
    home.write(WRONG, "2")
    again = home.open()
    assert again["bent"].mark == before.mark
    assert again.faults[0].in_force == before.mark
    (state,) = [each for each in again.states if each.name == "bent"]
    assert state.own
    assert state.format is again["bent"]
    assert state.fault == again.faults[0]


def test_a_file_that_never_was_sound_has_no_version_in_force(home: Home) -> None:
    home.write(WRONG)
    catalogue = home.open()
    assert "bent" not in catalogue
    assert catalogue.faults[0].in_force is None
    (state,) = [each for each in catalogue.states if each.name == "bent"]
    assert state.format is None


def test_a_file_replaces_the_format_of_its_name_that_ships_while_it_is_sound(home: Home) -> None:
    shipped = load_national_formats()["customs-xml"]
    own = home.path / "formats" / "customs-xml.yaml"
    own.parent.mkdir()
    own.write_text(SOUND.replace("format: bent", "format: customs-xml"), encoding="utf-8")
    catalogue = home.open()
    assert catalogue["customs-xml"].version == "1"
    assert len(catalogue) == len(load_national_formats())
    own.write_text(WRONG, encoding="utf-8")
    assert catalogue["customs-xml"].sha256 != shipped.sha256
    own.unlink()
    assert catalogue["customs-xml"] is shipped


def test_an_editor_that_moves_the_file_away_first_leaves_the_old_version_in_force(
    home: Home,
) -> None:
    home.write(SOUND)
    catalogue = home.open()
    assert "bent" in catalogue
    home.file.rename(home.file.with_suffix(".yaml~"))
    assert "bent" not in catalogue
    home.write(WRONG, "2")
    assert catalogue["bent"].version == "1"
    assert catalogue.faults[0].in_force == catalogue["bent"].mark


def test_a_folder_that_cannot_be_looked_into_for_a_while_changes_nothing(home: Home) -> None:
    home.write(SOUND)
    catalogue = home.open()
    before = catalogue["bent"]
    aside = home.file.parent.rename(home.path / "aside")
    home.file.parent.write_text("a mount point that is not mounted")
    assert catalogue["bent"] is before
    home.file.parent.unlink()
    aside.rename(home.file.parent)
    assert catalogue["bent"] is before
    assert home.news == []


def test_a_home_that_cannot_be_written_still_takes_new_formats(home: Home) -> None:
    home.write(SOUND)
    (home.path / "run").write_text("no folder")
    assert home.open()["bent"].version == "1"


def test_an_unreadable_file_is_a_fault_with_a_remedy(home: Home) -> None:
    home.write(SOUND)
    catalogue = home.open()
    assert "bent" in catalogue
    home.file.unlink()
    home.file.symlink_to(home.path)
    assert catalogue["bent"].version == "1"
    assert "cannot be read" in catalogue.faults[0].mistakes[0].problem


def test_what_was_handed_out_stays_what_it_was(home: Home) -> None:
    home.write(SOUND)
    catalogue = home.open()
    before = catalogue["bent"]
    home.write(SOUND, "2")
    assert catalogue["bent"].mark != before.mark
    assert before.version == "1"


def test_an_editors_half_written_file_is_no_format(home: Home) -> None:
    home.write(SOUND)
    (home.file.parent / ".bent.yaml.swp").write_text("x")
    (home.file.parent / ".hidden.yaml").write_text("x")
    (home.file.parent / "bent.yaml~").write_text("x")
    assert home.open().faults == ()
