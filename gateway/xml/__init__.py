"""XML: hardened parsing, table-driven mapping, schema validation; no trust and no transport."""
