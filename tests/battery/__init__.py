"""Faults of the wire between two real gateways: a bad line, and a peer's address that lies."""
