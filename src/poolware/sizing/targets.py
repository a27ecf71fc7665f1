"""Objects by their import path, as on a command line."""

from __future__ import annotations

import importlib
import operator
import os
import sys
from collections.abc import Callable
from typing import Any

from poolware.errors import ImportPathError

__all__ = ["load", "load_function"]


def load(path: str) -> Any:
    """Return what ``module:name`` leads to; ``name`` may have dots. Modules of the working directory are found.

    Raises:
        ImportPathError: there is no such module or name, or importing it failed.
    """
    module_name, colon, name = path.partition(":")
    if not (module_name and colon and name) or module_name.startswith("."):
        msg = f"{path!r}: it takes module:name, such as shop.context:AppContext"
        raise ImportPathError(msg)
    if os.getcwd() not in sys.path:  # noqa: PTH109 - as the interpreter itself would put it there
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        msg = f"{path!r}: there is no module {error.name!r}; run it where Python finds the module, or mend its name"
        raise ImportPathError(msg) from error
    except (Exception, SystemExit) as error:
        msg = f"{path!r}: importing {module_name} failed: {type(error).__name__}: {error}"
        raise ImportPathError(msg) from error
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except Exception as error:
            msg = f"{path!r}: {module_name} has no {name}; mend its name"
            raise ImportPathError(msg) from error
    return found


def load_function(path: str) -> Callable[[Any], object]:
    """Return the function that ``module:name`` leads to, or one that calls the method ``.name`` of its argument.

    Raises:
        ImportPathError: as `load`, or what it leads to cannot be called.
    """
    if path.startswith("."):
        if not path[1:].isidentifier():
            msg = f"{path!r}: it takes module:function, or .method such as .clear"
            raise ImportPathError(msg)
        return operator.methodcaller(path[1:])
    found = load(path)
    if not callable(found):
        msg = f"{path!r} is a {type(found).__name__}; it takes a function of one argument"
        raise ImportPathError(msg)
    return found  # type: ignore[no-any-return]
