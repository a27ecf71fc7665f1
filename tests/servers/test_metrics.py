"""One /metrics for all workers of a server, and what the workers tell each other (H36, H37)."""

import contextlib
import os
import re
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from prometheus_client.parser import text_string_to_metric_families

from poolware.observe.shared import merged, read_all

from .client import get
from .serving import serve
from .settled import wait_until

COLUMNS = {"gunicorn-gthread": "apps.metrics_app:wsgi", "gunicorn-asgi": "apps.metrics_app:asgi"}
HOOKS = ("-c", "python:poolware.web.gunicorn", "--workers", "4")
WORKERS = 4
REQUESTS = 400


eventually = partial(wait_until, looks=1500)
"""Workers tell each other their figures every two seconds, or when the machine has time for that."""


@contextlib.contextmanager
def running(server, folder, *options):
    """Run a server whose workers have all begun to watch; what it makes is in `folder`."""
    environment = {"POOLWARE_SHARED_DIR": str(folder / "shared"), "TMPDIR": str(folder)}
    with serve(server, COLUMNS.get(server, "apps.metrics_app:wsgi"), *HOOKS, *options, **environment) as site:
        site.shared = folder / "shared"
        eventually(lambda: len(told(site)) == WORKERS)
        yield site


def load(server, requests=REQUESTS):
    """Send requests, eight at a time; return how many each worker has answered."""
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: get(server.port, "/"), range(requests)))
    assert {answer.status for answer in answers} == {200}
    return Counter(int(answer.headers["x-pid"]) for answer in answers)


def scrape(server):
    """Return every sample of /metrics by its name and labels."""
    text = get(server.port, "/metrics").body.decode()
    families = text_string_to_metric_families(text)
    return {(s.name, *sorted(s.labels.items())): s.value for family in families for s in family.samples}


def figure(samples, name, pool="Visit", kind="object"):
    return samples[name, ("kind", kind), ("pool", pool)]


def told(server):
    """Return how many requests each worker has told the others of."""
    return {said["process"]["pid"]: said["pools"][0]["counters"]["acquired"] for said in read_all(server.shared)}


def acquires(server):
    return figure(scrape(server), "poolware_acquires_total")


@pytest.mark.parametrize("server", COLUMNS)
def test_one_scrape_adds_up_to_the_requests_sent(server, tmp_path):
    """H36, H37: the counters of four workers are exact, whichever answers; labels are pools, kinds and causes.

    H25: after `kill -9` of one its counts are still there, and its gauges are not.
    """
    with running(server, tmp_path) as site:
        served = load(site)
        eventually(lambda: acquires(site) >= REQUESTS)
        samples = scrape(site)
        assert figure(samples, "poolware_acquires_total") == REQUESTS
        assert figure(samples, "poolware_releases_total") == REQUESTS
        assert figure(samples, "poolware_pool_in_use") == 0
        assert figure(samples, "poolware_pool_max_idle") == WORKERS * 1024
        assert figure(samples, "poolware_acquires_total", "Visit buffers", "buffer") == REQUESTS
        ours = [key for key in samples if key[0].startswith("poolware_")]
        assert {name for _, *labels in ours for name, _ in labels} == {"pool", "kind"}
        eventually(lambda: +Counter(told(site)) == served)
        assert [pool.counters["acquired"] for pool in merged(read_all(site.shared))] == [REQUESTS, REQUESTS]

        victim = next(iter(served))
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: victim not in told(site) and len(told(site)) == WORKERS)
        eventually(lambda: figure(scrape(site), "poolware_pool_max_idle") == WORKERS * 1024)
        load(site, 40)
        eventually(lambda: acquires(site) >= REQUESTS + 40)
        assert acquires(site) == REQUESTS + 40


def test_an_application_that_does_not_load_leaves_nothing_behind(tmp_path):
    with (
        pytest.raises(RuntimeError, match="before it listened"),
        serve("gunicorn-gthread", "apps.metrics_app:nothing", *HOOKS, "--preload", TMPDIR=str(tmp_path)),
    ):
        pass
    assert list(tmp_path.glob("poolware-*")) == []


def test_a_directory_that_somebody_else_made_is_no_reason_not_to_serve(tmp_path):
    (tmp_path / "shared").mkdir(0o755)
    environment = {"POOLWARE_SHARED_DIR": str(tmp_path / "shared"), "TMPDIR": str(tmp_path)}
    with serve("gunicorn-gthread", COLUMNS["gunicorn-gthread"], *HOOKS[:2], **environment) as site:
        assert get(site.port, "/").status == 200
        assert acquires(site) == 1
        assert "are not shared" in site.tail()


@pytest.mark.parametrize("server", [*COLUMNS, "gunicorn-gevent"])
def test_what_workers_counted_last_is_told_at_their_end(server, tmp_path):
    """H26: with --preload each worker counts for itself, and the arbiter publishes nothing.

    H34: with gevent, whose workers replace threads after poolware was imported, as well.
    H25: workers that are told to end right after the load tell what it was; the arbiter leaves nothing behind.
    """
    with running(server, tmp_path, "--preload") as site:
        assert site.process.pid not in told(site)
        (made,) = tmp_path.glob("poolware-prometheus-*")
        assert made.stat().st_mode & 0o077 == 0
        old = set(told(site))
        load(site)
        site.process.send_signal(signal.SIGHUP)
        eventually(lambda: not old & set(told(site)) and len(told(site)) == WORKERS)
        eventually(lambda: figure(scrape(site), "poolware_pool_max_idle") == WORKERS * 1024)
        assert acquires(site) == REQUESTS
        site.stop()
        assert not made.exists()
        assert list(site.shared.iterdir()) == []
        assert not re.search("Traceback|failed", site.tail())
