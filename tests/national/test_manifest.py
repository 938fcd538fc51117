"""The manifest's placeholders and its own checks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from gateway.demo.manifest import expand, load_manifest
from gateway.errors import ConfigError

NOW = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("{{today}}", "2026-03-31"),
        ("{{today-3d}}", "2026-03-28"),
        ("{{today+1d:%d%m%Y}}", "01042026"),
        ("ZM-{{today-1d:%Y%m%d}}-000101", "ZM-20260330-000101"),
        ("{{today+12mo}}", "2027-03-31"),
        ("{{today-1mo}}", "2026-02-28"),
        ("{{today-1d+12mo:%d/%m/%Y}}", "30/03/2027"),
        ("{{now-1h:%H:%M}}", "22:30"),
        ("{{now}}", "2026-03-31T23:30+00:00"),
        ("{{yesterday}} {{today*2}} {today}", "{{yesterday}} {{today*2}} {today}"),
    ],
)
def test_placeholders_become_dates(text: str, expanded: str) -> None:
    assert expand(text, NOW) == expanded


def test_placeholders_count_in_utc() -> None:
    nairobi = timezone(timedelta(hours=3))
    assert expand("{{today}}", datetime(2026, 4, 1, 2, 30, tzinfo=nairobi)) == "2026-03-31"


ENTRY = """
edition: 1
consignments:
- id: one-entry
  file: one.json
  format: canonical-json
  sender: ZM
  receiver: KE
  serial: ZM-1
  story: {en: a, fr: b, ar: c}
  submission: {accepted: true}
  verdict: ACCEPTED
"""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("  verdict: ACCEPTED\n", "", "gets a verdict"),
        ("accepted: true", "accepted: true, colour: red", "colour"),
        ("edition: 1", "edition: one", "edition"),
        ("  verdict: ACCEPTED\n", "  verdict: ACCEPTED\n  after: nothing-known\n", "comes before"),
        (
            "  verdict: ACCEPTED\n",
            "  verdict: ACCEPTED\n  outcome: {status: FULL}\n",
            "actions have an outcome",
        ),
        (
            "  verdict: ACCEPTED\n",
            "  verdict: ACCEPTED\n  outcome: {status: FULL}\n  actions: [{status: FULL, office: KE-1}]\n",
            "items are for PARTIAL and FULL",
        ),
        (
            "  verdict: ACCEPTED\n",
            "  verdict: ACCEPTED\n  outcome: {status: REJECTED}\n  actions: [{status: REJECTED, office: KE-1}]\n",
            "needs a reason",
        ),
        (
            "  verdict: ACCEPTED\n",
            "  verdict: ACCEPTED\n  outcome: {status: FULL}\n  actions: [{status: FULL, office: KE-1, items: [{number: 1, quantity: '1', unit: KGM}]}]\n",
            "used by a declaration",
        ),
        ("- id: one-entry", "- id: [", "cannot be read"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(ENTRY.replace(old, new))
    with pytest.raises(ConfigError, match=r"manifest\.yaml") as caught:
        load_manifest(path)
    assert sentence in caught.value.detail


def test_an_entry_listed_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(ENTRY + ENTRY.partition("consignments:\n")[2])
    with pytest.raises(ConfigError, match="listed twice"):
        load_manifest(path)


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_manifest(tmp_path / "none.yaml")
