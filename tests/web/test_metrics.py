"""The /metrics applications, without a server."""

import asyncio
import os
import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from poolware import ObjectPool
from poolware.web import metrics


def wsgi(method="GET"):
    answers = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": "/", "QUERY_STRING": ""}
    body = b"".join(metrics.wsgi_app(environ, lambda status, headers: answers.append((status, dict(headers)))))
    return (*answers[0], body.decode())


def asgi():
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    asyncio.run(metrics.asgi_app(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return str(sent[0]["status"]), headers, sent[1]["body"].decode()


@pytest.mark.parametrize("ask", [wsgi, asgi])
def test_it_tells_how_things_are_now(ask):
    pool = ObjectPool(dict, reset=None, name=f"asked by {ask.__name__}")
    for acquired in (1, 2):
        with pool.lease():
            status, headers, text = ask()
        assert status.startswith("200")
        assert headers["Content-Type"].startswith("text/plain")
        samples = {
            (s.name, s.labels.get("pool")): s.value
            for family in text_string_to_metric_families(text)
            for s in family.samples
        }
        assert samples["poolware_acquires_total", pool.name] == acquired
        assert samples["poolware_pool_in_use", pool.name] == 1


def test_it_is_read_only():
    """H38"""
    status, headers, _ = wsgi("POST")
    assert status.startswith("405")
    assert headers["Allow"] == "OPTIONS,GET"


TWO_PROCESSES = """
import os, sys
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
from poolware import ObjectPool
from poolware.observe import take
from poolware.observe.prometheus import exporter
from poolware.web.metrics import wsgi_app

pool = ObjectPool(dict, reset=None, name="p")
child = os.fork()
if not child:
    held = pool.acquire()
    exporter()(take())
    os._exit(0)
os.waitpid(child, 0)
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "QUERY_STRING": ""}
print(b"".join(wsgi_app(environ, lambda *_: None)).decode())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_the_gauges_of_a_process_that_ended_without_a_word_go(tmp_path):
    """H36: on a server that tells nobody of a worker's end; what that has counted stays."""
    done = subprocess.run(
        [sys.executable, "-c", TWO_PROCESSES, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    samples = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines() if line.startswith("poolware_"))
    assert samples['poolware_acquires_total{kind="object",pool="p"}'] == "1.0"
    assert samples['poolware_pool_in_use{kind="object",pool="p"}'] == "0.0"
    assert samples['poolware_pool_max_idle{kind="object",pool="p"}'] == "1024.0"
