"""Runs the command line: ``python -m gateway`` is ``eco``."""

from gateway.cli import main

main()
