"""A real Chromium, a live page on a real port, and workers that say what a test has them say."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from poolware.web import dashboard

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Of one module: while it runs, no test of this thread may run an event loop."""
    if CHROMIUM is None:
        pytest.skip("needs Debian's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, chromium_sandbox=False)
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    """A tab in which nothing may go wrong: no error, no warning, no refusal, no request to anywhere else."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: page.complaints.append(f"dialog {dialog.message}"))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert page.complaints == []
    assert {url.split("/")[2] for url in asked if not url.startswith("data:")} <= {page.host}


class Quiet(WSGIRequestHandler):
    """Does not log."""

    def log_message(self, *args):
        pass


class Site:
    """A live page that a tab can open, and that can be taken down and put up again."""

    def __init__(self, directory):
        self.app = dashboard.wsgi(directory)
        self.port = 0

    def up(self):
        self.server = make_server("127.0.0.1", self.port, self.app, handler_class=Quiet)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def down(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@contextmanager
def site(directory):
    """Serve the live page of what workers publish in `directory`."""
    served = Site(directory)
    served.up()
    try:
        yield served
    finally:
        served.down()


@pytest.fixture
def live(tmp_path):
    """The live page of workers that publish in `tmp_path` / ``shared``."""
    with site(tmp_path / "shared") as served:
        yield served


def visit(tab, port, path="/"):
    """Open the live page there, and wait until it shows something."""
    tab.host = f"127.0.0.1:{port}"
    tab.goto(f"http://{tab.host}{path}")
    tab.locator("#meta:not(:empty)").wait_for()
