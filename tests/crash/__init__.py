"""Killing, freezing and starving two gateways, and counting what is left afterwards."""
