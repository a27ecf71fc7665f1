"""poolware for Django."""

from django_poolware.body import read_body
from django_poolware.conf import SettingsError, lifecycle

__all__ = ["SettingsError", "lifecycle", "read_body"]
