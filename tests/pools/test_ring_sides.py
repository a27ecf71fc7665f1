"""A producer here and a consumer there: threads, tasks of asyncio and of trio, in any mixture."""

import asyncio
import contextlib
import gc
import random
import signal
import threading

import anyio
import anyio.lowlevel
import pytest
import trio

from poolware import BufferPool, BufferRing, RingClosed, RingMisuse, RingTimeout

SIDES = ["thread", "asyncio", "trio"]
SIZE = 12_000
CONTENT = random.Random(7).randbytes(SIZE)


pytestmark = pytest.mark.usefixtures("fast_switching")


@pytest.fixture(params=["asyncio", "trio"])
def backend(request):
    return request.param


def pieces(seed=1):
    chance, start = random.Random(seed), 0
    while start < SIZE:
        size = chance.choice([1, 3, 16, 50])
        yield CONTENT[start : start + size]
        start += size


def run_in_thread(results, target, *args):
    def run():
        try:
            results.append(target(*args))
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def feed(ring):
    with ring.producing():
        for piece in pieces():
            ring.put(piece)


async def afeed(ring):
    with ring.producing():
        for piece in pieces():
            await ring.aput(piece)


def read(ring):
    return b"".join(bytes(view) for view in ring)


async def aread(ring):
    return b"".join([bytes(view) async for view in ring])


def on(side, blocking, awaited, ring):
    return blocking(ring) if side == "thread" else anyio.run(awaited, ring, backend=side)


@pytest.mark.parametrize("slots", [1, 2, 64])
@pytest.mark.parametrize("consumer", SIDES)
@pytest.mark.parametrize("producer", SIDES)
def test_every_byte_in_order(producer, consumer, slots):
    """H34: each side in a thread of its own, with a loop of its own where it needs one."""
    pool, results = BufferPool(), []
    with BufferRing(slots=slots, slot_size=16, buffers=pool) as ring:
        thread = run_in_thread(results, on, producer, feed, afeed, ring)
        assert on(consumer, read, aread, ring) == CONTENT
        thread.join()
        assert results == [None]
        stats = ring.get_stats()
        assert (stats.free, stats.committed, stats.read, stats.dropped) == (slots, stats.read, stats.committed, 0)
    assert (pool.get_stats().in_use, pool.get_stats().quarantined) == (0, 0)


def test_two_tasks_of_one_loop(backend):
    async def main():
        with BufferRing(slots=2, slot_size=16) as ring:
            async with anyio.create_task_group() as group:
                group.start_soon(afeed, ring)
                assert await aread(ring) == CONTENT

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("when_full", ["drop_newest", "drop_oldest"])
def test_a_ring_that_drops_never_waits(when_full):
    """H34: what arrives is in order, whole, and with what was dropped adds up to what was put."""
    results = []
    with BufferRing(slots=4, slot_size=8, when_full=when_full) as ring:

        def put_numbers():
            with ring.producing():
                for number in range(2000):
                    ring.put(b"%08d" % number)

        thread = run_in_thread(results, put_numbers)
        numbers = [int(bytes(view)) for view in ring]
        thread.join()
        stats = ring.get_stats()
    assert results == [None]
    assert numbers == sorted(set(numbers))
    assert stats.committed == 2000 == len(numbers) + stats.dropped
    assert stats.producer_waits == 0
    assert (numbers[-1] == 1999) or when_full == "drop_newest"


def test_a_view_that_ends_in_another_thread_lets_a_waiting_producer_go_on():
    """H07: backpressure reaches from a transport to the producer."""
    results, taken = [], threading.Semaphore(0)
    with BufferRing(slots=2, slot_size=8) as ring:
        ring.put(b"a")
        held = [ring.peek()[:]]
        ring.consume()

        def put_more():
            ring.put(b"b")
            taken.release()
            ring.put(b"c")

        thread = run_in_thread(results, put_more)
        taken.acquire()
        while not ring.get_stats().producer_waits:
            pass
        assert results == []
        held.clear()
        thread.join()
        assert results == [None]
        assert ring.get_stats().filled == 2


def test_views_in_cycles_while_another_thread_collects():
    """H07, H08: what is seen is right until it is let go of, whoever finds out that it was."""

    class Holder:
        pass

    pool, done, results, held, chance = BufferPool(), threading.Event(), [], [], random.Random(3)

    def collect():
        while not done.is_set():
            gc.collect(0)

    def put_numbers():
        with ring.producing():
            for number in range(2000):
                ring.put(b"%08d" % number)

    with BufferRing(slots=8, slot_size=8, buffers=pool) as ring:
        threads = [run_in_thread(results, collect), run_in_thread(results, put_numbers)]
        for number, view in enumerate(ring):
            assert bytes(view) == b"%08d" % number
            if chance.random() < 0.05:
                holder = Holder()
                holder.itself, holder.view = holder, view[:]
                del holder
            elif chance.random() < 0.1 and len(held) < 4:
                held.append((view[4:], bytes(view[4:])))
            elif held and chance.random() < 0.2:
                kept, content = held.pop(chance.randrange(len(held)))
                assert bytes(kept) == content
                del kept
        done.set()
        for thread in threads:
            thread.join()
        held.clear()
        gc.collect()
        assert ring.get_stats().free == 8
    assert results == [None, None]
    assert (pool.get_stats().in_use, pool.get_stats().quarantined) == (0, 0)


# --- closing and errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("producer", SIDES)
def test_closing_wakes_a_waiting_producer(producer):
    results = []
    with BufferRing(slots=1, slot_size=8) as ring:
        thread = run_in_thread(results, on, producer, feed, afeed, ring)
        while not ring.get_stats().producer_waits:
            pass
    thread.join()
    assert [type(result) for result in results] == [RingClosed]


@pytest.mark.parametrize("consumer", SIDES)
def test_closing_wakes_a_waiting_consumer(consumer):
    results = []
    with BufferRing(slots=1, slot_size=8) as ring:
        thread = run_in_thread(results, on, consumer, read, aread, ring)
        while not ring.get_stats().consumer_waits:
            pass
    thread.join()
    assert [type(result) for result in results] == [RingClosed]


@pytest.mark.parametrize("consumer", SIDES)
def test_an_error_of_the_producer_reaches_a_waiting_consumer(consumer):
    results, error = [], ConnectionError("upstream")
    with BufferRing(slots=1, slot_size=8) as ring:
        thread = run_in_thread(results, on, consumer, read, aread, ring)
        while not ring.get_stats().consumer_waits:
            pass
        ring.end(error)
        thread.join()
    assert results == [error]


# --- giving up --------------------------------------------------------------------------------------------------------


def test_timeouts_on_a_loop(backend):
    async def main():
        with BufferRing(slots=1, slot_size=8) as ring:
            for timeout in (0, 0.01):
                with pytest.raises(RingTimeout):
                    await ring.apeek(timeout)
            await ring.aput(b"a", 0)
            for timeout in (0, 0.01):
                with pytest.raises(RingTimeout):
                    await ring.areserve(timeout)
            assert bytes(await ring.apeek(0)) == b"a"

    anyio.run(main, backend=backend)


async def cancelled_after(steps, use, happen):
    """Cancel `use` so many steps after it began; let what it waits for happen two steps before."""
    got = []

    async def wait():
        got.append(await use())

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        for step in range(steps):
            if step == steps - 2:
                happen()
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    if steps < 2:
        happen()
    return got


@pytest.mark.parametrize("steps", range(8))
def test_cancelling_a_waiting_consumer_loses_nothing(backend, steps):
    """H18: at every moment around the wake-up. What one did not get, the next one gets."""

    async def main():
        with BufferRing(slots=1, slot_size=8) as ring:
            got = await cancelled_after(steps, ring.apeek, lambda: ring.put(b"a"))
            (view,) = got or [await ring.apeek(0)]
            assert bytes(view) == b"a"
            assert ring.get_stats().read == 1

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("steps", range(8))
def test_cancelling_a_waiting_producer_loses_nothing(backend, steps):
    """H18: the slot is free for the next one."""

    async def main():
        with BufferRing(slots=1, slot_size=8) as ring:
            ring.put(b"a")
            ring.peek()
            if not await cancelled_after(steps, ring.areserve, ring.consume):
                await ring.areserve(0)
            assert ring.get_stats().lent == 1

    anyio.run(main, backend=backend)


def test_a_signal_while_a_thread_waits():
    """H18, H35: the next one gets what came."""

    class Interrupt(Exception):
        pass

    def interrupt(*_):
        raise Interrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with BufferRing(slots=1, slot_size=8) as ring:
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            with pytest.raises(Interrupt):
                ring.peek()
            ring.put(b"a")
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            with pytest.raises(Interrupt):
                ring.put(b"b")
            assert bytes(ring.peek(0)) == b"a"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_signal_handler_that_uses_the_ring():
    """H35: in the middle of whatever the same thread does with it."""
    seen = []

    def look(*_):
        seen.append(ring.get_stats().slots)
        with contextlib.suppress(RingMisuse, RingTimeout):
            ring.put(b"signal", 0)

    before = signal.signal(signal.SIGALRM, look)
    try:
        with BufferRing(slots=4, slot_size=8) as ring:
            signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
            while len(seen) < 50:
                with contextlib.suppress(RingMisuse, RingTimeout):
                    ring.put(b"normal", 0)
                with contextlib.suppress(RingTimeout):
                    assert bytes(ring.peek(0)) in {b"normal", b"signal"}
                    ring.consume()
            signal.setitimer(signal.ITIMER_REAL, 0)
            stats = ring.get_stats()
            assert stats.free + stats.filled == 4
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# --- misuse -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["producer", "consumer"])
def test_a_second_one_while_one_waits(side):
    results = []
    with BufferRing(slots=1, slot_size=8) as ring:
        use = ring.peek if side == "consumer" else ring.reserve
        if side == "producer":
            ring.put(b"a")
        thread = run_in_thread(results, use)
        while not getattr(ring.get_stats(), f"{side}_waits"):
            pass
        with pytest.raises(RingMisuse, match=f"no second {side}"):
            use(0)
        if side == "producer":
            ring.peek()
            ring.consume()
        else:
            ring.put(b"a")
        thread.join()
    (view,) = results
    assert isinstance(view, memoryview)


def test_many_who_come_at_once():
    """One of them gets the slot, and the others are told."""
    for _ in range(50):
        with BufferRing(slots=8, slot_size=8) as ring:
            barrier, results = threading.Barrier(6), []

            def reserve(ring=ring, barrier=barrier):
                barrier.wait()
                return ring.reserve()

            threads = [run_in_thread(results, reserve) for _ in range(6)]
            for thread in threads:
                thread.join()
            assert sorted(type(result).__name__ for result in results) == ["RingMisuse"] * 5 + ["memoryview"]


def test_a_loop_that_is_gone(backend):
    """H27: nobody is woken there, and that disturbs nobody."""
    ring = BufferRing(slots=1, slot_size=8)

    async def main():
        with anyio.move_on_after(0.01):
            await ring.apeek()

    anyio.run(main, backend=backend)
    ring.put(b"a")

    async def again():
        return bytes(await ring.apeek())

    assert anyio.run(again, backend="trio" if backend == "asyncio" else "asyncio") == b"a"
    ring.close()


def test_a_task_that_a_closed_loop_left_behind():
    """H27: it never leaves, so that the ring can only be closed; and closing it is possible."""
    ring, loop = BufferRing(slots=1, slot_size=8), asyncio.new_event_loop()
    task = loop.create_task(ring.apeek())
    loop.run_until_complete(asyncio.sleep(0))
    loop._ready.clear()
    task._log_destroy_pending = False
    loop.close()
    ring.put(b"a")
    with pytest.raises(RingMisuse):
        ring.peek(0)
    ring.close()


def test_trio_and_asyncio_tell_each_other():
    """One loop in this thread, one in another, byte by byte there and back."""
    there, back, results = BufferRing(slots=1), BufferRing(slots=1), []

    async def echo():
        with back.producing():
            async for view in there:
                await back.aput(view)

    async def ask():
        with there.producing():
            for number in range(300):
                await there.aput(b"%d" % number)
                assert bytes(await back.apeek()) == b"%d" % number
                back.consume()

    with there, back:
        thread = run_in_thread(results, trio.run, echo)
        asyncio.run(ask())
        thread.join()
    assert results == [None]
