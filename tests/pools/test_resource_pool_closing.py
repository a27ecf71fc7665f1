"""ResourcePool: resize, clear, drain, close and fork."""

import os

import pytest
from resource_samples import Resource, agree, in_thread, resource_pool, wait_until

from poolware import BadOption, PoolClosed, PoolTimeout
from poolware.pools.heartbeat import heartbeat


def filled(count=4, **options):
    pool = resource_pool(**options)
    resources = [pool.acquire() for _ in range(count)]
    for resource in resources:
        pool.release(resource)
    return pool, resources


def test_a_smaller_pool_lets_go_of_what_rests_longest():
    pool, resources = filled()
    pool.resize(max_size=2)
    wait_until(lambda: sum(resource.closed for resource in resources) == 2)
    assert [resource.closed for resource in resources] == [True, True, False, False]
    assert agree(pool).destroyed == {"resized": 2}


def test_a_smaller_pool_lets_go_of_what_is_in_use_when_it_comes_back():
    pool = resource_pool()
    resources = [pool.acquire() for _ in range(4)]
    pool.resize(max_size=2)
    assert pool.get_stats().in_use == 4
    for resource in resources:
        pool.release(resource)
    assert agree(pool).idle == 2


def test_a_larger_pool_serves_who_waits():
    pool = resource_pool(max_size=1)
    pool.acquire()
    thread, results = in_thread(pool.acquire)
    wait_until(lambda: pool.get_stats().waiting == 1)
    pool.resize(max_size=2)
    thread.join()
    assert isinstance(results[0], Resource)


@pytest.mark.parametrize("sizes", [{"max_size": 0}, {"min_size": 5}, {"min_size": 3, "max_size": 2}], ids=str)
def test_impossible_sizes_change_nothing(sizes):
    """H40"""
    pool = resource_pool()
    with pytest.raises(BadOption):
        pool.resize(**sizes)
    assert (pool.get_stats().min_size, pool.get_stats().max_size) == (0, 4)


def test_clear_lets_go_of_everything_now_or_later():
    pool, _ = filled(3)
    in_use = pool.acquire()
    pool.clear()
    assert pool.get_stats().idle == 0
    pool.release(in_use)
    assert agree(pool).destroyed == {"cleared": 3}
    assert pool.acquire() is not in_use


def test_drain_waits_for_what_is_in_use():
    pool = resource_pool()
    resource = pool.acquire()
    thread, results = in_thread(pool.drain)
    wait_until(lambda: not pool._stock.open)
    with pytest.raises(PoolClosed):
        pool.acquire()
    pool.release(resource)
    thread.join()
    assert results == [None]
    pool.close()


def test_drain_in_vain_says_so():
    pool = resource_pool()
    resource = pool.acquire()
    with pytest.raises(PoolTimeout, match=r"'db': not everything has come back within 0.01 s; 1 of 4 in use"):
        pool.drain(timeout=0.01)
    pool.release(resource)


def test_close_lets_go_of_everything():
    pool, resources = filled()
    pool.close()
    assert all(resource.closed for resource in resources)
    assert agree(pool).destroyed == {"closed": 4}
    pool.close()


def test_what_comes_back_to_a_closed_pool_is_let_go_of(caplog):
    pool = resource_pool()
    resource = pool.acquire()
    pool.close(timeout=0)
    assert "1 of 4 in use" in caplog.text
    pool.release(resource)
    wait_until(lambda: resource.closed)
    assert agree(pool).destroyed == {"closed": 1}


def test_a_closed_pool_is_looked_after_no_more():
    pool = resource_pool(check_every=0.005)
    with pool.lease():
        beat = pool._beat
        assert beat in heartbeat._beats
    pool.close()
    wait_until(lambda: beat not in heartbeat._beats)


def test_what_is_made_for_a_pool_that_was_closed_meanwhile_is_let_go_of():
    import threading

    go_on, made = threading.Event(), []

    def slow():
        assert go_on.wait(20)
        made.append(Resource())
        return made[0]

    pool = resource_pool(slow)
    thread, results = in_thread(pool.acquire)
    wait_until(lambda: pool.get_stats().creating == 1)
    pool.close(timeout=0)
    thread.join()
    assert isinstance(results[0], PoolClosed)
    go_on.set()
    wait_until(lambda: made and made[0].closed)
    assert agree(pool).destroyed == {"closed": 1}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_begins_anew_and_closes_nothing_of_its_parent():
    """H26: a goodbye from the child would end the parent's connection."""
    pool, (resting,) = filled(1)
    in_use = pool.acquire()
    other = pool.acquire()
    pool.release(other)
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            pool.release(in_use)  # of the parent: nothing happens
            mine = pool.acquire()
            new = mine not in {resting, in_use, other}
            pool.release(mine)
            pool.close()
            stats = pool.get_stats()
            untouched = not (in_use.closed or other.closed)
            os.write(theirs, repr((new, untouched, stats.created, stats.destroyed)).encode())
        finally:
            os._exit(0)
    told = os.read(ours, 1000).decode()
    os.waitpid(child, 0)
    os.close(ours)
    os.close(theirs)
    assert told == repr((True, True, 1, {"closed": 1}))
    pool.release(in_use)
    assert agree(pool).idle == 2
