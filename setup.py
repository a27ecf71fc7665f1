"""The compiled core: an extension that may be missing. All else is in pyproject.toml."""

from pathlib import Path

from setuptools import Extension, setup

NATIVE = Path("src/poolware/_core/native")

setup(
    ext_modules=[
        Extension(
            "poolware._core.compiled",
            sources=sorted(str(path) for path in NATIVE.glob("*.c")),
            depends=sorted(str(path) for path in NATIVE.glob("*.h")),
            optional=True,  # without a C compiler the plain twin does the same
        )
    ]
)
