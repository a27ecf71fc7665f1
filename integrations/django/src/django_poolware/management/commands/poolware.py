"""``manage.py poolware``: the pools of this machine's workers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from poolware import ConfigurationError
from poolware.observe.text import report

__all__ = ["Command"]


class Command(BaseCommand):
    """Shows the pools of this machine's workers, as they publish them."""

    help: str = "Show the pools of this machine's workers, as they publish them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what it takes."""
        parser.add_argument("--directory", help="where the workers publish; POOLWARE_SHARED_DIR by default")
        parser.add_argument("--json", action="store_true", help="print what each worker says, as JSON")

    def handle(self, *_args: Any, directory: str | None, json: bool, **_options: Any) -> None:
        """Print them."""
        try:
            self.stdout.write(report(directory, as_json=json))
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
