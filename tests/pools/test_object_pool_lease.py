"""with pool.lease() as obj: for the length of a block, however it is left."""

import asyncio

import pytest
from pool_samples import check_books, tool_pool

from poolware import AlreadyReleased, BufferPool


@pytest.fixture(params=["objects", "buffers"])
def lease(request):
    """A pool, and a function that leases from it."""
    if request.param == "objects":
        pool = tool_pool()
        return pool, pool.lease
    buffers = BufferPool()
    return buffers, lambda: buffers.lease(10)


def in_use(pool):
    return pool.get_stats().in_use


def test_lease_gives_back_at_the_end_of_the_block(lease):
    pool, take = lease
    with take():
        assert in_use(pool) == 1
    assert (in_use(pool), pool.get_stats().released) == (0, 1)


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, KeyboardInterrupt, GeneratorExit])
def test_lease_gives_back_after_an_exception(lease, error):
    """H18: and lets it pass."""
    pool, take = lease
    with pytest.raises(error), take():
        raise error
    assert in_use(pool) == 0


@pytest.mark.parametrize("leave", ["return", "break"])
def test_lease_gives_back_when_the_block_is_left_early(lease, leave):
    pool, take = lease

    def use():
        for _ in range(2):
            with take():
                if leave == "return":
                    return
                break

    use()
    assert in_use(pool) == 0
    assert pool.get_stats().acquired == 1


def test_lease_of_an_abandoned_generator_is_given_back(lease):
    """H20: when the generator is closed."""
    pool, take = lease

    def generate():
        with take():
            yield

    generator = generate()
    next(generator)
    assert in_use(pool) == 1
    generator.close()
    assert in_use(pool) == 0


def test_lease_of_what_was_released_by_hand_raises(lease):
    """H12: giving back twice always raises."""
    pool, take = lease
    with pytest.raises(AlreadyReleased), take() as obj:
        pool.release(obj)
    assert in_use(pool) == 0


def test_lease_in_a_loop_reuses_few_objects():
    """The variable of the block holds the object of the round before."""
    pool = tool_pool()
    for _ in range(20):
        with pool.lease() as tool:
            assert tool.owner is None
            tool.owner = "me"
    assert check_books(pool).created <= 2


def test_lease_does_not_hold_the_object_afterwards():
    pool = tool_pool()
    lease = pool.lease()
    with lease:
        pass
    identity = id(pool._idle[0])
    assert id(pool.acquire()) == identity
