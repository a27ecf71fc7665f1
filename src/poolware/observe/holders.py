"""Who holds an object, in words."""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
import threading
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from poolware._core.proof import getrefcount
from poolware._core.state import attributes_of, state_of

__all__ = ["holders"]

_UNUSED_COPY = 3
"""The count of a frame's copy of its variables: the frame's, the reader's, and the call's that asks."""


def holders(obj: object, ignore: Iterable[object] = ()) -> list[str]:
    """Describe whatever refers to `obj`, a line each; `ignore` names objects that are known to.

    It looks at everything that the collector knows and at the frames of all threads: slow, for when something is wrong.
    References from C code, and from objects that the collector does not track, are not found.
    """
    ignored = {id(known) for known in ignore}
    found = set(_running(obj))
    for holder in gc.get_referrers(obj):  # a comprehension would be one more holder
        if id(holder) not in ignored:
            found.add(_describe(holder, obj))
    return sorted(found - {""})


def _running(obj: object) -> Iterator[str]:
    """Look into the frames that run now: until somebody asks for them, the collector does not know them."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    own = sys._getframe()
    for ident, innermost in sys._current_frames().items():
        frame: types.FrameType | None = own.f_back if ident == threading.get_ident() else innermost
        while frame is not None:
            for name in _variables(frame, obj):
                yield f"variable {name} of {_place(frame)} in thread {names.get(ident, ident)}"
            frame = frame.f_back


def _variables(frame: types.FrameType, obj: object) -> list[str]:
    if _is_own(frame):
        return []
    variables = frame.f_locals
    found = [name for name, value in variables.items() if value is obj]
    copied = sys.version_info < (3, 13) and frame.f_code.co_flags & inspect.CO_OPTIMIZED
    # The frame keeps its copy, and with it whatever its function lets go of; but a debugger or a caller of locals()
    # may be using it.
    if copied and frame.f_trace is None and getrefcount(variables) == _UNUSED_COPY:
        variables.clear()
    return found


def _describe(holder: Any, obj: object) -> str:
    """Say what `holder` is; empty for what is only looking."""
    match holder:
        case types.FrameType():
            line = f"the frame of {_place(holder)}, kept by a traceback or a debugger"
            return "" if _is_own(holder) else line
        case types.CoroutineType() | types.GeneratorType() | types.AsyncGeneratorType():
            line = f"{_name(holder)} {holder.__qualname__}, which has not ended"
            return "" if _is_own(_frame_of(holder)) else line
        case types.CellType():
            return f"closure of {', '.join(_functions_with(holder)) or 'a function'}"
        case dict():
            return _describe_dict(holder, _keys(holder, obj))
        case asyncio.Future():
            return f"{_name(holder)} {holder!r:.200}"
    keys = _keys(state_of(holder), obj)
    return f"attribute {keys} of a {_name(holder)}" if keys else f"a {_name(holder)}"


def _describe_dict(holder: dict[Any, Any], keys: str) -> str:
    owner = next((other for other in gc.get_referrers(holder) if attributes_of(other) is holder), None)
    if isinstance(owner, types.ModuleType):
        return f"variable {keys} of module {owner.__name__}"
    return f"a dict, under {keys or 'a key'}" if owner is None else f"attribute {keys} of a {_name(owner)}"


def _keys(entries: dict[Any, Any], obj: object) -> str:
    return ", ".join(str(key) for key, value in list(entries.items()) if value is obj)


def _frame_of(suspended: Any) -> types.FrameType | None:
    return next(
        (getattr(suspended, name) for name in ("cr_frame", "gi_frame", "ag_frame") if hasattr(suspended, name)), None
    )


def _functions_with(cell: types.CellType) -> list[str]:
    closures = [other for other in gc.get_referrers(cell) if isinstance(other, tuple)]
    functions = [other for closure in closures for other in gc.get_referrers(closure)]
    return sorted({function.__qualname__ for function in functions if isinstance(function, types.FunctionType)})


def _name(holder: object) -> str:
    return f"{type(holder).__module__}.{type(holder).__qualname__}".removeprefix("builtins.")


def _place(frame: types.FrameType) -> str:
    return f"{frame.f_code.co_qualname} ({Path(frame.f_code.co_filename).name}, line {frame.f_lineno})"


def _is_own(frame: types.FrameType | None) -> bool:
    return frame is not None and str(frame.f_globals.get("__name__")).startswith("poolware.")
