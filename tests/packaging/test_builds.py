"""What is published: a source distribution that builds with a C compiler and without, and a wheel that works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from native_build import compiler
from test_metadata import assert_fit_to_publish

import poolware

pytest.importorskip("setuptools", "77", reason="setuptools, which builds it, is not installed")

ROOT = Path(__file__).parents[2]
NATIVE = ROOT / "src" / "poolware" / "_core" / "native"
LEFT_OUT = shutil.ignore_patterns(".*", "*.so", "*.egg-info", "__pycache__", "build", "dist", "docs", "integrations")
NO_COMPILER = {"CC": "/nonexistent/cc", "CXX": "/nonexistent/cc"}
SAYS = "from poolware import ObjectPool; from poolware._core.core import CORE; print(CORE, ObjectPool.__module__)"


def ran(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "POOLWARE_CORE", "POOLWARE_BUILD"}
    }
    return subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env=env | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def built(what: str, tree: Path, into: Path, **environment: str) -> tuple[Path, str]:
    """Have the build backend make `what`, as `python -m build --no-isolation` does; return it and all that was said."""
    program = f"from setuptools import build_meta; build_meta.build_{what}({str(into)!r})"
    run = ran(sys.executable, "-c", program, cwd=tree, **environment)
    assert run.returncode == 0, run.stdout
    (made,) = into.iterdir()
    return made, run.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    tree = tmp_path_factory.mktemp("tree") / "poolware"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
    return built("sdist", tree, tmp_path_factory.mktemp("sdist"), POOLWARE_BUILD="python")[0]  # as `make dist` does


@pytest.fixture(scope="module")
def unpacked(sdist, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    return tree


@pytest.fixture(scope="module")
def wheel(unpacked, tmp_path_factory):
    if compiler() is None:
        pytest.skip("there is no C compiler")
    tree = tmp_path_factory.mktemp("with") / "tree"
    shutil.copytree(unpacked, tree)
    return built("wheel", tree, tmp_path_factory.mktemp("wheel"))[0]


@pytest.fixture(scope="module")
def plain_wheel(unpacked, tmp_path_factory):
    tree = tmp_path_factory.mktemp("without") / "tree"
    shutil.copytree(unpacked, tree)
    return built("wheel", tree, tmp_path_factory.mktemp("plain"), **NO_COMPILER)


def installed(wheel: Path, folder: Path) -> Path:
    """Return the interpreter of a new environment with the wheel, and nothing else, in it."""
    assert ran(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent).returncode == 0
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = ("-m", "pip", "--disable-pip-version-check", "--python", python)
    run = ran(sys.executable, *pip, "install", "--no-index", "--no-deps", wheel, cwd=folder)
    assert run.returncode == 0, run.stdout
    return python


def extensions(wheel: Path) -> list[str]:
    return [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith((".so", ".pyd"))]


def test_the_sources_are_complete(unpacked):
    """C text, headers and what tells them apart from Python; nothing that was built."""
    files = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    native = {str(path.relative_to(ROOT)) for path in (*NATIVE.glob("*.c"), *NATIVE.glob("*.h"))}
    assert len(native) >= 5
    assert native <= files
    assert {"setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE", "README.md", "CHANGELOG.md"} <= files
    assert {"src/poolware/py.typed", "src/poolware/_core/compiled.pyi"} <= files
    assert not [name for name in files if name.endswith((".so", ".pyd", ".o", ".pyc"))]


def test_a_wheel_has_the_extension_and_not_its_text(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert [name.partition(".")[0] for name in extensions(wheel)] == ["poolware/_core/compiled"]
    assert {"poolware/py.typed", "poolware/_core/compiled.pyi"} <= {*names}
    assert {"poolware/observe/grafana.json", "poolware/observe/prometheus.rules.yml"} <= {*names}
    assert {f"poolware/web/dashboard/page.{kind}" for kind in ("css", "html", "js")} <= {*names}
    assert not [name for name in names if "/native/" in name or name.endswith((".c", ".h")) or "tests" in name]
    assert_fit_to_publish(wheel)


def test_the_compiled_core_works_from_a_wheel(wheel, tmp_path):
    python = installed(wheel, tmp_path / "venv")
    assert ran(python, "-c", SAYS, cwd=tmp_path, POOLWARE_CORE="compiled").stdout.split()[0] == "compiled"
    assert ran(python, "-c", SAYS, cwd=tmp_path).stdout.split()[0] == "compiled"


def test_the_command_says_what_it_needs(wheel, tmp_path):
    """The distribution alone has no third-party dependency, and so no command line either."""
    python = installed(wheel, tmp_path / "venv")
    said = ran(python.with_name("poolware"), cwd=tmp_path)
    assert (said.returncode, said.stdout) == (2, "poolware: the command needs click: pip install 'poolware[cli]'\n")
    said = ran(python.with_name("poolware"), cwd=tmp_path, POOLWARE_MODE="wrong")
    assert (said.returncode, said.stdout) == (2, "poolware: POOLWARE_MODE='wrong': it takes 'on', 'off' or 'debug'\n")


def test_without_a_compiler_the_build_says_so_and_succeeds(plain_wheel):
    wheel, said = plain_wheel
    assert extensions(wheel) == []
    assert 'building extension "poolware._core.compiled" failed' in said


def test_a_wheel_for_every_interpreter_can_be_asked_for(unpacked, tmp_path):
    shutil.copytree(unpacked, tmp_path / "tree")
    (tmp_path / "wheel").mkdir()
    wheel, _ = built("wheel", tmp_path / "tree", tmp_path / "wheel", POOLWARE_BUILD="python")
    assert wheel.name == f"poolware-{poolware.__version__}-py3-none-any.whl"
    assert extensions(wheel) == []


def test_a_wheel_that_has_to_be_compiled_fails_without_a_compiler(unpacked, tmp_path):
    """Published as compiled, it would be taken for it."""
    shutil.copytree(unpacked, tmp_path / "tree")
    program = "from setuptools import build_meta; build_meta.build_wheel('.')"
    run = ran(sys.executable, "-c", program, cwd=tmp_path / "tree", POOLWARE_BUILD="compiled", **NO_COMPILER)
    assert run.returncode == 1
    run = ran(sys.executable, "-c", program, cwd=tmp_path / "tree", POOLWARE_BUILD="fast")
    assert run.stdout.splitlines()[-1].startswith("POOLWARE_BUILD='fast': it takes 'compiled', 'python', or nothing")


def test_without_a_compiler_the_plain_twin_works(plain_wheel, tmp_path):
    python = installed(plain_wheel[0], tmp_path / "venv")
    assert ran(python, "-c", SAYS, cwd=tmp_path).stdout.split()[0] == "python"
    forced = ran(python, "-c", SAYS, cwd=tmp_path, POOLWARE_CORE="compiled")
    assert forced.returncode == 1
    assert "ConfigurationError: POOLWARE_CORE=compiled: there is none here" in forced.stdout
    assert "install poolware where there is a C compiler" in forced.stdout.splitlines()[-1]
