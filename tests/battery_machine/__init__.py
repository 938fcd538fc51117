"""Faults of the machine under two gateways that work: disk, database, clock, keys, processes."""
