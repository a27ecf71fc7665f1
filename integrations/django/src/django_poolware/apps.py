"""The Django app: registers the system checks, and gives requests their ``ctx``."""

from django.apps import AppConfig
from django.core.checks import register
from django.http import HttpRequest

from django_poolware.checks import check_settings
from poolware.web.accessor import install

__all__ = ["PoolwareConfig"]


class PoolwareConfig(AppConfig):
    """``INSTALLED_APPS += ["django_poolware"]``."""

    name = "django_poolware"

    def ready(self) -> None:
        """Register the system checks; give requests their ``ctx``, as tests may make some before any middleware."""
        register(check_settings)
        install(HttpRequest)
