"""What ``poolware doctor`` looks at."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Literal

import poolware
from poolware._core.core import CORE
from poolware._core.mode import Mode, current_mode
from poolware._core.proof import REUSE_REFUSED

__all__ = ["Finding", "examine"]

Verdict = Literal["fine", "hint", "wrong"]

_INTEGRATIONS = {
    "starlette": ("starlette-poolware", "starlette_poolware.init_app(app, context=…)"),
    "flask": ("flask-poolware", "flask_poolware.Poolware(app, context=…)"),
    "django": ("django-poolware", "django_poolware in INSTALLED_APPS"),
}
_SERVERS = ("uvicorn", "gunicorn", "granian", "hypercorn", "daphne", "waitress")
_EXTRAS = {"simulate": ("numpy", "matplotlib")}
_SLOWING = {
    "PYTHONTRACEMALLOC": "traces every allocation",
    "PYTHONMALLOC": "replaces or checks the allocator",
    "PYTHONDEVMODE": "turns on checks at run time",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    verdict: Verdict
    what: str
    found: str
    mend: str = ""
    """What to do about it; empty where nothing needs to be done."""


def examine() -> Iterator[Finding]:
    """Yield all that there is to say about this interpreter and what is installed."""
    yield _python()
    yield _version()
    yield _core()
    yield _reuse()
    yield _mode()
    for framework, (distribution, use) in _INTEGRATIONS.items():
        yield from _integration(framework, distribution, use)
    yield _servers()
    yield from _speedups()
    yield from _pytest_plugin()
    yield from _extras()
    yield from _slowed()


def _python() -> Finding:
    found = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    if sysconfig.get_config_var("Py_DEBUG"):
        return Finding("hint", "Python", f"{found}, a debug build", "measure on a release build")
    return Finding("fine", "Python", found)


def _version() -> Finding:
    found = f"{poolware.__version__} from {Path(poolware.__file__).parent}"
    installed = _installed("poolware")
    if installed is None:
        mend = "pip install it: without its metadata pytest does not find its fixtures"
        return Finding("hint", "poolware", f"{found}, not installed", mend)
    if installed != poolware.__version__:
        mend = f"version {installed} is installed elsewhere: look at PYTHONPATH, or install it again"
        return Finding("wrong", "poolware", found, mend)
    return Finding("fine", "poolware", found)


def _core() -> Finding:
    if CORE == "compiled":
        return Finding("fine", "core", "compiled")
    if os.environ.get("POOLWARE_CORE", "").strip().lower() == "python":
        return Finding("hint", "core", "plain Python: POOLWARE_CORE=python asks for it", "unset POOLWARE_CORE")
    again = "pip install --force-reinstall --no-deps --no-binary poolware poolware"
    if platform.python_implementation() != "CPython":
        return Finding("fine", "core", "plain Python: the compiled one is for CPython")
    compiler = shutil.which(os.environ.get("CC") or "cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler:
        return Finding("hint", "core", f"plain Python, though {compiler} is there", f"build it: {again}")
    return Finding("hint", "core", "plain Python: no C compiler was found", f"install one, then {again}")


def _reuse() -> Finding:
    if REUSE_REFUSED is None:
        return Finding("fine", "reuse", "possible")
    return Finding("wrong", "reuse", f"refused: {REUSE_REFUSED}", "run it on CPython 3.11 or newer, with its lock")


def _mode() -> Finding:
    mode = current_mode()
    if mode is Mode.OFF:
        return Finding("wrong", "mode", "off: nothing is reused", "unset POOLWARE_MODE, unless you are comparing")
    if mode is Mode.DEBUG:
        return Finding("wrong", "mode", "debug: slow, and nothing is reused", "unset POOLWARE_MODE outside of tests")
    return Finding("fine", "mode", "on")


def _integration(framework: str, distribution: str, use: str) -> Iterator[Finding]:
    there, integration = _installed(framework), _installed(distribution)
    if there is None and integration is None:
        return
    found = f"{framework} {there or 'missing'}, {distribution} {integration or 'missing'}"
    if integration is None:
        yield Finding("hint", framework, found, f"pip install {distribution}, then {use}")
    elif there is None:
        yield Finding("wrong", framework, found, f"pip install {framework}")
    elif integration.rpartition(".")[0] != poolware.__version__.rpartition(".")[0]:
        yield Finding("wrong", framework, found, f"pip install '{distribution}=={poolware.__version__}'")
    else:
        yield Finding("fine", framework, found)


def _servers() -> Finding:
    found = [f"{name} {number}" for name in _SERVERS if (number := _installed(name))]
    if not found:
        return Finding("hint", "servers", "none", "pip install uvicorn (ASGI) or gunicorn (WSGI)")
    return Finding("fine", "servers", ", ".join(found))


def _speedups() -> Iterator[Finding]:
    missing = [name for name in ("uvloop", "httptools") if _installed(name) is None]
    if _installed("uvicorn") and missing and sys.platform != "win32":
        yield Finding("hint", "uvicorn", f"without {' and '.join(missing)}", "pip install 'uvicorn[standard]'")


def _pytest_plugin() -> Iterator[Finding]:
    if _installed("pytest") is None:
        return
    if "poolware" in entry_points(group="pytest11").names:
        yield Finding("fine", "pytest", "the fixture poolware_watch is there")
    else:
        yield Finding("hint", "pytest", "does not find poolware_watch", "pip install poolware into this environment")


def _extras() -> Iterator[Finding]:
    for extra, names in _EXTRAS.items():
        if missing := [name for name in names if _installed(name) is None]:
            mend = f"pip install 'poolware[{extra}]'"
            yield Finding("hint", extra, f"no {' and no '.join(missing)}: poolware size --simulate needs them", mend)


def _slowed() -> Iterator[Finding]:
    for variable, effect in _SLOWING.items():
        if os.environ.get(variable):
            yield Finding("hint", variable, f"is set: it {effect}", "unset it where speed matters")


def _installed(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
