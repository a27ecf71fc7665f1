"""What is published of poolware-compare: all of it, also what is no Python."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="hatchling, which builds it, is not installed")

PROJECT = Path(__file__).parents[2] / "loadtests"


def built(what: str, tree: Path, into: Path) -> Path:
    """Have the build backend make `what`, as `python -m build --no-isolation` does; return it."""
    program = f"from hatchling import build; build.build_{what}({str(into)!r})"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", program], cwd=tree, env=environment, check=True, stdout=subprocess.DEVNULL)
    (made,) = into.iterdir()
    return made


def test_the_wheel_of_the_source_distribution_is_complete(tmp_path):
    """Applications, Locust files and the report's template are found in the package, and not in the checkout."""
    for folder in ("sdist", "unpacked", "wheel"):
        (tmp_path / folder).mkdir()
    with tarfile.open(built("sdist", PROJECT, tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (tree,) = (tmp_path / "unpacked").iterdir()
    assert (tree / "LICENSE").exists()
    wheel = zipfile.ZipFile(built("wheel", tree, tmp_path / "wheel"))
    source = PROJECT / "src"
    wanted = {
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"poolware_compare/report/page.html", "poolware_compare/py.typed"} <= wanted
    found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert found == wanted
    (points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "[poolware.commands]\ncompare = poolware_compare.cli:compare" in wheel.read(points).decode()
