"""The Django app: registers the system checks."""

from django.apps import AppConfig
from django.core.checks import register

from django_poolware.checks import check_settings

__all__ = ["PoolwareConfig"]


class PoolwareConfig(AppConfig):
    """``INSTALLED_APPS += ["django_poolware"]``."""

    name = "django_poolware"

    def ready(self) -> None:
        """Register the system checks."""
        register(check_settings)
