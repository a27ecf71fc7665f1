"""CONTRIBUTING.md and the pages about releases name what there is; changes are told in files that are found."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "docs" / "releases.md", ROOT / "docs" / "platforms.md"]
KINDS = {
    each["directory"] for each in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]["type"]
}
by_name = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def named_paths(text: str) -> list[str]:
    """What stands in backquotes and looks like a path of the project; `dist/` is made by make."""
    found = re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", text)
    return [path for path in found if "/" in path.rstrip("/") or path.endswith("/") or path == "constraints.txt"]


def test_every_path_on_the_map_is_there():
    paths = named_paths(PAGES[0].read_text())
    assert len(paths) > 30
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_folder_is_on_the_map():
    """A reader finds each room of the house."""
    paths = {path.rstrip("/") for path in named_paths(PAGES[0].read_text())}
    rooms = {str(path.parent.relative_to(ROOT)) for path in (ROOT / "src" / "poolware").glob("*/*.py")}
    assert rooms | {f"integrations/{path.name}" for path in (ROOT / "integrations").iterdir()} <= paths


@by_name
def test_every_command_is_there(page):
    targets = set(re.findall(r"(?:^ *|`)make ([a-z][a-z0-9.-]+)", page.read_text(), flags=re.MULTILINE))
    assert targets
    known = re.findall(r"^([a-z0-9. -]+):", MAKEFILE, flags=re.MULTILINE)
    assert targets <= {name for line in known for name in line.split()}


def test_changes_are_told_in_files_that_are_found():
    """towncrier passes over a file with another name in silence."""
    folder = ROOT / "changelog.d"
    kinds = "|".join(sorted(KINDS))
    for path in folder.iterdir():
        assert re.fullmatch(rf"\+[a-z0-9-]+\.({kinds})\.md", path.name), path.name
        text = path.read_text()
        assert text.strip(), path.name
        assert not text.startswith(("-", "#")), f"{path.name}: the list is made by towncrier"


def test_the_changelog_has_a_place_for_the_next_release():
    mark = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]["start_string"]
    assert (ROOT / "CHANGELOG.md").read_text().startswith(f"# Changelog\n\n{mark}\n")
