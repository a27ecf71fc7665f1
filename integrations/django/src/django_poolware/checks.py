"""System checks: what ``manage.py check`` says about the settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name

from django_poolware.conf import SettingsError, options
from poolware import ConfigurationError, Lifecycle

__all__ = ["check_settings"]

MIDDLEWARE = "django_poolware.middleware.PoolwareMiddleware"


def check_settings(**_kwargs: Any) -> list[CheckMessage]:
    """Check ``POOLWARE`` (E001, E002) and the place of the middleware (W001, W002)."""
    return [*_check_options(), *_check_middleware()]


def _check_options() -> list[CheckMessage]:
    try:
        Lifecycle(**options())
    except SettingsError as error:
        return [Error(str(error), id="poolware.E001")]
    except ConfigurationError as error:
        return [Error(f"POOLWARE: {error}", id="poolware.E002")]
    return []


def _check_middleware() -> list[CheckMessage]:
    middleware = list(settings.MIDDLEWARE)
    if MIDDLEWARE not in middleware:
        return [
            Warning(
                "django_poolware is installed but its middleware is not in MIDDLEWARE: no request has a ctx.",
                hint=f"MIDDLEWARE = [{MIDDLEWARE!r}, *MIDDLEWARE]",
                id="poolware.W001",
            )
        ]
    if middleware[0] != MIDDLEWARE:
        return [
            Warning(
                f"{MIDDLEWARE} is not the first middleware: those before it have no request.ctx.",
                hint="Put it first.",
                id="poolware.W002",
            )
        ]
    return []
