"""Granian's command line with the app imported before its workers are forked, as ``--preload`` does for gunicorn."""

import importlib
import sys

from granian.cli import cli

if __name__ == "__main__":
    importlib.import_module(sys.argv[-1].partition(":")[0])
    cli()
