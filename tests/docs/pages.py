"""The pages of the repository and the code in them.

Every ```python block of a page is run, in order, in one namespace, in a fresh interpreter, in an empty directory. A
block with a title, ```python title="shop/app.py", is written to that file before anything runs, and imported after. One
that cannot be run has ``<!-- not run: reason -->`` on the line before it. Any other language is not run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in ROOT.rglob("*.md")
    if not {"build", "dist", "node_modules"} & {*page.relative_to(ROOT).parts}
    and not any(part.startswith(".") for part in page.relative_to(ROOT).parts)
)

_FENCE = re.compile(
    r'(?P<not_run>^ *<!-- not run: .+ -->\n)?^(?P<indent> *)```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n'
    r"(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)

# Where a block stands on its page is where its lines are said to be, so that a traceback shows them.
_DRIVER = """
import importlib, json, sys
page, blocks, files = json.load(sys.stdin)
for line, code in blocks:
    exec(compile("\\n" * line + code, page, "exec"), globals())
for file in files:
    importlib.import_module(file.removesuffix(".py").replace("/", "."))
"""


@dataclass(frozen=True)
class Block:
    """A block of code on a page."""

    language: str
    title: str | None
    section: str
    line: int
    code: str


def blocks(page: Path) -> list[Block]:
    """Return the blocks of `page`, but those that say that they cannot be run."""
    text = page.read_text()
    return [
        Block(
            language=fence["language"],
            title=fence["title"],
            section="".join(re.findall(r"^## (.+)", text[: fence.start()], flags=re.MULTILINE)[-1:]),
            line=text.count("\n", 0, fence.start("code")),
            code=textwrap.dedent(fence["code"]),
        )
        for fence in _FENCE.finditer(text)
        if not fence["not_run"]
    ]


def python(page: Path) -> list[Block]:
    """Return those that are run."""
    return [block for block in blocks(page) if block.language == "python" and block.title is None]


def run(page: Path, directory: Path, after: dict[Block, str] | None = None) -> str:
    """Run `page` in `directory`; `after` has what is run after a block of it. Return what it has printed."""
    files = [block for block in blocks(page) if block.language == "python" and block.title]
    for file in files:
        path = directory / str(file.title)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.code)
    steps = [(block.line, f"{block.code}\n{(after or {}).get(block, '')}") for block in python(page)]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _DRIVER],
        input=json.dumps([str(page), steps, [file.title for file in files]]),
        cwd=directory,
        env={**os.environ, "PYTHONWARNINGS": "", "POOLWARE_SHARED_DIR": str(directory / ".shared")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
