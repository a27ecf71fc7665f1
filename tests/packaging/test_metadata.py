"""What the distributions say of themselves, and to each other."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from distributions import FOLDERS, ROOT, project, requirements
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.version import Version
from trove_classifiers import classifiers

import poolware
from tests.compatibility.rows import ROWS, lower_bounds
from tests.compatibility.table import versions_of

NAMES = [project(folder)["name"] for folder in FOLDERS]
each = pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)


def test_all_have_the_same_version():
    assert {project(folder)["version"] for folder in FOLDERS} == {poolware.__version__}


@each
def test_each_asks_for_the_others_as_they_were_released_with_it(folder):
    """At least that release, as adapters use what is private to poolware, and of the same minor version."""
    asked = [Requirement(text) for text in requirements(folder)]
    among = {str(one.specifier) for one in asked if one.name in NAMES}
    assert among == {f"~={poolware.__version__}"}


@each
def test_each_says_what_is_true_of_all(folder):
    said, core = project(folder), project(ROOT)
    assert {*said["classifiers"]} <= classifiers
    for what in ("requires-python", "license", "license-files", "authors"):
        assert said[what] == core[what]
    pythons = re.compile("Programming Language :: Python|Typing|Development Status")
    assert [*filter(pythons.match, said["classifiers"])] == [*filter(pythons.match, core["classifiers"])]
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("folder", FOLDERS[1:], ids=NAMES[1:])
def test_the_wheel_of_each_is_typed_and_licensed(folder, tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (path,) = tmp_path.iterdir()
    assert_fit_to_publish(path)


def assert_fit_to_publish(path: Path) -> None:
    package, version, *_ = path.name.split("-")
    with zipfile.ZipFile(path) as wheel:
        about = f"{package}-{version}.dist-info"
        assert {f"{package}/py.typed", f"{about}/licenses/LICENSE"} <= {*wheel.namelist()}
        assert not [name for name in wheel.namelist() if name.endswith((".pyc", ".c", ".h")) or "test_" in name]
        said = Metadata.from_email(wheel.read(f"{about}/METADATA"))
    assert said.description_content_type == "text/markdown"
    assert said.description.startswith(f"# {said.name}\n")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_lower_bounds_are_those_that_were_tried(row):
    """Who moves one runs `make compatibility` again."""
    tried = map(Version, versions_of("oldest")[row.name])
    assert [*tried] == [*map(Version, lower_bounds(row).values())]


def test_django_says_which_versions_were_tried():
    """The oldest, the newest, and that of the tests here."""
    pinned = re.findall(r"^django==([\d.]+)", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE)
    tried = [*versions_of("oldest")["Django"], *versions_of("newest")["Django"], *pinned]
    said = project(ROOT / "integrations" / "django")["classifiers"]
    assert {text for text in said if re.match(r"Framework :: Django :: \d", text)} == {
        f"Framework :: Django :: {'.'.join(version.split('.')[:2])}" for version in tried
    }
