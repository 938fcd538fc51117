"""The entrance of the national side: REST under ``/api/v1``, described by its own OpenAPI.

``table`` names every address once; the app, the interface description and its page are made
from it.  Who may do what is decided behind the counter (``gateway.services``).
"""

from gateway.web.api.app import ApiSettings, create_api_app
from gateway.web.api.openapi import describe
from gateway.web.api.table import ROUTES

__all__ = ["ROUTES", "ApiSettings", "create_api_app", "describe"]
