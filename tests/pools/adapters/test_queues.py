"""queue.Queue as a pool: it cannot make new objects, so none is lost and none is shared."""

import queue
import sqlite3
import threading

import pytest

from poolware import PoolTimeout
from poolware.pools.adapters import queues as adapter


class Parser:
    pass


@pytest.fixture(params=[queue.Queue, queue.LifoQueue])
def pool(request):
    pool = request.param(maxsize=1)
    pool.put(Parser())
    return pool


def test_what_was_taken_is_put_back(pool, request_of, told):
    with request_of() as ctx:
        ctx.connection = ctx.borrow(pool)
        assert pool.empty()
        del ctx
    assert pool.qsize() == 1
    assert told() == []


def test_put_back_by_hand(pool, request_of):
    """H12: once is enough."""
    with request_of() as ctx:
        pool.put(ctx.borrow(pool))
        del ctx
    assert pool.qsize() == 1


def test_what_is_held_comes_back_when_it_is_let_go(pool, request_of, told, lifecycle):
    """H06: whoever waits for it meanwhile gets it in that moment."""
    with request_of() as ctx:
        kept = [ctx.borrow(pool)]
        del ctx
    assert pool.empty()
    assert lifecycle.discarded == 1
    assert "somebody still holds it; until it is let go" in told()[0][1]

    def wait():
        with request_of() as ctx:
            waiting.set()
            served.append(isinstance(ctx.borrow(pool), Parser))
            del ctx

    waiting, served = threading.Event(), []
    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait(5)
    assert not served
    kept.clear()
    thread.join(5)
    assert served == [True]
    assert pool.qsize() == 1


def test_an_open_transaction_is_rolled_back(tmp_path, request_of, lifecycle):
    """Giving back never commits; nor does the next request, for this one."""
    pool = queue.Queue()
    pool.put(sqlite3.connect(tmp_path / "orders.db"))

    def view(ctx):
        connection = ctx.borrow(pool)
        connection.execute("create table orders (a)")
        connection.execute("insert into orders values (1)")

    with request_of() as ctx:
        view(ctx)
        del ctx
    assert lifecycle.rolled_back == 1
    connection = pool.get()
    assert connection.execute("select * from orders").fetchall() == []
    connection.close()


def test_nothing_to_lend(pool, request_of, monkeypatch):
    """A queue would wait for ever."""
    monkeypatch.setattr(adapter, "WAIT_S", 0.05)
    pool.get()
    with request_of() as ctx, pytest.raises(PoolTimeout) as raised:
        ctx.borrow(pool)
    assert isinstance(raised.value.__cause__, queue.Empty)
    del ctx, raised
