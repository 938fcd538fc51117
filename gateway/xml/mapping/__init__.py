"""The mapping engine: one table for each message says what every field is in XML.

A table (``mappings/*.yaml``) is loaded, checked against document model and message schema, and
compiled into a writer, its mirror image, and a reader of every other spelling.  How tables are
written: docs/messages.md.
"""

from gateway.xml.mapping.placing import Placed, placed
from gateway.xml.mapping.rows import Row, RowKind
from gateway.xml.mapping.table import MappingTable, load_tables

__all__ = ["MappingTable", "Placed", "Row", "RowKind", "load_tables", "placed"]
