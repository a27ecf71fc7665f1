"""The setting ``POOLWARE``, read once."""

from __future__ import annotations

import functools
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from poolware import BufferPool, ConfigurationError, ImportPathError, Lifecycle, RequestContext, UnknownOption

__all__ = ["SettingsError", "lifecycle", "options"]

_KNOWN = {
    "CONTEXT": "context",
    "BUFFERS": "buffers",
    "PREWARM": "prewarm",
    "MAX_IDLE": "max_idle",
    "MAX_QUARANTINE": "max_quarantine",
    "LEAK_DETECTION": "leak_detection",
    "HOLD_LIMIT": "hold_limit",
    "AMBIENT": "ambient",
}
_IMPORTED: dict[str, type] = {"CONTEXT": RequestContext, "BUFFERS": BufferPool}


class SettingsError(ConfigurationError, ImproperlyConfigured):
    """The setting ``POOLWARE`` is wrong."""


@functools.cache
def lifecycle() -> Lifecycle[Any]:
    """Return the project's `Lifecycle`, made from ``settings.POOLWARE`` on first use.

    Raises:
        SettingsError: the setting is wrong; ``manage.py check`` says so earlier.
    """
    return Lifecycle(**options())


def options() -> dict[str, Any]:
    """Return the setting as options of `Lifecycle`, dotted paths imported.

    Raises:
        SettingsError: it is no dict, has an unknown key, or a path that leads nowhere.
    """
    given = getattr(settings, "POOLWARE", {})
    if not isinstance(given, dict):
        msg = f"POOLWARE={given!r}: it takes a dict with the keys {', '.join(_KNOWN)}"
        raise SettingsError(msg)
    unknown = [key for key in given if key not in _KNOWN]
    try:
        if unknown:
            msg = f"POOLWARE has no key {unknown[0]!r}; it takes {', '.join(_KNOWN)}"
            raise UnknownOption(msg)
        return {_KNOWN[key]: _imported(key, value) for key, value in given.items()}
    except ConfigurationError as error:
        raise SettingsError(str(error)) from error


def _imported(key: str, value: Any) -> Any:
    expected = _IMPORTED.get(key)
    if expected is None or not isinstance(value, str):
        return value
    try:
        return import_string(value)
    except ImportError as error:
        msg = f"POOLWARE[{key!r}]={value!r}: {error}. It takes the dotted path of a {expected.__name__}"
        raise ImportPathError(msg) from error


def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting == "POOLWARE":
        lifecycle.cache_clear()


setting_changed.connect(_forget)
