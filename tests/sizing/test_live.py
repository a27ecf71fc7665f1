"""Sizes from what running pools have seen."""

import json
import math
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from poolware import BadOption, ObjectPool, ResourcePool
from poolware.observe import start, stop
from poolware.observe.shared import Share
from poolware.sizing.live import LivePool, fetch, parse
from poolware.web.dashboard import Dashboard

GOOD = {"name": "db", "in_use": 3, "peak": 20, "acquired": 30_000, "hold_mean_s": 0.02, "observed_s": 60.0}


@pytest.fixture
def serve():
    """Serve a text over HTTP and return its address."""
    servers = []

    def start(text, status=200):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_args):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/pools"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_live_page_says_enough(serve):
    """Two processes: each has half of the acquisitions, and a pool of its own."""
    resource = {
        "pool": "db",
        "figures": {
            "processes": 2,
            "gauges": {"in_use": 6, "peak_in_use": 20},
            "counters": {"hold_total": 2.0, "released": 100},
        },
        "lately": {"seconds": 60.0, "acquired": 60_000},
    }
    memory = {"pool": "contexts", "figures": {"counters": {}}, "lately": {"seconds": 60.0}}
    (pool,) = fetch(serve(json.dumps({"schema": 1, "pools": [resource, memory]})))
    assert pool == LivePool(**GOOD)


def test_the_live_page_itself_is_understood(tmp_path):
    """What is served is what is read."""
    tmp_path.chmod(0o700)
    with ResourcePool(object, min_size=0, name="db") as pool:
        start(every=0.05, share=Share(tmp_path))
        try:
            while True:
                with pool.lease():
                    time.sleep(0.001)  # holds it for a while
                document = Dashboard(directory=tmp_path).answer("GET", "/data.json").body
                if found := [live for live in parse(document) if live.name == "db" and live.acquired]:
                    break
        finally:
            stop()
    assert found[0].size() is not None


def test_sizes_follow_from_rate_hold_time_and_peak():
    size = LivePool(**GOOD).size()
    assert (size.in_use, size.minimum, size.initial, size.maximum) == (pytest.approx(10), 5, 13, 20)


def test_a_pool_that_nobody_used_has_no_size():
    assert LivePool(**GOOD | {"acquired": 0}).size() is None


def test_a_running_pool_is_sized_by_its_own_statistics(serve):
    """Four threads that hold an object for 5 ms, over and over."""
    pool = ObjectPool(list, reset=None, name="notebooks")
    held, peaks = [], []

    def work():
        for _ in range(20):
            began = time.perf_counter()
            with pool.lease():
                peaks.append(pool.get_stats().in_use)
                time.sleep(0.005)
            held.append(time.perf_counter() - began)

    began = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stats = pool.get_stats()
    figures = {
        "name": stats.name,
        "in_use": stats.in_use,
        "peak": max(peaks),
        "acquired": stats.acquired,
        "hold_mean_s": sum(held) / len(held),
        "observed_s": time.perf_counter() - began,
    }
    (found,) = fetch(serve(json.dumps({"pools": [figures | {"further": "ignored"}]})))
    size = found.size()
    assert (found.name, found.acquired) == ("notebooks", 80)
    assert size.in_use == pytest.approx(sum(held) / figures["observed_s"])
    assert size.maximum == figures["peak"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "these are no pools"),
        ("[]", "these are no pools"),
        ("{}", "'pools' is missing"),
        ('{"pools": 3}', "these are no pools"),
        ('{"pools": [3]}', "these are no pools"),
        (json.dumps({"pools": [{"name": "db"}]}), "'in_use' is missing"),
        ("[" * 100_000, "these are no pools"),
        (json.dumps({"pools": [GOOD | {"name": 5}]}), "name=5: it takes a text"),
        (json.dumps({"pools": [GOOD | {"acquired": 10**400}]}), "acquired=1000"),
        (json.dumps({"pools": [GOOD | {"acquired": -1}]}), "acquired=-1"),
        (json.dumps({"pools": [GOOD | {"hold_mean_s": math.nan}]}), "hold_mean_s=nan"),
        (json.dumps({"pools": [GOOD | {"observed_s": 0}]}), "observed_s=0"),
        (json.dumps({"pools": [GOOD | {"peak": "9"}]}), "peak='9'"),
    ],
)
def test_what_is_no_statistics_is_refused(text, message):
    with pytest.raises(BadOption, match=message):
        parse(text)


def test_an_answer_that_is_no_http_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            client, _ = server.accept()
            with client:
                client.recv(1000)
                client.sendall(b"220 mail.example.org\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(BadOption, match="it takes the address of an application"):
            fetch(f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()


def test_an_address_that_does_not_answer_so_is_refused(serve):
    with pytest.raises(BadOption, match="HTTP Error 404"):
        fetch(serve("", status=404))
    with pytest.raises(BadOption, match="begins with http"):
        fetch("file:///etc/passwd")
    with pytest.raises(BadOption, match="it takes the address of an application"):
        fetch("http://127.0.0.1:1/")
    with pytest.raises(BadOption, match="it takes"):
        fetch("http://")
