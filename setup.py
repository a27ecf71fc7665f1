"""The compiled core: an extension that may be missing. All else is in pyproject.toml."""

import os
from pathlib import Path

from setuptools import Extension, setup

NATIVE = Path("src/poolware/_core/native")
VARIABLE = "POOLWARE_BUILD"

build = os.environ.get(VARIABLE, "")
if build not in {"", "compiled", "python"}:
    msg = f"{VARIABLE}={build!r}: it takes 'compiled', 'python', or nothing for compiled where there is a compiler"
    raise SystemExit(msg)

extension = Extension(
    "poolware._core.compiled",
    sources=sorted(str(path) for path in NATIVE.glob("*.c")),
    depends=sorted(str(path) for path in NATIVE.glob("*.h")),
    optional=build != "compiled",  # without a C compiler the plain twin does the same
)
setup(ext_modules=[] if build == "python" else [extension])
