"""xmlschema: validates the standard document, schema compiled once."""

import sys
from pathlib import Path
from xml.etree import ElementTree

import xmlschema
from loop import serve

FOLDER, SCHEMA = Path(sys.argv[1]), sys.argv[2]
DOCUMENT = (FOLDER / "document.xml").read_bytes()
COMPILED = xmlschema.XMLSchema10(SCHEMA, allow="local")


def validate():
    """Parse and validate; refuse to measure a document that is not valid."""
    if not COMPILED.is_valid(ElementTree.fromstring(DOCUMENT)):
        raise ValueError("xmlschema finds the standard document invalid")


serve({"validate": validate})
