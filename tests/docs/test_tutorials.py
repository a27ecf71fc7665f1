"""The tutorials, typed as they are written: what they show is what comes."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docs.terminals import UNTIL_STOPPED, Block, Terminal, blocks_of

from poolware.pools.objects import REUSE_REFUSED

ROOT = Path(__file__).parents[2]
PAGES = {path.stem: path.read_text() for path in sorted((ROOT / "docs" / "tutorials").glob("*.md"))}
NAMES = ["asgi-and-wsgi", "django", "fastapi", "flask", "starlette"]
QUICK = {"flask", "starlette"}  # the others take as long again: with the wheels, in `make tutorials`
INSTALLS = re.compile(r"^(?:python3 -m venv|\. \.venv/bin/activate|python -m pip install) ?(.*)\n", re.MULTILINE)
LEFT_OUT = shutil.ignore_patterns(".*", "*.so", "*.egg-info", "__pycache__", "build", "dist", "tests", "docs")

Reader = Callable[[str, Callable[[str], str], dict[str, str]], str]

pytestmark = [
    pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl"),
    pytest.mark.skipif(REUSE_REFUSED is not None, reason="nothing is reused on this interpreter"),
]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Do what a page says, in an empty directory; return all that its commands wrote."""
    terminals: dict[str, Terminal] = {}

    def read(page: str, change: Callable[[str], str], environment: dict[str, str]) -> str:
        shared = {"POOLWARE_SHARED_DIR": str(tmp_path / "shared"), "LC_ALL": "C.UTF-8"}
        everything, written, port = "", "", free_port()
        for block in blocks_of(page.replace("8000", str(port))):
            name = block.title.removesuffix(UNTIL_STOPPED)
            if block.language == "python":
                path = terminals["first terminal"].directory / block.title
                path.write_text(block.text)
            elif block.language == "sh":
                terminal = terminals.setdefault(name, Terminal(tmp_path, environment | shared))
                terminal.stop()
                if block.title.endswith(UNTIL_STOPPED):
                    terminal.serve(change(block.text), port)
                else:
                    written = terminal.type(change(block.text))
                    everything += written
            elif block.language == "text":
                compare(block, terminals.get(name), written)
        return everything

    yield read
    for terminal in terminals.values():
        terminal.stop()


def compare(block: Block, terminal: Terminal | None, written: str) -> None:
    """Compare what a page shows with what was `written`, or waits to be by the server of `terminal`; … is anything."""
    shown = re.compile(re.escape(trimmed(block.text)).replace("…", ".*?"), re.DOTALL)
    if terminal is None:
        assert shown.fullmatch(trimmed(written)), f"shown:\n{block.text}\nwritten:\n{written}"
    else:
        assert terminal.server, f"no server runs that could have written\n{block.text}"
        terminal.server.wait_for(shown)


def trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def assert_same_object(written: str) -> None:
    """The first two requests of a page are served with the same object, as it says."""
    first, second, *_ = re.findall(r'"object": ?"(0x\w+)"', written)
    assert first == second


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def environment_without(*prefixes: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def test_every_page_is_tested():
    assert sorted(PAGES) == NAMES


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NAMES]
)
def test_tutorial_here(reader, name):
    """What a page says works in this environment, where all that it installs is there already."""
    environment = environment_without("PYTEST_", "POOLWARE_M", "DJANGO_", "PROMETHEUS_")
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    assert_same_object(reader(PAGES[name], lambda commands: INSTALLS.sub("", commands), environment))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NAMES)
def test_tutorial_in_an_empty_directory(reader, name, tmp_path):
    """A page typed as it is: an empty directory, a new virtual environment, distributions built from this checkout."""
    shutil.copytree(ROOT, tmp_path / "poolware", ignore=LEFT_OUT)
    environment = environment_without("PYTEST_", "POOLWARE_", "DJANGO_", "PROMETHEUS_", "PYTHON", "VIRTUAL_ENV")
    assert_same_object(reader(PAGES[name], lambda commands: commands, environment))


@pytest.mark.parametrize("name", NAMES)
def test_what_a_page_installs_exists(name):
    """Directories that are distributions, extras that they have, and names of others that the tests install too."""
    ours = {}
    for project in [ROOT, *sorted((ROOT / "integrations").iterdir())]:
        settings = tomllib.loads((project / "pyproject.toml").read_text())["project"]
        ours[settings["name"]] = project, settings.get("optional-dependencies", {})
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    installed = re.findall(r"^python -m pip install (.*)$", PAGES[name], re.MULTILINE)
    wanted = [what.strip('"') for line in installed for what in line.split()]
    assert "../poolware" in {what.partition("[")[0] for what in wanted}
    for what in wanted:
        where, _, extras = what.rstrip("]").partition("[")
        if not where.startswith("../"):
            assert where in pinned
            continue
        directory = ROOT / Path(where).relative_to("../poolware")
        (has,) = (has for project, has in ours.values() if project == directory)
        assert set(filter(None, extras.split(","))) <= set(has)
