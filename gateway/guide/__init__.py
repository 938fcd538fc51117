"""The message implementation guide: made from schemas, mapping tables, code lists and rules."""
