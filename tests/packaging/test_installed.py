"""`make install-check`: what is in dist/, installed as users install it, where there is no compiler and no checkout."""

from __future__ import annotations

import email
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from distributions import FOLDERS, ROOT
from native_build import compiler

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DIST = ROOT / "dist"
WHEELS = sorted(DIST.glob("*.whl"))
SDIST = next(DIST.glob("poolware-[0-9]*.tar.gz"), None)
FOUND = (f"--find-links={DIST}", f"--find-links={DIST / 'compiled'}")
SAYS = """
import logging; logging.basicConfig(level=logging.INFO)
from poolware import ObjectPool; from poolware._core.core import CORE
ObjectPool(bytearray, reset=bytearray.clear); print("core:", CORE)
"""
PLAIN = "INFO:poolware:the core is plain Python: the compiled one was not built here"
SERVERS = {
    "starlette": ("uvicorn", "starlette_app:app", "--port=0"),
    "fastapi": ("uvicorn", "fastapi_app:app", "--port=0"),
    "flask": ("flask", "--app=flask_app", "run", "--port=0"),
    "django": ("uvicorn", "django_app:app", "--port=0"),
}
"""The applications of examples/, for each framework, and how each is served."""


class Installation:
    """A new virtual environment, in a folder that has nothing else."""

    def __init__(self, folder: Path, *, can_compile: bool = False) -> None:
        self.folder = folder
        self.python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "POOLWARE"))}
        self.env = kept | {"PIP_NO_CACHE_DIR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUNBUFFERED": "1"}
        if not can_compile:
            self.env |= {"CC": "/bin/false", "CXX": "/bin/false", "PATH": str(self.python.parent)}
        self.run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")

    def run(self, *command: str | Path) -> str:
        run = subprocess.run(
            [*map(str, command)],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout
        return run.stdout

    def pip(self, *arguments: str | Path) -> str:
        return self.run(sys.executable, "-m", "pip", "--python", self.python, *arguments)

    def says(self) -> str:
        return self.run(self.python, "-c", SAYS)

    @contextmanager
    def serving(self, module: str, *arguments: str) -> Iterator[str]:
        """Run a server on a free port; yield its address."""
        command = [str(self.python), "-m", module, *arguments]
        with subprocess.Popen(
            command, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as server:
            try:
                assert server.stdout is not None
                lines = iter(server.stdout)
                yield next(found[0] for line in lines if (found := re.findall(r"http://127\.0\.0\.1:\d+", line)))
            finally:
                server.terminate()


def metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def package(wheel: Path) -> str:
    return wheel.name.partition("-")[0]


def test_everything_is_there():
    """`make dist` has made a source distribution and one wheel of each, for every interpreter and platform."""
    assert len(WHEELS) == len([*DIST.glob("*.tar.gz")]) == len(FOLDERS)
    assert all(wheel.name.endswith("-py3-none-any.whl") for wheel in WHEELS)


@pytest.mark.parametrize("wheel", WHEELS, ids=package)
def test_each_installs_alone(wheel, tmp_path):
    """With what it asks for, and nothing of what it does not."""
    there = Installation(tmp_path)
    there.pip("install", "--only-binary=:all:", *FOUND, wheel)
    there.pip("check")
    there.run(there.python, "-c", f"import {package(wheel)}")
    names = {each["name"] for each in json.loads(there.pip("list", "--format=json"))}
    ours = {name for name in names if "poolware" in name}
    assert ours == {"poolware", metadata(wheel)["Name"]}
    if package(wheel) == "poolware":
        assert names == {"poolware"}


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """`pip install dist/*.whl`, and what the examples need."""
    there = Installation(tmp_path_factory.mktemp("everything"))
    there.pip("install", "--only-binary=:all:", *WHEELS, "fastapi", "uvicorn", "zstandard")
    there.pip("check")
    for name in SERVERS:
        shutil.copy(ROOT / "examples" / f"{name}_app.py", there.folder)
    return there


@pytest.mark.parametrize("framework", SERVERS)
def test_each_framework_works_from_the_wheels(everything, framework):
    """Two visitors and an upload, on a real server: nobody sees the other's context."""
    assert "core: python" in everything.says()
    with everything.serving(*SERVERS[framework]) as address:
        for user in ("ada", "bob"):
            with urllib.request.urlopen(f"{address}/profile?user={user}") as answer:
                profile = json.load(answer)
            assert (profile["user"], profile["tenant"], profile["roles"]) == (user, "acme", ["reader"])
        with urllib.request.urlopen(f"{address}/upload", data=b"spam" * 1000) as answer:
            assert json.load(answer)["size"] == 4000


def test_the_sources_install_without_a_compiler(tmp_path):
    """The plain twin takes over, and says so: in the build and in the log."""
    there = Installation(tmp_path)
    said = there.pip("install", "--verbose", SDIST)
    assert 'building extension "poolware._core.compiled" failed' in said
    assert tuple(there.says().splitlines()) == (PLAIN, "core: python")


@pytest.mark.skipif(compiler() is None, reason="there is no C compiler")
def test_the_sources_are_compiled_where_there_is_a_compiler(tmp_path):
    there = Installation(tmp_path, can_compile=True)
    there.pip("install", "--no-binary=poolware,flask-poolware", "--find-links", DIST, "poolware[flask]")
    assert there.says().splitlines() == ["core: compiled"]
    there.run(there.python, "-c", "import flask_poolware")


@pytest.mark.skipif(compiler() is None, reason="there is no C compiler")
def test_pip_takes_the_compiled_wheel_where_it_fits(tmp_path):
    """And the plain one for any other interpreter or platform."""
    there = Installation(tmp_path)
    there.pip("install", "--no-index", *FOUND, "poolware")
    assert there.says().splitlines() == ["core: compiled"]
    for other in ("--python-version=3.99", "--platform=win_amd64"):
        folder = tmp_path / other
        there.pip(
            "download", "--no-index", "--no-deps", "--only-binary=:all:", other, "--dest", folder, *FOUND, "poolware"
        )
        assert [wheel.name.partition("-py3-")[2] for wheel in folder.iterdir()] == ["none-any.whl"]
