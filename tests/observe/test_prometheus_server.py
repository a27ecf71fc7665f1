"""A real Prometheus scrapes /metrics; a rule fires there and resolves; every panel of the dashboard can be asked."""

import contextlib
import json
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from importlib import resources
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from promtool import PROMETHEUS, needs_prometheus

from poolware import BufferPool, ObjectPool, ResourcePool
from poolware.observe.rules import changed, prometheus_rules
from poolware.web.metrics import wsgi_app

PATIENCE = 60.0
CONFIG = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: poolware
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def metrics():
    """Serve /metrics of this process."""
    server = make_server("127.0.0.1", 0, wsgi_app, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def prometheus(folder, port):
    """Run a Prometheus; yields a function that asks its API."""
    (folder / "prometheus.yml").write_text(CONFIG.format(port=port))
    sooner = {"lasts": 1, "clears": 1}
    (folder / "rules.yml").write_text(prometheus_rules(changed({"PoolwareCallersWaiting": sooner})))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [PROMETHEUS, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    process = subprocess.Popen(
        [*command, f"--web.listen-address={address}", "--log.level=error"], stderr=subprocess.PIPE, text=True
    )

    def ask(path, **query):
        url = f"http://{address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    try:
        yield ask
    finally:
        process.terminate()
        process.communicate(timeout=20)


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if condition():
                return
        time.sleep(0.1)
    raise AssertionError("it did not happen")


@needs_prometheus
@pytest.mark.timeout(3 * PATIENCE)
def test_prometheus_scrapes_and_a_rule_fires_and_resolves(tmp_path):
    pool = ResourcePool(object, max_size=1, min_size=0, name="scarce")
    others = [ObjectPool(dict, reset=dict.clear, name="scratch"), BufferPool(name="memory")]
    with pool, metrics() as port, prometheus(tmp_path, port) as ask:

        def value(expression):
            return [float(sample["value"][1]) for sample in ask("query", query=expression)["result"]]

        def state():
            alerts = ask("alerts")["alerts"]
            return [alert["state"] for alert in alerts if alert["labels"]["pool"] == "scarce"]

        with pool.lease():
            waiter = threading.Thread(target=lambda: pool.release(pool.acquire(PATIENCE)))
            waiter.start()
            eventually(lambda: value('poolware_pool_waiting{pool="scarce"}') == [1.0])
            eventually(lambda: "firing" in state())
        waiter.join()
        eventually(lambda: value('poolware_acquires_total{pool="scarce"}') == [2.0])
        assert value('poolware_acquire_wait_seconds_count{pool="scarce"}') == [2.0]
        eventually(lambda: "firing" not in state())

        board = json.loads((resources.files("poolware.observe") / "grafana.json").read_text())
        for panel in board["panels"]:
            for target in panel["targets"]:
                expression = target["expr"].replace("$job", ".*").replace("$pool", ".*")
                result = value(re.sub(r"\$__rate_interval", "10s", expression))
                assert result, f"{panel['title']}: {expression}"
    assert [other.get_stats().acquired for other in others] == [0, 0]
