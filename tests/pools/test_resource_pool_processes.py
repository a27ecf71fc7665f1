"""Resource pools in processes that are forked, patched by gevent, or about to end."""

import os
import subprocess
import sys
import textwrap
from importlib.util import find_spec

import pytest
from resource_samples import PATIENCE, agree, in_thread, resource_pool, wait_until


def script(text):
    """Run `text` in a process of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # CPython: it has threads; that is the point
def test_a_fork_while_threads_wait():
    """H26: the child waits for nobody, lends resources of its own, and closes none of its parent's."""
    pool = resource_pool(max_size=1, timeout=PATIENCE)
    held = pool.acquire()
    waiting = [in_thread(lambda: pool.release(pool.acquire())) for _ in range(3)]
    wait_until(lambda: pool.get_stats().waiting == 3)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            pool.release(held)  # the parent's: none of the child's business
            own = pool.acquire()
            assert own.number != held.number
            pool.release(own)
            pool.close()
            stats = agree(pool)
            assert (stats.waiting, stats.created, stats.destroyed) == (0, 1, {"closed": 1})
            assert own.closed
            assert not held.closed
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert pool.get_stats().waiting == 3
    pool.release(held)
    for thread, results in waiting:
        thread.join(PATIENCE)
        assert results == [None]
    assert agree(pool).created == 1


def test_an_interpreter_that_ends_with_resources_out():
    """H35: while one thread waits, one is in the factory, and a finalizer gives something back at the very end."""
    assert script("""
        import threading, time
        from poolware import ResourcePool

        class Resource:
            def close(self): print("closed")

        class Last:
            def __del__(self): pool.release(held)

        pool = ResourcePool(Resource, max_size=2, reset=lambda resource: None)
        slow = ResourcePool(threading.Event().wait)
        held, other = pool.acquire(), pool.acquire()
        for call in (pool.acquire, slow.acquire):
            threading.Thread(target=call, daemon=True).start()
        while not (pool.get_stats().waiting and slow.get_stats().creating):
            time.sleep(0.001)
        last = Last()
        print("end")
    """) == ["end"]


@pytest.mark.skipif(find_spec("gevent") is None, reason="needs gevent")
def test_greenlets():
    """H34: they wait for each other, time out, and are killed, as threads do; no slot is lost."""
    assert script("""
        from gevent import monkey
        monkey.patch_all()
        import gevent
        from poolware import ResourcePool

        pool = ResourcePool(object, max_size=4, timeout=20, reset=lambda resource: gevent.sleep(0),
                            validate=id, validate_on=["acquire", "release"], validate_after=0)
        hands, twice = set(), []

        def use():
            for _ in range(20):
                with pool.lease() as resource:
                    twice.extend({id(resource)} & hands)
                    hands.add(id(resource))
                    try:
                        gevent.sleep(0)
                    finally:
                        hands.discard(id(resource))

        def give_up():
            for _ in range(20):
                with gevent.Timeout(0.002, False):
                    use()

        everybody = [gevent.spawn(use if number % 4 else give_up) for number in range(30)]
        gevent.sleep(0.01)
        gevent.killall(everybody[:5], block=False)
        gevent.joinall(everybody)
        assert not [greenlet for greenlet in everybody if greenlet.exception]
        pool._look_after()
        while pool.get_stats().busy or pool.get_stats().creating:
            gevent.sleep(0.001)
        held = [pool.acquire() for _ in range(4)]
        assert not twice and len(set(map(id, held))) == 4
        for resource in held:
            pool.release(resource)
        pool.close()
        print(sum(pool.get_stats().destroyed.values()) - pool.get_stats().created)
    """) == ["0"]
