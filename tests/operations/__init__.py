"""Tests of health, metrics, alerts, expiry, outages, doctor and support."""
