"""A server that is told to stop ends its requests first, and everything is back by then (H25)."""

import asyncio
import json
import time

import pytest

from .client import connection
from .conftest import TARGETS
from .serving import serve
from .settled import balanced, report, wait_until


@pytest.mark.parametrize("name", TARGETS)
def test_terminated_with_requests_in_flight(name, tmp_path):
    """H25: `kill -TERM`; the requests get their whole answers, the process says nothing of an error."""
    server_name, app, _ = TARGETS[name]
    one_at_a_time = name == "flask-sync"
    requests = 1 if one_at_a_time else 4

    async def ask(port, begun):
        async with connection(port) as client:
            client.send("GET", "/slow?seconds=1.5")
            await begun.wait()
            response = await client.head()
            return response.status, b"".join([piece async for piece in client.body(response)])

    async def stop_meanwhile(server):
        begun = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(server.port, begun)) for _ in range(requests)]
            await asyncio.to_thread(_wait_for_all, server, 0 if one_at_a_time else requests)
            server.terminate()
            begun.set()
        return [task.result() for task in tasks]

    with serve(server_name, app, LAST_REPORTS=str(tmp_path)) as server:
        assert asyncio.run(stop_meanwhile(server)) == [(200, b"patient")] * requests
        assert server.wait() in {0, -15}
        assert "Traceback" not in server.tail()
        (last,) = last_reports(tmp_path)
        balanced(last)
        assert last["contexts"]["acquired"] == last["begun"] == requests
        assert last["events"].count("slow ended as patient") == requests
        assert {last[pool][state] for pool in ("contexts", "buffers") for state in ("in_use", "quarantined")} == {0}


def _wait_for_all(server, requests):
    """Wait for the begin of all requests; a server that does one thing at a time cannot be asked meanwhile."""
    if requests:
        wait_until(lambda: report(server)["events"].count("slow began") == requests)
    else:
        time.sleep(0.5)


def forked(folder, **environment):
    """Return the last reports of two workers that a parent with contexts at rest has forked."""

    async def ask_many(port):
        async def ask_some():
            for _ in range(20):
                async with connection(port) as client:
                    assert (await client.ask("GET", "/slow?seconds=0.01")).body == b"patient"

        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(ask_some())

    options = ("--preload", "--workers", "2")
    environment |= {"PREWARM": "8", "LAST_REPORTS": str(folder)}
    with serve("gunicorn-sync", "apps.flask_app:app", *options, **environment) as server:
        asyncio.run(ask_many(server.port))
        server.terminate()
        assert server.wait() == 0
        return last_reports(folder)


def test_forked_workers_start_with_pools_of_their_own(tmp_path):
    """H26: `--preload` builds contexts in the parent; two workers serve, and their figures are theirs alone."""
    workers = forked(tmp_path)
    assert len({worker["pid"] for worker in workers}) == 2
    assert sum(worker["begun"] for worker in workers) == 160
    for worker in workers:
        balanced(worker)
        assert worker["problems"] == []
        assert worker["contexts"]["acquired"] == worker["begun"] > 0
        assert worker["contexts"]["created"] == worker["contexts"]["idle"] == 1


def test_without_the_restart_both_workers_would_have_the_same_contexts(tmp_path):
    """H26: the test above can see what a child has from its parent."""
    workers = forked(tmp_path, SABOTAGE="fork")
    assert [worker["contexts"]["idle"] for worker in workers] == [8, 8]


def last_reports(folder):
    return [json.loads(path.read_text()) for path in folder.glob("*.json")]
