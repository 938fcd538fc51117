"""The Flask app of the operator's entrance; it reads and changes nothing that matters.

| address | what |
|---|---|
| ``GET /health/live`` | this process answers |
| ``GET /health/ready`` | 200 or 503 with reasons and remedies; ``?language=fr`` words them |
| ``GET /metrics`` | everything Prometheus wants to know |
"""

from __future__ import annotations

import json
import threading
from typing import Any

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from gateway.documents.codes import Language
from gateway.operations import health, metrics
from gateway.operations.premises import Premises

log = structlog.get_logger(__name__)

_LANGUAGES = frozenset(language.value for language in Language)


def create_operations_app(premises: Premises) -> Flask:
    """Return the app that tells how the gateway on these premises is."""
    app = Flask("gateway.web.operations", static_folder=None)
    one_at_a_time = threading.Lock()

    @app.get("/health/live")
    def live() -> Response:
        return _json(health.live())

    @app.get("/health/ready")
    def ready() -> Response:
        asked = request.args.get("language", "en")
        found = health.readiness(premises)
        values = found.values(asked if asked in _LANGUAGES else "en")
        return _json(values, status=200 if found.ready else 503)

    @app.get("/metrics")
    def scrape() -> Response:
        with one_at_a_time:  # impatient scrapers must not add up
            return Response(metrics.scrape(premises), content_type=metrics.CONTENT_TYPE)

    app.register_error_handler(Exception, _failed)
    app.after_request(_harden)
    return app


def _json(values: Any, *, status: int = 200) -> Response:
    text = json.dumps(values, ensure_ascii=False)
    return Response(text, status=status, content_type="application/json")


def _failed(exc: Exception) -> Response:
    if isinstance(exc, HTTPException) and exc.code is not None:
        return _json({"status": exc.name}, status=exc.code)
    log.error("operations request failed", error=type(exc).__name__)
    return _json({"status": "failed"}, status=500)


def _harden(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
