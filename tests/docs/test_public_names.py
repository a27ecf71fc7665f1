"""docs/public-names.md has every public name, and none that is unexplained or unused."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from docs.public_names import MODULES, PAGE, ROOT, first_line, names, page

from docs import public_names

LISTED = [(module, name) for module in MODULES for name in names(module)]
OURS = re.compile(r"(poolware|(starlette|flask|django)_poolware|poolware_compare)\b")


def test_the_page_says_what_the_code_says():
    assert PAGE.read_text() == page(), "python -m tests.docs.public_names writes it anew"


def test_every_public_name_has_a_line_of_documentation():
    assert [name for module, name in LISTED if not first_line(module, name)] == []


def test_every_public_name_is_explained_in_a_page():
    code = code_of_docs()
    assert [name for _, name in LISTED if not re.search(rf"\b{name}\b", code)] == []


def test_every_public_name_is_used_in_a_test_or_example():
    """gunicorn calls its hooks by itself: of those the module is named."""
    files = [path for folder in ("tests", "examples") for path in (ROOT / folder).rglob("*.py")]
    used = "\n".join(path.read_text() for path in files if path != Path(public_names.__file__))
    sought = {module if module == "poolware.web.gunicorn" else name for module, name in LISTED}
    assert [name for name in sorted(sought) if not re.search(rf"\b{name}\b", used)] == []


def test_docs_and_examples_import_public_names_only():
    """What a reader is told to import is what he may rely on."""
    told = [*(ROOT / "examples").rglob("*.py"), *pages()]
    private = {
        f"{path.relative_to(ROOT)}: {module}.{name}"
        for path in told
        for module, name in imports(path)
        if f"{module}.{name}" not in MODULES and name not in (*names_of(module), "*")
    }
    assert not private


def imports(path):
    """Every ``from module import name`` of ours, in Python and in the Python of a page."""
    text = path.read_text()
    blocks = (
        re.findall(r"^```python[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL) if path.suffix == ".md" else [text]
    )
    for block in blocks:
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and OURS.match(node.module or ""):
                yield from ((node.module, alias.name) for alias in node.names)


def names_of(module):
    return (*names(module), *(names("poolware.errors") if module == "poolware" else ())) if module in MODULES else ()


def pages():
    return [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]


def code_of_docs():
    """What pages have in code spans and blocks, the list of names left out."""
    read = [path.read_text() for path in pages() if path != PAGE]
    return "\n".join(code for text in read for code in re.findall(r"```.*?```|`[^`]+`", text, re.DOTALL))
