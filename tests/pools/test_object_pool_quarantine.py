"""What somebody still holds waits; it comes back when it is let go, and its number is bounded."""

import gc

import pytest
from pool_samples import check_books, makers, tool_pool

from poolware import Context, ContextReleased, ObjectPool


class Job(Context):
    name: str = ""


MAKERS = makers(Job)


@pytest.fixture(params=MAKERS)
def make(request):
    return MAKERS[request.param]


def release_held(pool, count):
    """Release `count` objects that the returned list goes on holding."""
    held = [pool.acquire() for _ in range(count)]
    for index in range(count):
        pool.release(held[index])
    return held


def test_held_object_is_never_handed_out(make):
    """H06 H12: while anybody has it."""
    pool = make()
    held = release_held(pool, 3)
    following = [pool.acquire() for _ in range(3)]
    assert not {id(obj) for obj in held} & {id(obj) for obj in following}
    stats = check_books(pool)
    assert (stats.quarantined, stats.in_use, stats.idle) == (3, 3, 0)


def test_quarantined_object_comes_back_when_let_go(make):
    pool = make()
    held = release_held(pool, 3)
    identities = {id(obj) for obj in held}
    pool.acquire()
    held.clear()
    back = [pool.acquire() for _ in range(4)]
    assert identities <= {id(obj) for obj in back}
    assert check_books(pool).quarantined == 0


def test_object_in_a_reference_cycle_comes_back_after_collection(make):
    pool = make()
    cycle = release_held(pool, 1)
    identity = id(cycle[0])
    cycle.append(cycle)
    assert pool.get_stats().hits == 0
    following = [pool.acquire()]
    del cycle
    gc.collect()
    following.append(pool.acquire())
    assert id(following[1]) == identity


def test_quarantine_is_bounded(make):
    """H30: over the cap the oldest is let go; whoever holds it keeps it."""
    pool = make(max_quarantine=2)
    held = release_held(pool, 5)
    following = [pool.acquire() for _ in range(5)]
    stats = check_books(pool)
    assert (stats.escaped, stats.quarantined, stats.in_use) == (3, 2, len(following))
    identities = [id(obj) for obj in held]
    held.clear()
    back = [pool.acquire(), pool.acquire()]
    assert {id(obj) for obj in back} <= set(identities)


def test_escaped_object_makes_room(make):
    """H30: the pool goes on keeping as many as it was told."""
    pool = make(max_quarantine=0, max_idle=2)
    held = [release_held(pool, 1) for _ in range(6)]
    for _ in range(2):
        use = [pool.acquire() for _ in range(2)]
        while use:
            pool.release(use.pop())
    stats = check_books(pool)
    assert (stats.escaped, stats.idle) == (len(held), 2)


def test_escaped_context_stays_sealed():
    """H06: its holder has nothing that works."""
    pool = ObjectPool(Job, max_quarantine=0)
    held = release_held(pool, 1)
    pool.acquire()
    assert pool.get_stats().escaped == 1
    with pytest.raises(ContextReleased):
        _ = held[0].name


def test_each_call_looks_at_a_few_only():
    """Its time is bounded, however many are held: eight looks a call that finds the pool empty."""
    pool = ObjectPool(Job)
    held = release_held(pool, 20)
    in_use = [pool.acquire()]  # the 20 are now in quarantine, the first eight have been looked at
    held[12] = None  # the last of the eight
    in_use += [pool.acquire(), pool.acquire()]
    assert check_created(pool) == 23
    in_use.append(pool.acquire())
    assert check_created(pool) == 23
    assert (len(in_use), len(pool._quarantine)) == (4, 19)


def check_created(pool):
    return pool._tallies["created"].value


def test_held_object_that_nobody_reset_is_reset_before_it_comes_back():
    """A tool cannot be sealed: what its holder did to it after the release is undone."""
    pool = tool_pool()
    held = release_held(pool, 1)
    following = [pool.acquire()]
    held[0].owner = "late"
    held.clear()
    following.append(pool.acquire())
    assert following[1].owner is None
    assert pool.get_stats().hits == 1


def test_failing_reset_on_the_way_back_discards():
    """H29."""
    pool = tool_pool()
    held = release_held(pool, 1)
    following = [pool.acquire()]
    held[0].broken = True
    held.clear()
    following.append(pool.acquire())
    assert not any(tool.broken for tool in following)
    stats = check_books(pool)
    assert (stats.reset_errors, stats.quarantined) == (1, 0)


def test_clear_goes_on_watching_what_is_held(make):
    """It is not the pool that keeps it alive; once its holders let go it is reused."""
    pool = make()
    held = release_held(pool, 2)
    in_use = [pool.acquire() for _ in range(2)]
    pool.clear()
    stats = check_books(pool)
    assert (stats.quarantined, stats.in_use) == (2, len(in_use))
    held.clear()
    assert check_books(pool).idle == 2


def test_who_finds_an_object_at_rest_gets_a_sealed_one():
    """H06: the pool doubts it at the next acquisition, whoever has it and however."""
    pool = ObjectPool(Job, prewarm=1)
    found = pool._idle[0]
    found.name = "dirt"
    following = pool.acquire()
    assert following is not found
    assert following.name == ""
    with pytest.raises(ContextReleased):
        found.name = "more"
    pool.release(following)


def test_one_look_frees_all_that_nobody_holds():
    pool = ObjectPool(list, reset=list.clear)
    held = [pool.acquire() for _ in range(6)]
    for obj in held:
        pool.release(obj)
    again = [pool.acquire() for _ in range(6)]
    assert len({*map(id, again), *map(id, held)}) == 12
    del obj, again[:]
    held.clear()
    found = pool._quarantine.sweep(8)
    assert found == len(pool._idle)
    assert found >= 6
