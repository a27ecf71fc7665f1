"""The live page of real servers: all workers of one, whichever of them answers."""

import os
import signal
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect
from servers.serving import HERE as SERVERS
from servers.serving import serve

from .conftest import visit

HERE = Path(__file__).parent
COLUMNS = {"gunicorn-gthread": "live_app:wsgi", "gunicorn-asgi": "live_app:asgi"}
SOON = 30_000


@pytest.mark.parametrize("server", COLUMNS)
def test_all_workers_of_a_server(tab, tmp_path, server):
    """H38: what one of four leaks and another waits for is seen in words, and a killed one goes."""
    environment = {
        "POOLWARE_SHARED_DIR": str(tmp_path / "shared"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), str(SERVERS), os.environ.get("PYTHONPATH")])),
    }
    with serve(server, COLUMNS[server], "--workers", "4", **environment) as site:

        def ask(path):
            with urlopen(f"http://127.0.0.1:{site.port}{path}") as answer:
                return int(answer.read())

        visit(tab, site.port, "/poolware/")
        crew = tab.locator("#crew li")
        expect(crew).to_have_count(4, timeout=SOON)
        expect(tab.locator("h1")).to_have_text("All is well: all 4 pools are healthy.")
        leaking, exhausted = ask("/leak"), ask("/exhaust")

        uploads = tab.locator("#pools > li", has_text="uploads")
        expect(uploads.locator(".verdict")).to_contain_text(
            "A leak in 1 of 4 workers: 12 objects never came back, the oldest for over", timeout=SOON
        )
        database = tab.locator("#pools > li", has_text="database")
        expect(database.locator(".verdict")).to_contain_text(
            "Exhausted in 1 of 4 workers: everything is in use, and 3 requests wait", timeout=SOON
        )
        expect(database.locator(".flag")).to_contain_text("▲", timeout=SOON)

        for victim in {leaking, exhausted}:
            os.kill(victim, signal.SIGKILL)
        for victim in {leaking, exhausted}:
            expect(crew.filter(has_text=f"{victim}:")).to_have_count(0, timeout=SOON)
        expect(crew).to_have_count(4, timeout=SOON)
        expect(tab.locator("h1")).to_have_text("All is well: all 4 pools are healthy.", timeout=SOON)
