"""Every Python block of every page runs, and what it says that it prints, it prints."""

from __future__ import annotations

import re

import pytest
from docs.pages import PAGES, ROOT, Block, blocks, python, run

WITH_CODE = [page for page in PAGES if any(block.language == "python" for block in blocks(page))]
READMES = [ROOT / "README.md", *sorted(ROOT.glob("integrations/*/README.md"))]

# What these show is an application: it has to serve a request.
CALL_ASGI = """
from starlette.testclient import TestClient
assert "acme" in TestClient(app).get("/").text
"""
CALL_WSGI = """
with app.test_client() as client, client.get("/") as answer:
    assert "acme" in answer.text
"""
CALL_DJANGO = """
import sys, types
from poolware import RequestContext
class AppContext(RequestContext):
    tenant: str = ""
sys.modules |= {"shop": types.ModuleType("shop"), "shop.context": types.SimpleNamespace(AppContext=AppContext)}

import django
from django.conf import settings
from django.test import Client
from django.urls import path
settings.configure(INSTALLED_APPS=INSTALLED_APPS, MIDDLEWARE=MIDDLEWARE, POOLWARE=POOLWARE,
                   ROOT_URLCONF=(path("", profile),), SECRET_KEY="x", ALLOWED_HOSTS=["*"])
django.setup()
assert b"acme" in Client().get("/").content
"""


def call(block: Block) -> str:
    if "django" in block.code:
        return CALL_DJANGO
    if "flask" in block.code:
        return CALL_WSGI
    return CALL_ASGI if "app = " in block.code else ""


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_runs(page, tmp_path):
    after = {block: call(block) for block in python(page)} if page in READMES else {}
    printed = run(page, tmp_path, after)
    for block in python(page):
        for said in re.findall(r"^ *print\(.*\)\s+# (.+)", block.code, flags=re.MULTILINE):
            assert said.rstrip(" …") in printed


def test_the_readmes_applications_are_called():
    assert [sum(bool(call(block)) for block in python(page)) for page in READMES] == [5, 1, 1, 1]


def test_every_reason_not_to_run_a_block_stands_before_one():
    for page in PAGES:
        for after in re.findall(r"^ *<!-- not run: .+ -->\n(.*)", page.read_text(), flags=re.MULTILINE):
            assert after.lstrip().startswith("```python"), page
