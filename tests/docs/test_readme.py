"""Every Python example of the README and the docs runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted(ROOT.glob("integrations/*/README.md")),
    *sorted(set(ROOT.glob("docs/*.md")) - {ROOT / "docs/live-page.md", ROOT / "docs/recipes.md"}),
]

# What goes before and after an example, so that it serves a request for real.
CALL_ASGI = """
from starlette.testclient import TestClient
assert "acme" in TestClient(app).get("/").text
"""
CALL_WSGI = """
with app.test_client() as client, client.get("/") as answer:
    assert "acme" in answer.text
"""
DJANGO_BEFORE = """
import sys, types
from poolware import RequestContext
shop = types.ModuleType("shop.context")
class AppContext(RequestContext):
    tenant: str = ""
shop.AppContext = AppContext
sys.modules["shop"] = types.ModuleType("shop"); sys.modules["shop.context"] = shop
MIDDLEWARE = []; INSTALLED_APPS = []
"""
DJANGO_AFTER = """
import django
from django.conf import settings
from django.test import Client
from django.urls import path
urlpatterns = [path("", profile)]
settings.configure(INSTALLED_APPS=INSTALLED_APPS, MIDDLEWARE=MIDDLEWARE, POOLWARE=POOLWARE, ROOT_URLCONF=__name__,
                   SECRET_KEY="x", ALLOWED_HOSTS=["*"])
django.setup()
assert b"acme" in Client().get("/").content
"""


def examples() -> list:
    found = []
    for page in PAGES:
        blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        name = str(page.relative_to(ROOT))
        found += [pytest.param(block, id=f"{name}-{number}") for number, block in enumerate(blocks, 1)]
    return found


def complete(example: str) -> str:
    if "django" in example:
        return DJANGO_BEFORE + example + DJANGO_AFTER
    if "assert_isolated" in example:
        return example
    if "flask" in example:
        return example + CALL_WSGI
    return example + CALL_ASGI if "app = " in example else example


@pytest.mark.parametrize("example", examples())
def test_example_runs(example):
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", complete(example)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": ""},
    )
    assert run.returncode == 0, run.stderr
    # What an example says that it prints, it prints.
    for said in re.findall(r"print\(.*\)\s+# (.+)", example):
        assert said in run.stdout


def test_pages_are_found():
    assert len(examples()) >= 8
