"""Random cycles on contexts of every shape and on buffers, by three threads; started by crash_hunt.py."""

from __future__ import annotations

import gc
import logging
import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from poolware import BufferPool, Context, Lifecycle, ObjectPool, RequestContext, SecretField, field, secret
from poolware._core.core import CORE
from poolware.errors import BufferInUse, BufferReleased, BufferSizeError, ReleaseError

THREADS, ROUNDS, FLAT = 3, 30, 0.03
TIERS, LARGEST = (16, 100, 1000, 4096), 10_000
SHARED: list[Any] = []


class Boom(Exception):
    """What hooks raise now and then."""


TROUBLE = random.Random(0)


def sometimes(_part: object = None) -> None:
    if TROUBLE.random() < 0.002:
        raise Boom


def made() -> list[Any]:
    sometimes()
    return []


def emptied(part: list[Any]) -> None:
    sometimes()
    part.clear()


class Plain(Context):
    count: int = 0
    rows: Any = None
    note: Any = None


class Containers(Context):
    rows: list[Any] = field(factory=list)
    names: set[Any] = field(factory=set)
    data: dict[Any, Any] = field(factory=dict)
    note: Any = None


class Vouched(Context):
    kept: Any = field(factory=made, reset=emptied)
    rebuilt: Any = field(factory=lambda: [*made()])
    rows: list[Any] = field(factory=list)


class Secretive(Context):
    token: SecretField = secret(capacity=4)
    raw: Any = field(factory=bytearray, sensitive=True)
    hidden: Any = field(default="x", sensitive=True)
    rows: list[Any] = field(factory=list, sensitive=True)
    note: Any = None


class Request(RequestContext):
    rows: list[Any] = field(factory=list)
    names: set[Any] = field(factory=set)
    token: SecretField = secret(capacity=4)


SHAPES: tuple[Any, ...] = (Plain, Containers, Vouched, Secretive, Request)
NEW = {"count": 0, "hidden": "x", "names": set(), "data": {}, "kept": [], "rebuilt": [], "params": {}}
NEW |= {"raw": bytearray(), "started_at": 0.0}


def pristine(obj: Any) -> None:
    for name in type(obj).__poolware_open__:
        if name != "started_at":
            assert getattr(obj, name) == NEW.get(name, [] if name == "rows" and not isinstance(obj, Plain) else None), (
                name,
                getattr(obj, name),
            )
    if isinstance(obj, Secretive):
        assert (obj.raw, obj.hidden, obj.rows, bool(obj.token)) == (b"", "x", [], False)


class Odd(dict[str, Any]):
    """A carrier that is no plain dict."""


class Awkward(dict[str, Any]):
    """One that takes nothing and gives nothing."""

    def __setitem__(self, key: str, value: object) -> None:
        raise Boom

    def pop(self, *_args: object) -> Any:
        raise Boom


class Ends:
    """A value whose end does something."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.action = action

    def __del__(self) -> None:
        with suppress(Boom, ReleaseError):
            self.action()


class Acts:
    """An argument that does something when it is asked for its number."""

    def __init__(self, number: int, action: Callable[[], object]) -> None:
        self.number, self.action = number, action

    def __index__(self) -> int:
        self.action()
        return self.number


class Hunter:
    """One thread's part of a round."""

    def __init__(self, pools: list[Any], lifecycle: Any, memory: list[BufferPool], seed: int) -> None:
        self.pools, self.lifecycle, self.memory = pools, lifecycle, memory
        self.random = random.Random(seed)
        self.held: list[Any] = []
        self.done: Counter[str] = Counter()
        self.error: BaseException | None = None
        self.uses = [
            *[(self.released, 40), (self.served, 30), (self.kept_on, 8), (self.released_twice, 4), (self.lost, 2)],
            *[(self.part_kept, 4), (self.field_deleted, 3), (self.ends_with_action, 3), (self.odd_carriers, 3)],
            *[(self.foreign, 1), (self.cleared, 1), (self.looked_at, 0.3), (self.collected, 0.1)],
            *[(self.written, 30), (self.viewed, 20), (self.passed_on, 6), (self.dropped, 3), (self.refused_twice, 3)],
            *[(self.written_into_itself, 3), (self.released_in_the_middle, 3), (self.in_a_cycle, 2)],
            *[(self.borrowed, 3), (self.memory_cleared, 1), (self.memory_looked_at, 0.5), (self.retiered, 0.5)],
        ]

    def run(self, cycles: int) -> None:
        try:
            uses, weights = zip(*self.uses, strict=True)
            for use in self.random.choices(uses, weights, k=cycles):
                try:
                    use(self.random.choice(self.pools))
                except Boom:
                    self.done["raised"] += 1
                self.done[use.__name__] += 1
                if len(self.held) > 40:
                    del self.held[: self.random.randrange(40)]
        except BaseException as error:
            self.error = error
        self.held.clear()

    def dirty(self, obj: Any) -> Any:
        """Write into some of its fields."""
        pristine(obj)
        for name in type(obj).__poolware_fields__:
            if self.random.random() < 0.4:
                self.put(obj, name, self.random.choice([1, "text", (obj,), [obj], 1.5, None]))
        return obj

    def put(self, obj: Any, name: str, value: Any) -> None:
        match getattr(obj, name):
            case list() as rows if self.random.random() < 0.9:
                rows.append(value)
            case set() as names:
                names.add(id(value))
            case dict() as data:
                data[len(data)] = value
            case bytearray() as raw:
                raw += b"secret"
            case _ if name == "token":
                obj.token = "a secret that is longer than it has room for"
            case _:
                setattr(obj, name, value)

    def released(self, pool: Any) -> None:
        given = [self.dirty(pool.acquire())]
        pool.release(given.pop())

    def served(self, _pool: Any) -> None:
        carrier = self.random.choice([dict, Odd])({"type": "http"})
        self.dirty(self.lifecycle.begin(carrier))
        self.lifecycle.finish(carrier)

    def kept_on(self, pool: Any) -> None:
        obj = self.dirty(pool.acquire())
        self.held.append(obj)
        pool.release(obj)

    def released_twice(self, pool: Any) -> None:
        obj = self.dirty(pool.acquire())
        pool.release(obj)
        try:
            pool.release(obj)
        except ReleaseError:
            self.done["refused"] += 1

    def lost(self, pool: Any) -> None:
        pool.acquire().rows = ["nothing that leads back to it, as it would not be lost then"]

    def part_kept(self, pool: Any) -> None:
        obj = self.dirty(pool.acquire())
        self.held.extend(getattr(obj, name) for name in ("rows", "names", "data", "kept", "raw") if hasattr(obj, name))
        pool.release(obj)

    def field_deleted(self, pool: Any) -> None:
        obj = self.dirty(pool.acquire())
        delattr(obj, self.random.choice(type(obj).__poolware_open__))
        pool.release(obj)

    def ends_with_action(self, pool: Any) -> None:
        """What was in it calls the pools from its finalizer, in the middle of the reset."""
        given, other = [self.dirty(pool.acquire())], self.random.choice(self.pools)
        value = Ends(lambda: other.release(other.acquire()))
        for name in ("note", "rows", "data", "user"):
            if hasattr(given[0], name):
                self.put(given[0], name, value)
        del value
        pool.release(given.pop())

    def odd_carriers(self, _pool: Any) -> None:
        for carrier in (Awkward(), None, 3):
            for call in (self.lifecycle.begin, self.lifecycle.finish):
                with suppress(Boom, TypeError, AttributeError):
                    call(carrier)
        self.lifecycle.pool.get_stats()  # takes back what no carrier took

    def foreign(self, pool: Any) -> None:
        for obj in (None, Plain(), [], object()):
            try:
                pool.release(obj)
            except ReleaseError:
                self.done["refused"] += 1

    def cleared(self, pool: Any) -> None:
        pool.clear()
        pool.prewarm(self.random.randrange(4))

    def looked_at(self, pool: Any) -> None:
        pool.get_stats()
        for _ in pool._kind.lent:
            break

    def collected(self, _pool: Any) -> None:
        gc.collect(self.random.choice([0, 1, 2]))

    def buffer(self) -> Any:
        """A buffer of any size, from any pool, with nothing in it."""
        pool = self.random.choice(self.memory)
        buffer = pool.acquire(self.random.choice([0, 1, *TIERS, self.random.randrange(LARGEST + 1)]))
        assert (len(buffer), buffer.tell()) == (0, 0)
        if pool.wipe != "none" and self.random.random() < 0.3:
            with buffer.view(readonly=True) as everything:
                assert not any(bytes(everything)), "what another has left"
        return buffer

    def some(self) -> bytes:
        return self.random.choice([b"", b"\xff", b"secret\n" * 3]) * self.random.randrange(60)

    def fill(self, buffer: Any) -> None:
        """Write, grow, cut and read at random."""
        for _ in range(self.random.randrange(6)):
            try:
                match self.random.randrange(8):
                    case 0:
                        buffer.seek(self.random.choice([-3, 0, 7, LARGEST - 10, 2**62]), self.random.choice([0, 1, 2]))
                    case 1:
                        buffer.truncate(self.random.choice([None, 0, 3, 2**62]))
                    case 2:
                        buffer.read(self.random.choice([None, -1, 5, 2**62]))
                    case 3:
                        buffer.readline()
                    case 4:
                        buffer.readinto(bytearray(self.random.randrange(200)))
                    case 5:
                        buffer.write(self.random.choice([bytearray, memoryview])(self.some()))
                    case _:
                        buffer.write(self.some())
            except (BufferInUse, ValueError, OverflowError):
                self.done["refused by a buffer"] += 1

    def written(self, _pool: Any) -> None:
        buffer = self.buffer()
        self.fill(buffer)
        content = buffer.getvalue()
        assert bytes(buffer.getbuffer()) == content
        buffer.release()

    def viewed(self, _pool: Any) -> None:
        """Views are used and kept beyond the release, and let go of in any order and thread."""
        buffer = self.buffer()
        self.fill(buffer)
        capacity = buffer.capacity
        start, stop = sorted(self.random.choices(range(capacity + 1), k=2))
        view = buffer.view(start, stop, readonly=self.random.random() < 0.3)
        self.held += self.random.choice([[view], [view[::2], view[1:]], [view.obj], [memoryview(view.obj)], []])
        self.fill(buffer)
        buffer.release()
        if not view.readonly:
            view[:] = b"\xee" * len(view)
            with memoryview(view.obj) as everything:
                everything[-1:] = b"\xee"

    def passed_on(self, _pool: Any) -> None:
        """Several threads use the same buffer, whoever releases it."""
        SHARED.append(self.buffer())
        buffer = self.random.choice([*SHARED])
        del SHARED[:-20]
        self.fill(buffer)
        with suppress(BufferReleased):
            self.held.append(buffer.view())
        try:
            buffer.release()
        except ReleaseError:
            self.done["refused memory"] += 1

    def dropped(self, _pool: Any) -> None:
        buffer = self.buffer()
        self.fill(buffer)
        self.held += self.random.choice([[], [buffer.view()]])

    def refused_twice(self, _pool: Any) -> None:
        buffer = self.buffer()
        buffer.release()
        for pool in (*self.memory, buffer._store):
            for stranger in (buffer, None, object(), self):
                try:
                    pool.release(stranger)
                except ReleaseError:
                    self.done["refused memory"] += 1

    def written_into_itself(self, _pool: Any) -> None:
        buffer = self.buffer()
        self.fill(buffer)
        view = buffer.view()
        buffer.seek(self.random.randrange(20))
        with suppress(BufferInUse, BufferSizeError):
            buffer.write(view)
        buffer.readinto(view)
        del view
        buffer.release()

    def released_in_the_middle(self, _pool: Any) -> None:
        buffer = self.buffer()
        self.fill(buffer)
        calls: list[Any] = [buffer.read, buffer.readline, buffer.truncate, buffer.seek, lambda end: buffer.view(0, end)]
        number = Acts(self.random.choice([-1, 0, 3, 2**62]), buffer.release)
        with suppress(ValueError):
            self.random.choice(calls)(number)
        assert buffer.closed

    def in_a_cycle(self, _pool: Any) -> None:
        """The collector finds buffers and views, and finalizers that write through them."""
        buffer = self.buffer()
        view = buffer.view()
        loop: list[Any] = [buffer, view, Ends(lambda: [buffer.closed, view.obj and self.fill_view(view)])]
        loop.append(loop)

    def fill_view(self, view: memoryview) -> None:
        view[:] = b"\xdd" * len(view)

    def borrowed(self, _pool: Any) -> None:
        carrier: Any = {"type": "http"}
        ctx = self.lifecycle.begin(carrier)
        buffer = ctx.buffer(self.random.randrange(200))
        self.fill(buffer)
        if self.random.random() < 0.2:
            self.held.append(buffer.view())
        del ctx
        self.lifecycle.finish(carrier)
        assert buffer.closed

    def retiered(self, _pool: Any) -> None:
        store = self.random.choice(self.memory)._store
        store.retier(tuple(sorted(self.random.sample([*TIERS, 8, LARGEST], 3))))
        store.trim(self.random.choice(TIERS), self.random.randrange(3))
        store.retier(TIERS)

    def memory_cleared(self, _pool: Any) -> None:
        self.random.choice(self.memory).clear()

    def memory_looked_at(self, _pool: Any) -> None:
        pool = self.random.choice(self.memory)
        pool.get_stats()
        self.held.append(pool._store.idle)


def resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - measured with as little as possible
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def check(pools: list[Any], memory: list[BufferPool], done: Counter[str]) -> None:
    """Once everything was let go of, every figure adds up."""
    SHARED.clear()
    gc.collect()
    refused = 0
    for pool in pools:
        stats = pool.get_stats()
        assert (stats.in_use, stats.quarantined) == (0, 0), stats
        assert stats.acquired == stats.released + stats.lost == stats.hits + stats.misses, stats
        assert stats.created == stats.idle + stats.destroyed, stats
        refused += stats.refused
    assert refused == done["refused"], (refused, done["refused"])
    for buffers in memory:
        figures = buffers.get_stats()
        assert (figures.in_use, figures.quarantined) == (0, 0), figures
        assert figures.acquired == figures.released, figures
        assert figures.created == figures.idle + figures.dropped, figures
        assert figures.idle_bytes == sum(tier * len(rest) for tier, rest in buffers._store.idle.items()), figures
    refused = sum(buffers.get_stats().refused for buffers in memory)
    assert refused == done["refused memory"], (refused, done["refused memory"])


def main(cycles: int, seed: int) -> None:
    assert CORE == "compiled"
    logging.disable(logging.CRITICAL)
    sys.setswitchinterval(0.0005)
    TROUBLE.seed(seed)
    lifecycle: Any = Lifecycle(Request, max_idle=20, max_quarantine=30)
    pools = [ObjectPool(shape, max_idle=20, max_quarantine=30) for shape in SHAPES] + [lifecycle.pool]
    wipes: list[Any] = ["used", "full", "none"]
    memory = [BufferPool(tiers=TIERS, max_size=LARGEST, max_idle=8, max_idle_bytes=20_000, wipe=how) for how in wipes]
    memory.append(lifecycle.buffers)
    done: Counter[str] = Counter()
    sizes: list[int] = []
    for number in range(ROUNDS):
        hunters = [Hunter(pools, lifecycle, memory, hash((seed, number, thread))) for thread in range(THREADS)]
        threads = [threading.Thread(target=one.run, args=[cycles // ROUNDS // THREADS]) for one in hunters]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for hunter in hunters:
            if hunter.error is not None:
                raise hunter.error
            done += hunter.done
        del hunters, hunter
        check(pools, memory, done)
        sizes.append(resident())
    third = ROUNDS // 3
    second, last = (sum(sizes[start : start + third]) / third for start in (third, 2 * third))
    print(*(f"{count:,} {name}" for name, count in done.most_common()), sep=", ")
    for pool in [*pools, *memory]:
        print(pool.get_stats())
    figures = f"{second / 2**20:.1f} MB in the second third, {last / 2**20:.1f} MB in the last"
    print(f"resident: {figures}: {last / second - 1:+.2%}")
    if cycles >= 1_000_000:
        assert abs(last / second - 1) <= FLAT, "memory grows"
    print(f"{cycles:,} cycles, and nothing was found")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
