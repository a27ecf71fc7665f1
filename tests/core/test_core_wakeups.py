"""Sleeping until somebody says so: in threads, on asyncio and on trio."""

import asyncio
import signal
import subprocess
import sys
import threading

import anyio
import anyio.lowlevel
import pytest
import trio

from poolware._core.wakeups import AsyncioWakeup, ThreadWakeup, TrioWakeup, loop_wakeup

LOOPS = {"asyncio": AsyncioWakeup, "trio": TrioWakeup}


@pytest.fixture(params=LOOPS)
def backend(request):
    return request.param


def test_a_thread_sleeps_until_it_is_woken():
    wakeup, woken = ThreadWakeup(), []
    thread = threading.Thread(target=lambda: (wakeup.sleep(), woken.append(True)))
    thread.start()
    assert not woken
    wakeup.wake()
    thread.join()
    assert woken


def test_a_thread_gives_up():
    for timeout in (0, 0.01, -1):
        with pytest.raises(TimeoutError):
            ThreadWakeup().sleep(timeout)


def test_a_thread_sleeps_without_end_if_the_timeout_is_longer_than_the_system_knows():
    wakeup = ThreadWakeup()
    wakeup.wake()
    wakeup.sleep(1e300)


def test_many_calls_count_once_in_a_thread():
    wakeup = ThreadWakeup()
    for _ in range(3):
        wakeup.wake()
    wakeup.sleep()
    with pytest.raises(TimeoutError):
        wakeup.sleep(0)


def test_a_task_sleeps_on_the_loop_that_runs_it(backend):
    async def main():
        assert type(loop_wakeup()) is LOOPS[backend]

    anyio.run(main, backend=backend)


def test_many_calls_count_once_on_a_loop(backend):
    async def main():
        wakeup = loop_wakeup()
        for _ in range(3):
            wakeup.wake()
        await wakeup.sleep()
        with pytest.raises(TimeoutError):
            await wakeup.sleep(0.01)

    anyio.run(main, backend=backend)


def test_a_task_is_woken_by_another_task_and_again(backend):
    async def main():
        wakeup, times = loop_wakeup(), []

        async def sleeper():
            for _ in range(3):
                await wakeup.sleep(10)
                times.append(True)

        async with anyio.create_task_group() as group:
            group.start_soon(sleeper)
            while len(times) < 3:
                wakeup.wake()
                await anyio.lowlevel.checkpoint()

    anyio.run(main, backend=backend)


def test_a_task_is_woken_from_a_thread(backend):
    async def main():
        wakeup = loop_wakeup()
        thread = threading.Thread(target=wakeup.wake)
        async with anyio.create_task_group() as group:
            group.start_soon(wakeup.sleep, 10)
            thread.start()
        thread.join()

    anyio.run(main, backend=backend)


def test_a_call_after_the_end_of_the_loop_is_for_nobody(backend):
    kept = []

    async def main():
        kept.append(loop_wakeup())

    anyio.run(main, backend=backend)
    kept[0].wake()


def test_a_call_that_has_arrived_already_ends_the_next_sleep(backend):
    async def main():
        wakeup = loop_wakeup()
        wakeup.wake()
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        await wakeup.sleep(60)

    anyio.run(main, backend=backend)


def test_cancelling_a_sleeper_cancels_it():
    """H18: and the next sleep is woken as usual."""

    async def on_asyncio():
        wakeup = loop_wakeup()
        task = asyncio.create_task(wakeup.sleep())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        wakeup.wake()
        await wakeup.sleep(10)

    async def on_trio():
        wakeup = loop_wakeup()
        with trio.move_on_after(0) as scope:
            await wakeup.sleep()
        assert scope.cancelled_caught
        wakeup.wake()
        await wakeup.sleep(10)

    asyncio.run(on_asyncio())
    trio.run(on_trio)


def test_a_signal_handler_wakes_a_loop_that_waits_for_its_sockets(backend):
    """H35."""

    async def main():
        wakeup = loop_wakeup()
        before = signal.signal(signal.SIGALRM, lambda *_: wakeup.wake())
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            await wakeup.sleep(60)
        finally:
            signal.signal(signal.SIGALRM, before)

    anyio.run(main, backend=backend)


def test_importing_poolware_imports_no_event_loop():
    """An application of threads alone does not pay for one."""
    code = "import sys, poolware; sys.exit(' '.join({'asyncio', 'trio'} & set(sys.modules)) or None)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
