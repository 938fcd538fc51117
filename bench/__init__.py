"""Measures this machine and the gateway on it: ``make bench`` or ``python -m bench``.

``harness`` has the rounds and the arithmetic, ``report`` the table and the files, ``material``
what is measured upon; every other module registers measures.
"""
