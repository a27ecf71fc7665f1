"""What makes pages that read well in the repository read well on the site, too.

They link to files outside of docs/: examples, tests, other READMEs. Each of those gets a page of the site below
repository/, so that no link is dead, wherever the site is and whether or not there is a server.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

import griffe
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FILES = "repository/"
log = get_plugin_logger("hooks")
LINK = re.compile(r"(?<=\]\()([^()\s#:]+)(?=[)#])")
ELSEWHERE = re.compile(r"<(?:script|img|iframe)\b[^>]* src=\"?(?:https?:)?//|<link\b[^>]* href=\"?(?:https?:)?//")
LANGUAGES = {".py": "python", ".c": "c", ".h": "c", ".toml": "toml", ".json": "json", ".yml": "yaml", ".mjs": "js"}


class WhatUsersSee(griffe.Extension):
    """Leaves out of the reference what is the interpreter's or poolware's: `__len__`, `_home=`, how `self.x` is set."""

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        """Look at one class."""
        for name in [name for name in cls.members if name.startswith("__") and name != "__init__"]:
            del cls.members[name]

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Look at one function."""
        func.parameters = griffe.Parameters(*(each for each in func.parameters if not each.name.startswith("_")))

    def on_attribute(self, *, attr: griffe.Attribute, **_: Any) -> None:
        """Look at one attribute."""
        if "class-attribute" not in attr.labels and "instance-attribute" in attr.labels:
            attr.value = None


def on_files(files: Files, config: Any) -> Files:
    """Add a page for what the pages link to outside of docs/, and for what those link to."""
    waiting = [DOCS / page.src_uri for page in files.documentation_pages()]
    seen: set[Path] = set()
    while waiting:
        source = waiting.pop()
        for target in {target_of(source, link) for link in LINK.findall(source.read_text())} - {None} - seen:
            seen.add(target)
            if not target.is_relative_to(DOCS):
                files.append(File.generated(config, place_of(target), content=content_of(target)))
                waiting += [target] * (target.suffix == ".md")
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links to files of the repository into links to their pages."""
    source, here = source_of(page.file.src_uri), posixpath.dirname(page.file.src_uri)

    def to_page(link: re.Match[str]) -> str:
        target = target_of(source, link[0])
        return link[0] if target is None else posixpath.relpath(place_of(target), here)

    return LINK.sub(to_page, markdown)


def on_post_page(output: str, page: Any, **_: Any) -> None:
    """Warn of a page that loads something from elsewhere: the site works where there is no network."""
    if ELSEWHERE.search(output):
        log.warning("%s loads something from elsewhere", page.file.src_uri)


def target_of(source: Path, link: str) -> Path | None:
    """Return what the file `source` links to; a directory stands for its README."""
    target = (source.parent / link).resolve()
    if not target.exists() or not target.is_relative_to(ROOT):
        return None
    readme = target / "README.md"
    return readme if readme.exists() else target


def place_of(target: Path) -> str:
    """Return the path of the page that shows `target`, from docs/ on."""
    if target.is_relative_to(DOCS):
        return target.relative_to(DOCS).as_posix()
    return FILES + target.relative_to(ROOT).as_posix().removesuffix(".md") + ".md"


def source_of(place: str) -> Path:
    """Return the file that the page at `place` is made of."""
    if not place.startswith(FILES):
        return DOCS / place
    file = ROOT / place.removeprefix(FILES)
    return file if file.exists() else file.with_name(file.name.removesuffix(".md"))


def content_of(target: Path) -> str:
    """Return a page that shows `target`: prose as it is, the names in a directory, the text of anything else."""
    if target.suffix == ".md":
        return target.read_text()
    if target.is_dir():
        text = "\n".join(sorted(entry.name for entry in target.iterdir() if not entry.name.startswith("__")))
    else:
        text = target.read_text()
    title, language = target.relative_to(ROOT).as_posix(), LANGUAGES.get(target.suffix, "text")
    return f"---\nsearch:\n  exclude: true\n---\n# {title}\n\n````{language}\n{text}\n````\n"
