"""The projects that are published: each folder with a pyproject.toml, as in the Makefile."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FOLDERS = [
    ROOT,
    *(
        path.parent
        for pattern in ("integrations/*", "loadtests")
        for path in sorted(ROOT.glob(f"{pattern}/pyproject.toml"))
    ),
]


def project(folder: Path) -> dict[str, Any]:
    """Return what the metadata of the project in `folder` says."""
    found: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return found


def requirements(folder: Path) -> list[str]:
    """Return what it asks for, its extras included."""
    said = project(folder)
    return [each for names in (said["dependencies"], *said.get("optional-dependencies", {}).values()) for each in names]
