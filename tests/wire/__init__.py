"""Tests of the wire: envelope, transports, the peers' entrance and its server."""
