"""Log records that name their request, and pools in trouble."""

import asyncio
import io
import logging
import threading

import pytest

from poolware import Lifecycle, ResourcePool
from poolware.observe import watch
from poolware.observe.logs import PoolwareFilter, tag


@pytest.fixture
def log():
    """A logger, and what it has written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(PoolwareFilter())
    handler.setFormatter(logging.Formatter("[%(request_id)s] %(message)s|%(pools)s"))
    logger = logging.getLogger("poolware-test-app")
    logger.addHandler(handler)
    logger.lines = lambda: stream.getvalue().splitlines()
    yield logger
    logger.removeHandler(handler)


def carrier(request_id):
    return {"type": "http", "headers": [(b"x-request-id", request_id.encode())]}


def test_from_the_tag_to_the_end_of_the_response(log, everything_comes_back):
    lifecycle, request = Lifecycle(), carrier("one")
    tag(lifecycle.begin(request))
    log.warning("during")
    lifecycle.finish(request)
    log.warning("after")
    assert log.lines() == ["[one] during|", "[] after|"]


def test_what_outlives_its_request_does_not_speak_for_it(log, everything_comes_back):
    """H10: a thread or task that carries on the request's context variables, on and on."""
    lifecycle = Lifecycle()

    async def serve(name, later):
        request = carrier(name)
        tag(lifecycle.begin(request))
        task = asyncio.create_task(outlive(later))
        await asyncio.to_thread(log.warning, "in a thread")
        lifecycle.finish(request)
        return task

    async def outlive(later):
        await later.wait()
        log.warning("too late")

    async def together():
        later = asyncio.Event()
        tasks = [await serve(name, later) for name in ("one", "two")]
        later.set()
        await asyncio.gather(*tasks)

    asyncio.run(together())
    assert log.lines() == ["[one] in a thread|", "[two] in a thread|", "[] too late|", "[] too late|"]


def test_requests_at_the_same_time(log, everything_comes_back):
    lifecycle, barrier = Lifecycle(), threading.Barrier(4)

    def serve(name):
        request = carrier(name)
        tag(lifecycle.begin(request))
        barrier.wait()
        log.warning(name)
        barrier.wait()
        lifecycle.finish(request)

    threads = [threading.Thread(target=serve, args=[f"request-{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(log.lines()) == [f"[request-{number}] request-{number}|" for number in range(4)]


def test_pools_that_keep_their_callers_waiting_are_named(log):
    with ResourcePool(object, max_size=1, min_size=0, name="scarce") as pool:
        looking = watch.start(every=3600)
        try:
            looking.look()
            log.warning("before")
            with pool.lease():
                looking.look()
                log.warning("during")
        finally:
            watch.stop()
    log.warning("after")
    assert log.lines() == ["[] before|", "[] during|scarce: 1 of 1 in use, 0 waiting", "[] after|"]
