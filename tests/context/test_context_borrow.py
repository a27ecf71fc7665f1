"""What hangs on a context goes back exactly once, the last first, whatever the others do."""

import asyncio
import logging

import pytest
from requests_sample import AppContext, http_scope

from poolware import BufferPool, Context, ContextReleased, ObjectPool, SecretField, secret
from poolware.web.lifecycle import Lifecycle


class Recorder:
    """A pool that notes what it is given back."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.lent, self.back, self.error = 0, [], error

    def acquire(self) -> str:
        self.lent += 1
        return f"object {self.lent}"

    def release(self, obj: str) -> None:
        self.back.append(obj)
        if self.error is not None:
            raise self.error


ENDINGS = ["release", "finish", "finish while held"]


def end(pool, scope, how):
    if how == "release":
        pool.release(scope.pop("poolware.ctx"))
        return
    holder = [scope["poolware.ctx"]] if how == "finish while held" else []
    pool._kind.cycle.finish(scope)
    del holder


@pytest.fixture
def pool():
    return ObjectPool(AppContext)


@pytest.fixture
def scope(pool):
    carrier = http_scope()
    pool._kind.cycle.begin(carrier)
    return carrier


@pytest.mark.parametrize("how", ENDINGS)
def test_borrowed_objects_go_back_in_reverse_order(pool, scope, how):
    recorder = Recorder()
    borrowed = [scope["poolware.ctx"].borrow(recorder) for _ in range(3)]
    assert recorder.back == []
    end(pool, scope, how)
    assert recorder.back == borrowed[::-1]
    assert pool.acquire()._lent is None
    assert len(recorder.back) == 3


@pytest.mark.parametrize("how", ENDINGS)
def test_failing_release_does_not_stop_the_others(pool, scope, how, caplog):
    """H29: it is logged; the context is wiped and used again."""
    recorders = [Recorder(), Recorder(ValueError("gone")), Recorder()]
    ctx = scope["poolware.ctx"]
    for recorder in recorders:
        ctx.borrow(recorder)
    ctx.token = "geheim"
    memory = ctx.token._memory.obj
    del ctx
    end(pool, scope, how)
    assert [recorder.back for recorder in recorders] == [["object 1"]] * 3
    assert bytes(memory) == bytes(len(memory))
    assert "did not take back what a request had borrowed" in caplog.text
    assert "ValueError: gone" in caplog.text


@pytest.mark.parametrize("how", ENDINGS)
@pytest.mark.parametrize("error", [asyncio.CancelledError, KeyboardInterrupt, SystemExit])
def test_interrupted_release_does_not_stop_the_others(pool, scope, how, error):
    """H18 H35: an abort of gunicorn's or a timeout of gevent's arrives there as well; wiped on every path."""
    recorders = [Recorder(), Recorder(error()), Recorder()]
    ctx = scope["poolware.ctx"]
    for recorder in recorders:
        ctx.borrow(recorder)
    ctx.token = "geheim"
    memory = ctx.token._memory.obj
    del ctx
    with pytest.raises(error):
        end(pool, scope, how)
    assert [recorder.back for recorder in recorders] == [["object 1"]] * 3
    assert bytes(memory) == bytes(len(memory))


def test_what_was_given_back_by_hand_is_not_given_back_again(pool, scope, caplog):
    """H12: and nobody is alarmed."""
    caplog.set_level(logging.INFO)
    rows, buffers = ObjectPool(list, reset=list.clear), BufferPool()
    ctx = scope["poolware.ctx"]
    rows.release(ctx.borrow(rows))
    ctx._home = Lifecycle(AppContext, buffers=buffers)
    ctx.buffer(10).release()
    del ctx
    end(pool, scope, "release")
    assert (rows.get_stats().released, buffers.get_stats().released) == (1, 1)
    assert caplog.text == ""


@pytest.mark.parametrize("how", ["release", "finish while held"])
def test_nothing_can_be_borrowed_while_giving_back(pool, scope, how):
    """H06 invariant 4: what a holder asks for in that moment is refused, or goes back as well."""
    late, refused, holder = Recorder(), [], [scope["poolware.ctx"]]

    class Asks(Recorder):
        def release(self, obj):
            try:
                holder[0].borrow(late)
            except ContextReleased as error:
                refused.append(error)

    holder[0].borrow(Asks())
    end(pool, scope, how)
    assert len(refused) + len(late.back) == 1
    assert len(late.back) == late.lent


@pytest.mark.parametrize("how", ENDINGS)
def test_buffers_go_back(how):
    """H08: and every use of one that was kept raises."""
    life = Lifecycle(AppContext)
    scope = http_scope()
    buffer = life.begin(scope).buffer(100)
    buffer.write(b"geheim")
    end(life.pool, scope, how)
    assert buffer.closed
    assert (life.buffers.get_stats().in_use, life.buffers.get_stats().idle) == (0, 1)


class Job(Context):
    token: SecretField = secret()


def test_dropped_context_gives_back_what_it_borrowed():
    """Never released, and held by nobody: taken back when noticed, with all that hangs on it."""
    recorder, pool = Recorder(), ObjectPool(Job)
    pool.acquire().borrow(recorder)
    assert pool.get_stats().lost == 1
    assert recorder.back == ["object 1"]
