"""The reference has every public name."""

from __future__ import annotations

import importlib
import os
import re
import sys
from unittest import mock

import prometheus_client  # noqa: F401 - before poolware.web.gunicorn, which has it work for many processes
import pytest
from docs.pages import ROOT
from docs.public_names import MODULES, names

import poolware

DIRECTIVES = {
    name
    for page in ROOT.glob("docs/reference/*.md")
    for name in re.findall(r"^::: ([\w.]+)$", page.read_text(), flags=re.MULTILINE)
}


def is_shown(module, name):
    """Whether a directive shows it: its own, its module's, or that of the module that it is defined in."""
    with mock.patch.dict(os.environ):
        thing = getattr(importlib.import_module(module), name)
    home = getattr(thing, "__module__", module)
    if f"{module}.{name}" in sys.modules:  # which a tool that reads the sources finds in its place
        return f"{home}.{name}" in DIRECTIVES
    places = {module, home, f"{module}.{name}"}
    if getattr(poolware, name, None) is thing:
        places.add(f"poolware.{name}")
    return bool(places & DIRECTIVES)


@pytest.mark.parametrize(("module", "name"), [(module, name) for module in MODULES for name in names(module)])
def test_name_is_in_the_reference(module, name):
    assert is_shown(module, name)
