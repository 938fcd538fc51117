"""The calls of the interface and their answers; written by ``make docs``."""
