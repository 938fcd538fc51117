"""Silence: what gateways log of single messages belongs neither on the terminal nor in a pipe."""

from __future__ import annotations

import logging
import os

import structlog


def quiet() -> None:
    """Let only errors be logged, and let every gateway have a database of its own."""
    os.environ.pop("ECO_STORE_URL", None)
    logging.basicConfig(level=logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
