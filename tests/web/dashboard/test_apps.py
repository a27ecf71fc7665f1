"""The live page as an application: what it answers, and to whom (H38)."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import anyio
import pytest

from poolware.errors import BadOption
from poolware.observe import Share
from poolware.web import dashboard


def wsgi(app, path="/", method="GET", client="127.0.0.1"):
    answers = []
    environ = {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "/poolware", "PATH_INFO": path, "QUERY_STRING": "",
        "REMOTE_ADDR": client, "HTTP_HOST": "localhost", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }  # fmt: skip
    body = b"".join(app(environ, lambda status, headers: answers.append((status, dict(headers)))))
    ((status, headers),) = answers
    return int(status.split()[0]), {name.lower(): value for name, value in headers.items()}, body


def asgi(
    app, path="/", method="GET", client="127.0.0.1", backend="asyncio", *, root="/poolware", full=None, kind="http"
):
    sent = []

    async def run():
        scope = {
            "type": kind, "method": method, "root_path": root, "path": full or f"{root}{path}",
            "client": (client, 1), "headers": [(b"host", b"localhost")],
        }  # fmt: skip
        await app(scope, None, send)

    async def send(message):
        sent.append(message)

    anyio.run(run, backend=backend)
    start, body = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"]


INTERFACES = {"wsgi": (dashboard.wsgi, wsgi), "asgi": (dashboard.asgi, asgi)}


@pytest.fixture(params=INTERFACES)
def interface(request):
    return INTERFACES[request.param]


@pytest.fixture
def page(interface, tmp_path):
    """Ask a live page of nobody's pools, with options."""
    make, ask = interface
    app = make(tmp_path / "nobody")
    return lambda *asked, **options: ask(app, *asked, **options)


@pytest.mark.parametrize("path", ["", "/"])
def test_the_page(page, path):
    status, headers, body = page(path)
    assert status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert body.startswith(b"<!doctype html>")
    assert headers["content-length"] == str(len(body))
    assert b"<noscript><p>This page needs JavaScript." in body


def test_what_it_shows(page):
    status, headers, body = page("/data.json")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body)["schema"] == dashboard.SCHEMA


def test_there_is_nothing_else(page):
    assert {page(path)[0] for path in ("/x", "/data.json/x", "/../data.json", "//evil.example", "/page.js")} == {404}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get"])
def test_it_is_read_only(page, method):
    for path in ("/", "/data.json"):
        status, headers, _ = page(path, method)
        assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_a_head_request_has_the_same_headers_and_no_body(page):
    got, headed = page("/"), page("/", "HEAD")
    assert headed == (200, got[1], b"")


def test_nothing_from_elsewhere_can_run_frame_or_read_it(page):
    for path in ("/", "/data.json", "/x"):
        headers = page(path)[1]
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in headers
        policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
        assert policy.pop("style-src").startswith("'sha256-")
        assert policy.pop("script-src").startswith("'sha256-")
        assert policy == {
            "default-src": "'none'", "connect-src": "'self'", "img-src": "data:", "base-uri": "'none'",
            "form-action": "'none'", "frame-ancestors": "'none'", "require-trusted-types-for": "'script'",
            "trusted-types": "'none'",
        }  # fmt: skip


def test_the_policy_names_exactly_the_style_and_the_script_of_the_page(page):
    _, headers, body = page("/")
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>".encode(), body, re.DOTALL)
        digest = b64encode(sha256(text).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in headers["content-security-policy"]


def test_the_page_is_one_file(page):
    """Nothing is loaded from anywhere: it works where there is no network."""
    text = page("/")[2].decode()
    assert set(re.findall(r"""(?:src|href)=["']?([^"'\s>]+)""", text)) == {"data:,", "data.json"}
    assert set(re.findall(r"https?://[^\s\"'`]+", text)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xhtml",
    }
    assert not re.search(r"@import|url\(|\son\w+=|style=|innerHTML|insertAdjacent|document\.write|eval\(", text)


def test_only_this_machine_may_look_if_nobody_says_otherwise(page):
    status, headers, body = page("/data.json", client="192.0.2.7")
    assert (status, headers["content-type"]) == (403, "text/plain; charset=utf-8")
    assert b"allow=" in body
    assert page("/", "POST", client="192.0.2.7")[0] == 403


def test_the_application_says_who_may_look(interface, tmp_path):
    make, ask = interface
    asked = []

    def allow(request):
        asked.append(request)
        return True

    assert ask(make(tmp_path / "nobody", allow=allow), client="192.0.2.7")[0] == 200
    assert len(asked) == 1
    assert ask(make(tmp_path / "nobody", allow=lambda request: False))[0] == 403


@pytest.mark.parametrize("said", [1, "yes", object(), None])
def test_only_true_lets_in(interface, tmp_path, said):
    """What a decorator for logins returns, such as a redirect, is true as well."""
    make, ask = interface
    assert ask(make(tmp_path / "nobody", allow=lambda request: said))[0] == 403


def test_an_allow_that_raises_lets_nobody_in(interface, tmp_path, caplog):
    make, ask = interface
    assert ask(make(tmp_path / "nobody", allow=lambda request: request["no such key"]))[0] == 403
    assert "lets nobody in" in caplog.text


@pytest.mark.parametrize("said", [True, False])
def test_an_allow_may_be_async_under_asgi(tmp_path, said):
    async def allow(scope):
        return said

    assert asgi(dashboard.asgi(tmp_path / "nobody", allow=allow))[0] == (200 if said else 403)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_an_async_allow_under_wsgi_lets_nobody_in(tmp_path):
    async def allow(environ):
        return True

    assert wsgi(dashboard.wsgi(tmp_path / "nobody", allow=allow))[0] == 403


@pytest.mark.parametrize("options", [{"allow": True}, {"allow": None}, {"held_for": 0}, {"held_for": "1"}])
def test_bad_options(interface, options):
    """H40"""
    with pytest.raises(BadOption, match=next(iter(options))):
        interface[0](**options)


def test_it_runs_on_trio(tmp_path):
    assert asgi(dashboard.asgi(tmp_path / "nobody"), "/data.json", backend="trio")[0] == 200


def test_it_is_a_wsgi_application_by_the_book(tmp_path):
    app = dashboard.wsgi(tmp_path / "nobody", allow=lambda environ: True)
    environ = {"SCRIPT_NAME": "/poolware", "PATH_INFO": "/data.json", "QUERY_STRING": ""}
    setup_testing_defaults(environ)

    def start_response(status, headers, exc_info=None):
        return lambda data: None

    answer = validator(app)(environ, start_response)
    assert json.loads(b"".join(answer))["pools"] == []
    answer.close()


def test_it_takes_no_websockets(tmp_path):
    with pytest.raises(ValueError, match="answers http, and not websocket"):
        asgi(dashboard.asgi(tmp_path / "nobody"), kind="websocket")


def test_a_path_without_the_mount_point_is_understood_too(tmp_path):
    """Some frameworks leave it in the path of a mounted application, some take it out."""
    app = dashboard.asgi(tmp_path / "nobody")
    assert asgi(app, root="/poolware", full="/poolware/data.json")[0] == 200
    assert asgi(app, root="/poolware", full="/data.json")[0] == 200
    assert asgi(app, root="", full="/poolware/data.json")[0] == 404


def test_however_many_look_the_work_is_done_once(tmp_path, monkeypatch):
    looked = []
    live = dashboard.Dashboard(Share(tmp_path / "shared").directory)
    monkeypatch.setattr("poolware.web.dashboard.answers.overview", lambda *how: looked.append(1) or b"{}")
    assert {live.answer("GET", "data.json").body for _ in range(20)} == {b"{}"}
    assert len(looked) == 1
