"""The command line ``eco``: thin commands over the same functions that the listeners use."""

from gateway.cli.main import main

__all__ = ["main"]
