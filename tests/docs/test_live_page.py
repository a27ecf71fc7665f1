"""The examples of docs/live-page.md let in whom they say, and its table names every key there is."""

import json
import re
import subprocess
import sys

import pytest
from browser import scenes
from docs.pages import ROOT, python
from starlette.testclient import TestClient

from poolware.observe import Share
from poolware.web.dashboard.overview import overview

PAGE = ROOT / "docs" / "live-page.md"
BLOCKS = [block.code for block in python(PAGE)]

IN_DJANGO = """
import django
from django.conf import settings

apps = ["django.contrib." + name for name in ("admin", "auth", "contenttypes", "messages", "sessions")]
settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"], INSTALLED_APPS=apps,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware"])
django.setup()
"""
AFTER_DJANGO = """
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

urlpatterns += [path("admin/", admin.site.urls)]
call_command("migrate", verbosity=0)
client = Client()
assert client.get("/poolware/data.json").status_code == 302
client.force_login(User.objects.create_user("ada", is_staff=True))
answer = client.get("/poolware/data.json")
assert answer.json()["schema"] == 1, answer
assert answer["Content-Security-Policy"].startswith("default-src 'none'")
assert client.get("/poolware/").content.startswith(b"<!doctype html>")
assert client.post("/poolware/").status_code == 405
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    monkeypatch.setenv("POOLWARE_SHARED_DIR", str(tmp_path / "shared"))


def example(mark):
    """Run the one block in which `mark` is; return its variables."""
    (block,) = [block for block in BLOCKS if mark in block]
    variables = {"__name__": "example"}
    exec(compile(block, mark, "exec"), variables)
    return variables


def client(app, address="127.0.0.1"):
    return TestClient(app, base_url="http://localhost", client=(address, 1))


def test_no_block_is_forgotten():
    assert len(BLOCKS) == 7


def test_what_workers_call():
    (block,) = [block for block in BLOCKS if "start(share" in block]
    done = subprocess.run([sys.executable, "-W", "error", "-c", block], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_starlette_and_fastapi():
    app = example("import FastAPI")["app"]
    for path in ("/poolware", "/poolware/"):
        assert client(app).get(path).text.startswith("<!doctype html>")
    assert client(app).get("/poolware/data.json").json()["schema"] == 1
    assert client(app, "192.0.2.1").get("/poolware/data.json").status_code == 403


def test_flask():
    app = example("DispatcherMiddleware")["app"]
    for path in ("/poolware", "/poolware/"):
        assert app.test_client().get(path).text.startswith("<!doctype html>")
    assert app.test_client().get("/poolware/data.json").json["schema"] == 1
    elsewhere = {"REMOTE_ADDR": "192.0.2.1"}
    assert app.test_client().get("/poolware/data.json", environ_overrides=elsewhere).status_code == 403


def test_any_asgi_application():
    async def inner(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = example("def beside")["beside"](inner)
    assert client(app).get("/").status_code == 204
    assert client(app).get("/poolware/").text.startswith("<!doctype html>")
    assert client(app).get("/poolware/data.json").json()["schema"] == 1


def test_a_session_decides():
    app = example("def is_operator")["app"]

    async def sign_in(request):
        from starlette.responses import Response

        request.session["role"] = request.query_params["role"]
        return Response()

    app.add_route("/sign-in", sign_in)
    visitor = client(app)
    assert visitor.get("/poolware/data.json").status_code == 403
    visitor.get("/sign-in?role=guest")
    assert visitor.get("/poolware/data.json").status_code == 403
    visitor.get("/sign-in?role=operator")
    assert visitor.get("/poolware/data.json").json()["schema"] == 1


def test_a_flask_view_decides():
    visitor = example("def operators_only")["app"].test_client()
    assert visitor.get("/poolware/data.json").status_code == 403
    with visitor.session_transaction() as session:
        session["role"] = "operator"
    assert visitor.get("/poolware/data.json").json["schema"] == 1
    assert visitor.get("/poolware/").text.startswith("<!doctype html>")
    assert visitor.post("/poolware/").status_code == 405


def test_a_django_view_decides():
    (block,) = [block for block in BLOCKS if "staff_member_required" in block]
    program = IN_DJANGO + block + AFTER_DJANGO
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_table_names_every_key(tmp_path):
    share = Share(tmp_path / "shared")
    share.publish(scenes.saying([scenes.exhausted("p")]))
    data = json.loads(overview(share.directory, 60.0))
    (pool,) = data["pools"]
    table = PAGE.read_text().partition("## The data behind it")[2]
    named = set(re.findall(r"`\.?([a-z_]+)(?:\[\])?`", table))
    worker = data["workers"][0]
    keys = {*data, *worker, *pool, *pool["lately"], *pool["history"], *pool["workers"][0]}
    assert keys - named == set()
