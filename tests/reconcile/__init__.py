"""Tests of reconciliation: two whole gateways whose books are damaged and heal."""
