"""Tests of the two pipelines: two whole gateways, joined by a wire that tests can bend."""
