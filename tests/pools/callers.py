"""Callers of a ResourcePool on threads, on an asyncio loop and on a trio loop, all at once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import cycle

from anyio.from_thread import start_blocking_portal
from resource_samples import wait_until

KINDS = ("thread", "asyncio", "trio")


class Callers:
    """Acquires from a pool wherever it is told to; each caller is a future of what it got."""

    def __init__(self, pool, threads, portals):
        self.pool = pool
        self._threads = threads
        self._portals = portals
        self._arrived = 0
        self._note_arrivals()

    def start(self, kind, call=None, **options):
        """Have somebody of that kind acquire a resource, or call `call` with one in a block that leases it.

        Return the future; tasks can be cancelled by it, threads only before they have begun.
        """
        if kind == "thread":
            use = partial(self._use, call) if call else self.pool.acquire
            return self._threads.submit(use, **options)
        use = partial(self._ause, call) if call else self.pool.aacquire
        return self._portals[kind].start_task_soon(partial(use, **options))

    def call(self, kind, function, *args):
        """Have somebody of that kind call `function`; return the future."""
        start = self._threads.submit if kind == "thread" else self._portals[kind].start_task_soon
        return start(function, *args)

    def mixed(self, count, options=lambda _number: {}, call=None):
        """Start so many of all kinds in turn, each when those before are in the queue."""
        futures = []
        for number, kind in zip(range(count), cycle(KINDS), strict=False):
            arrived = self._arrived
            futures.append(self.start(kind, call, **options(number)))
            wait_until(lambda arrived=arrived: self._arrived > arrived)
        return futures

    def _note_arrivals(self):
        queue = self.pool._stock.queue
        add = queue.add

        def noting(waiter):
            add(waiter)
            self._arrived += 1

        queue.add = noting

    def _use(self, call, **options):
        with self.pool.lease(**options) as resource:
            call(resource)

    async def _ause(self, call, **options):
        async with self.pool.alease(**options) as resource:
            call(resource)


@contextmanager
def callers_of(pool, threads=100):
    """Yield callers of `pool`; the threads and loops end with the block."""
    with ExitStack() as stack:
        executor = stack.enter_context(ThreadPoolExecutor(threads))
        portals = {kind: stack.enter_context(start_blocking_portal(kind)) for kind in KINDS[1:]}
        yield Callers(pool, executor, portals)
