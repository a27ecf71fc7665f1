"""The compiled core, built with the local compiler into a temporary copy of the package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
NATIVE = Path("poolware", "_core", "native")
MODULE = Path("poolware", "_core", "compiled" + (sysconfig.get_config_var("EXT_SUFFIX") or ".so"))


def compiler() -> str | None:
    """The compiler that a build would use, if it is there."""
    return shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0]) or shutil.which("cc")


def copied(folder: Path) -> Path:
    """Copy the package to `folder`, without what was built; return the folder of its C text."""
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "*.egg-info"))
    return folder / NATIVE


def build(folder: Path, *options: str) -> None:
    """Compile the C text in `folder`, a copy, to the module that is imported from there."""
    cc = compiler()
    assert cc is not None
    paths = sysconfig.get_paths()
    include = [f"-I{paths[name]}" for name in ("include", "platinclude")]
    texts = sorted((folder / NATIVE).glob("*.c"))
    command = [cc, "-shared", "-fPIC", "-fwrapv", *options, *include, *map(str, texts), "-o", str(folder / MODULE)]
    subprocess.run(command, check=True, capture_output=True)


def environment(folder: Path) -> dict[str, str]:
    """Of a process that uses the copy in `folder`, on its compiled core."""
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "POOLWARE_CORE": "compiled", "PYTHONDONTWRITEBYTECODE": "1"}
