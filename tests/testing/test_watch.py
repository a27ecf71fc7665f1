"""watch() and the fixture find what leaked, escaped or was used too late, and say who acquired it and who holds it."""

import os
import subprocess
import sys
import threading

import pytest
from starlette.testclient import TestClient

from poolware import BufferPool, ContextReleased, Lifecycle, ObjectPool, ResourcePool
from poolware.testing import watch

from . import faulty_apps as apps

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    """A new list, which the collector knows: what was there before the tests is hidden from it."""
    monkeypatch.setattr(apps, "kept", [])
    yield
    for kept in apps.kept:
        if isinstance(kept, tuple):
            kept[1].set()
            kept[0].join()


def test_nothing_to_report():
    with watch() as watching, TestClient(apps.starlette()) as client:
        assert client.get("/").text == "fine"
    assert watching.findings() == []


def test_what_was_there_before_does_not_count():
    pool, buffers = ObjectPool(apps.Good), BufferPool()
    before = [pool.acquire(), buffers.acquire(10), pool.acquire()]
    pool.release(before[2])
    with watch():
        pool.release(pool.acquire())


def test_a_leak_names_who_acquired_it_and_who_holds_it(monkeypatch):
    monkeypatch.setenv("POOLWARE_MODE", "debug")
    pool = ObjectPool(apps.Good)

    def borrow_for_ever():
        apps.kept.append(pool.acquire())

    with pytest.raises(AssertionError, match="leaked: Good of no request") as error, watch():
        borrow_for_ever()
    assert "in borrow_for_ever" in str(error.value).split("Acquired at:")[1]
    assert "held by a list" in str(error.value)


def test_a_leak_of_a_resource_names_who_acquired_it_and_who_holds_it():
    pool = ResourcePool(apps.Cart, max_size=3, name="carts", leak_detection="full")
    before = pool.acquire()

    def borrow_for_ever():
        pool.release(before)
        apps.kept.extend((pool.acquire(), pool.acquire()))

    with pytest.raises(AssertionError, match=r"leaked: <testing.faulty_apps.Cart object") as error, watch():
        borrow_for_ever()
    message = str(error.value)
    assert message.startswith("2 findings")
    assert "of pool 'carts' was not released" in message
    assert "in borrow_for_ever" in message.split("Acquired at:")[1]
    assert "held by a list" in message
    for _ in range(2):
        pool.release(apps.kept.pop())
    with watch(), pool.lease():
        pass
    pool.close()


def test_a_resource_that_nobody_holds_any_more_is_a_leak_too():
    pool = ResourcePool(apps.Cart, max_size=3, name="carts")
    with pytest.raises(AssertionError, match="of pool 'carts' was not released"), watch():
        pool.acquire()
    pool.close(timeout=0)


def test_a_leak_of_a_plain_object():
    pool = ObjectPool(apps.Cart, reset=apps.Cart.clear)
    message = r"leaked: <testing.faulty_apps.Cart object .* was not released"
    with pytest.raises(AssertionError, match=message), watch():
        apps.kept.append(pool.acquire())


def test_what_was_dropped_is_a_leak_too():
    pool = ObjectPool(apps.Cart, reset=apps.Cart.clear)
    with pytest.raises(AssertionError, match="leaked: pool 'Cart': 3 objects were dropped unreleased"), watch():
        [pool.acquire() for _ in range(3)]


def test_a_mistake_of_every_request_does_not_fill_the_screen():
    pool = ObjectPool(apps.Good)
    with pytest.raises(AssertionError) as error, watch():
        apps.kept.extend(pool.acquire() for _ in range(50))
    first, *_, last, _ = str(error.value).splitlines()
    assert (first, last) == ("50 findings", "… and 30 more")
    assert str(error.value).count("leaked") == 20


def test_a_leak_of_a_buffer():
    pool = BufferPool(name="scratch")
    with (
        pytest.raises(AssertionError, match="1 buffers of pool 'scratch' were not released\n  held by a list"),
        watch(),
    ):
        apps.kept.append(pool.acquire(100))
    apps.kept.pop().release()


def test_an_unfinished_request_is_named():
    lifecycle = Lifecycle(apps.Good)
    scope = {"type": "http", "method": "GET", "path": "/orders", "headers": []}
    with pytest.raises(AssertionError, match="leaked: Good of GET /orders was not released") as error, watch():
        lifecycle.begin(scope)
    held = [line.strip() for line in str(error.value).splitlines() if "held by" in line]
    assert held == ["held by a dict, under poolware.ctx"]
    lifecycle.finish(scope)


def test_a_context_that_a_thread_keeps():
    """The variable and the thread are named."""
    app = apps.starlette(view=apps.keeps_a_thread_busy)
    with pytest.raises(AssertionError, match="escaped: Good of GET /") as error, watch(), TestClient(app) as client:
        client.get("/")
    assert "variable ctx of keeps_a_thread_busy.<locals>.wait" in str(error.value)
    assert "in thread reporter" in str(error.value)


def use_too_late(pool):
    good = pool.acquire()
    pool.release(good)
    with pytest.raises(ContextReleased):
        good.tenant = "late"


def test_a_use_after_the_end():
    pool = ObjectPool(apps.Good)
    with pytest.raises(AssertionError, match="used after release: this Good was released") as error, watch():
        use_too_late(pool)
    assert "in use_too_late" in str(error.value).split("Used at:")[1]


def test_a_use_on_purpose_can_be_forgiven():
    pool = ObjectPool(apps.Good)
    with watch() as watching:
        use_too_late(pool)
        watching.misused.clear()


def test_an_error_of_the_block_goes_first():
    pool = ObjectPool(apps.Good)
    with pytest.raises(ZeroDivisionError), watch():
        apps.kept.append(pool.acquire() and 1 / 0)


def test_it_waits_for_what_is_just_ending():
    pool = ObjectPool(apps.Good)
    with watch():
        held = [pool.acquire()]
        timer = threading.Timer(0.2, lambda: pool.release(held.pop()))
        timer.start()
    timer.join()


SUITE = """
import pytest
from poolware import ContextReleased, ObjectPool, RequestContext

pool = ObjectPool(RequestContext)
kept = []

def test_good():
    pool.release(pool.acquire())

def test_leaks():
    kept.append(pool.acquire())

def test_uses_too_late():
    ctx = pool.acquire()
    pool.release(ctx)
    with pytest.raises(ContextReleased):
        ctx.user = 1
"""


@pytest.mark.parametrize("mode", ["on", "debug"])
def test_the_plugin_in_a_suite(pytester, mode):
    """Found by pytest without being named; each fault fails the test that has it, and no other."""
    pytester.makepyfile(SUITE)
    pytester.makeini("[pytest]\nusefixtures = poolware_watch\naddopts = -p no:locust -p no:cacheprovider")
    environment = {**os.environ, "POOLWARE_MODE": mode}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v"], env=environment, capture_output=True, text=True, check=False
    )
    assert "test_good PASSED" in done.stdout
    assert "ERROR test_the_plugin_in_a_suite.py::test_leaks" in done.stdout
    assert "ERROR test_the_plugin_in_a_suite.py::test_uses_too_late" in done.stdout
    assert "3 passed, 2 errors" in done.stdout
    assert ("in test_leaks" in done.stdout) == (mode == "debug")
    assert ("POOLWARE_MODE=debug shows where" in done.stdout) == (mode == "on")
