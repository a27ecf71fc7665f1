"""Every function that docs/architecture.md names is in its file, and the layers of its picture are those enforced."""

from __future__ import annotations

import re
import tomllib

import pytest
from docs.pages import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
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


def test_the_pictures_layers_are_those_of_the_contracts():
    picture = re.findall(
        r'class="n" x="[\d.]+" y="([\d.]+)">([\w.]+)<', (ROOT / "docs" / "assets" / "house.svg").read_text()
    )
    height = {package: float(y) for y, package in picture}
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    layers = [re.findall(r"[\w.]+", layer) for layer in contract["layers"]]
    assert set(height) == {package for layer in layers for package in layer}
    tops = [height[layer[0]] for layer in layers]
    assert tops == sorted(tops)
