"""What every server is told to serve: the application that the environment names, with a probe beside it.

The indirection puts the probe into each worker process, whichever way the server starts it.
"""

import importlib
import os
from pathlib import Path
from typing import Any

from poolware_compare import probe

DIRECTORY = "POOLWARE_COMPARE_DIRECTORY"
"""The environment variable with the directory that the application must come from, if that matters."""
APP = "POOLWARE_COMPARE_APP"
"""The environment variable with MODULE:APP."""


def load(path: str) -> Any:
    """Return what an import path such as `shop.main:app` leads to."""
    module, _, names = path.partition(":")
    found: Any = importlib.import_module(module)
    wanted = os.environ.get(DIRECTORY)
    if wanted is not None and not Path(str(found.__file__)).resolve().is_relative_to(Path(wanted).resolve()):
        msg = f"{module} comes from {found.__file__}, which is not of the revision in {wanted}: is it installed?"
        raise ImportError(msg)
    for name in names.split("."):
        found = getattr(found, name)
    return found


if APP in os.environ:
    app: Any = load(os.environ[APP])
    probe.start()
