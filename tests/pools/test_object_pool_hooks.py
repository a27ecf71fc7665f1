"""A factory, reset or validate that fails: the object is given up, the pool is unharmed, and nobody else notices."""

import io

import pytest
from pool_samples import Tool, check_books, tool_pool

from poolware import AlreadyReleased, Context, ForeignObject, ObjectPool, field


def test_failing_reset_discards_the_object(caplog):
    """H29: release does not raise; it is counted and logged."""
    pool = tool_pool(name="tools")
    held = [pool.acquire()]
    held[0].broken = True
    pool.release(held.pop())
    stats = check_books(pool)
    assert (stats.reset_errors, stats.idle, stats.destroyed) == (1, 0, 1)
    assert "pool 'tools': reset failed; the object is discarded" in caplog.text
    assert not pool.acquire().broken


def test_failing_resets_do_not_use_up_the_room():
    """H29: no place is lost, however often."""
    pool = tool_pool(max_idle=2)
    for _ in range(5):
        held = [pool.acquire()]
        held[0].broken = True
        pool.release(held.pop())
    held = [pool.acquire() for _ in range(2)]
    while held:
        pool.release(held.pop())
    assert check_books(pool).idle == 2


@pytest.mark.parametrize("answer", [False, 0, None, "", "raises"])
def test_invalid_object_is_discarded(answer):
    """H29: another one is taken; an exception counts as a no."""

    def validate(tool):
        if tool.broken and answer == "raises":
            raise ValueError("cannot")
        return answer if tool.broken else True

    pool = tool_pool(validate=validate, prewarm=2)
    pool._idle[-1].broken = True
    held = [pool.acquire()]
    assert not held[0].broken
    stats = check_books(pool)
    assert (stats.validation_failures, stats.hits, stats.misses) == (1, 1, 0)


def test_all_invalid_means_a_new_one():
    """H29: acquire never raises for it, and never waits."""
    pool = tool_pool(validate=lambda tool: False, prewarm=3)
    held = [pool.acquire()]
    assert held[0].resets == 0
    stats = check_books(pool)
    assert (stats.validation_failures, stats.misses, stats.idle) == (3, 1, 0)


def test_new_object_is_not_validated():
    asked = []
    pool = tool_pool(validate=asked.append)
    pool.acquire()
    assert asked == []


def fails_from(call):
    calls = []

    def factory():
        calls.append(1)
        if len(calls) >= call:
            raise ConnectionError("no more")
        return Tool()

    return factory


def test_failing_factory_raises_and_nothing_is_counted():
    """H29: no place is lost."""
    pool = ObjectPool(fails_from(2), reset=Tool.reset, max_idle=1)
    tool = pool.acquire()
    for _ in range(3):
        with pytest.raises(ConnectionError, match="no more"):
            pool.acquire()
    pool.release(tool)
    del tool
    stats = check_books(pool)
    assert (stats.created, stats.acquired, stats.idle) == (1, 1, 1)


def test_failing_factory_at_prewarm_raises():
    """H40: at start, where it is seen."""
    with pytest.raises(ConnectionError):
        ObjectPool(fails_from(3), reset=None, prewarm=5)


@pytest.mark.parametrize("call", range(1, 7))
def test_failing_factory_of_a_field(call):
    """H29: whether the context was being built or made ready again; later ones are complete."""
    factory = fails_from(call)

    class Job(Context):
        first: Tool = field(factory=factory)
        second: Tool = field(factory=factory)
        rows: list[int] = field(factory=list)

    pool, failed = ObjectPool(Job), 0
    for _ in range(3):
        try:
            held = [pool.acquire()]
        except ConnectionError:
            failed += 1
        else:
            assert isinstance(held[0].second, Tool)
            pool.release(held.pop())
    stats = pool.get_stats()
    assert failed == 3 - (call - 1) // 2
    assert (stats.in_use, stats.acquired) == (0, 3 - failed)
    assert stats.created - stats.destroyed == stats.idle


def test_reset_comes_before_the_next_acquire():
    """H11: at the release, so that nothing of one request rests in the pool."""
    pool = tool_pool()
    tool = pool.acquire()
    tool.owner = "somebody"
    pool.release(tool)
    assert (tool.owner, tool.resets) == (None, 1)


FOREIGN = [None, 1, "text", [], {}, object(), Tool(), Tool, ...]


class Job(Context):
    pass


@pytest.mark.parametrize("make", [tool_pool, lambda: ObjectPool(Tool, reset=None), lambda: ObjectPool(Job)])
@pytest.mark.parametrize("obj", FOREIGN, ids=lambda obj: type(obj).__name__)
def test_foreign_object_is_refused(make, obj):
    """H13: also None, what cannot be hashed, and what was made by the same factory."""
    pool = make()
    with pytest.raises(ForeignObject, match=f"{type(obj).__name__} object is not in use here: it is another pool's"):
        pool.release(obj)
    stats = check_books(pool)
    assert (stats.refused, stats.idle, stats.created) == (1, 0, 0)


@pytest.mark.parametrize("make", [tool_pool, lambda: ObjectPool(Job)])
def test_object_of_another_pool_is_refused(make):
    """H13: and stays in use where it came from."""
    ours, theirs = make(), make()
    obj = theirs.acquire()
    with pytest.raises(ForeignObject):
        ours.release(obj)
    theirs.release(obj)
    assert check_books(theirs).released == 1


@pytest.mark.parametrize("make", [tool_pool, lambda: ObjectPool(Job)])
@pytest.mark.parametrize("held", [False, True])
def test_second_release_is_refused(make, held):
    """H12: whether the object rests or waits in quarantine; the next two get different objects."""
    pool = make()
    obj = pool.acquire()
    also = [obj] if held else []
    pool.release(obj)
    for _ in range(2):
        with pytest.raises(AlreadyReleased, match=rf"pool '{pool.name}': this object has already been released"):
            pool.release(obj)
    del obj
    also.clear()
    first, second = pool.acquire(), pool.acquire()
    assert first is not second
    assert check_books(pool).refused == 2


def test_discarded_object_is_refused():
    """H13: destroyed is not in use."""
    pool = tool_pool()
    tool = pool.acquire()
    tool.broken = True
    pool.release(tool)
    with pytest.raises(ForeignObject, match="or was dropped"):
        pool.release(tool)


def test_what_is_to_be_closed_does_not_belong_here(caplog):
    """An ObjectPool drops what it does not keep: a connection would stay open."""

    class Connection:
        def close(self):
            pass

    pool = ObjectPool(Connection, reset=None, name="connections")
    pool.release(pool.acquire())
    pool.prewarm(2)
    (message,) = caplog.messages
    assert message.endswith("Connection has close(), which an ObjectPool never calls; use a ResourcePool")


@pytest.mark.parametrize("factory", [io.BytesIO, io.StringIO, dict, list])
def test_what_need_not_be_closed_belongs_here(factory, caplog):
    ObjectPool(factory, reset=None).acquire()
    assert caplog.messages == []
