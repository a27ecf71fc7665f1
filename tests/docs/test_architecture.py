"""Every function that docs/architecture.md names is in its file, and the layers of its picture are those enforced."""

from __future__ import annotations

import re
import tomllib

import pytest
from docs.pages import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
PICTURE = (ROOT / "docs" / "assets" / "house.svg").read_text()
NAMED = [
    (file, name)
    for file, names in re.findall(r"\[[\w./]+\]\(\.\./(src/[^)]+)\)((?:\s+`[\w.]+`)+)", PAGE)
    for name in re.findall(r"`([\w.]+)`", names)
]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_function_is_where_the_page_says(file, name):
    text = (ROOT / file).read_text()
    for part in name.split("."):
        assert re.search(rf"^ *(?:async )?(?:def|class) {part}\b|^{part}\(", text, flags=re.MULTILINE)


def test_the_page_names_the_whole_way():
    assert len(NAMED) >= 25


def test_the_pictures_files_are_there():
    words = " ".join(re.findall(r'class="s"[^>]*>([^<]+)<', PICTURE))
    files = re.findall(r"[\w/]+\.(?:py|c)\b|\b\w+/(?=[:, ])", words)
    assert len(files) > 20
    assert [file for file in files if not any(ROOT.glob(f"src/poolware/*/{file}"))] == []


def test_the_pictures_layers_are_those_of_the_contracts():
    named = re.findall(r'class="n" x="[\d.]+" y="([\d.]+)">([\w.]+)<', PICTURE)
    height = {package: float(y) for y, package in named}
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    layers = [re.findall(r"[\w.]+", layer) for layer in contract["layers"]]
    assert set(height) == {package for layer in layers for package in layer}
    tops = [height[layer[0]] for layer in layers]
    assert tops == sorted(tops)
