"""The reference has every public name of the packages, and every name that a page imports."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from types import ModuleType

import pytest
from docs.pages import PAGES, ROOT, python

PACKAGES = ("poolware", "starlette_poolware", "flask_poolware", "django_poolware")
DIRECTIVES = {
    name
    for page in ROOT.glob("docs/reference/*.md")
    for name in re.findall(r"^::: ([\w.]+)$", page.read_text(), flags=re.MULTILINE)
}


def exported():
    return {(package, name) for package in PACKAGES for name in importlib.import_module(package).__all__}


def imported():
    trees = (ast.walk(ast.parse(block.code)) for page in PAGES for block in python(page))
    statements = [node for nodes in trees for node in nodes if isinstance(node, ast.ImportFrom)]
    return {
        (str(node.module), alias.name)
        for node in statements
        if str(node.module).partition(".")[0] in PACKAGES
        for alias in node.names
    }


def is_shown(module, name):
    """Whether a directive shows it: its own, its module's, or that of the module that it is defined in."""
    thing = getattr(importlib.import_module(module), name, None) or importlib.import_module(f"{module}.{name}")
    if isinstance(thing, ModuleType):
        return thing.__name__ in DIRECTIVES
    home = getattr(thing, "__module__", module)
    if f"{module}.{name}" in sys.modules:  # which a tool that reads the sources finds in its place
        return f"{home}.{name}" in DIRECTIVES
    return bool({module, f"{module}.{name}", home} & DIRECTIVES)


@pytest.mark.parametrize(("module", "name"), sorted(exported() | imported()))
def test_name_is_in_the_reference(module, name):
    assert is_shown(module, name)
