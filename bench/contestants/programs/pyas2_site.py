"""A Django site with nothing but django-pyas2: its settings, addresses and WSGI application."""

import os
import secrets
from pathlib import Path

FOLDER = Path(os.environ["BENCH_FOLDER"]) / os.environ["BENCH_ROLE"]
SECRET_KEY = secrets.token_hex(32)
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = __name__
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "pyas2"]
MIDDLEWARE = []
MEDIA_ROOT = str(FOLDER / "media")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(FOLDER / "pyas2.db"),
        "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"},
    }
}
LOGGING_CONFIG = None


def __getattr__(name):
    """Give addresses and application when they are asked for: Django must be set up by then."""
    if name == "urlpatterns":
        from django.urls import include, path

        return [path("pyas2/", include("pyas2.urls"))]
    if name == "application":
        from django.core.wsgi import get_wsgi_application

        return get_wsgi_application()
    raise AttributeError(name)
