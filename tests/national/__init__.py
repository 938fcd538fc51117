"""Tests of national formats and of the demonstration consignments."""
