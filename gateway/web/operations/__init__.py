"""The operator's entrance: health and metrics over plain HTTP, on loopback by default."""

from gateway.web.operations.app import create_operations_app

__all__ = ["create_operations_app"]
