"""Buffer pools under hypothesis: the model of each buffer is the memory that it should have, byte for byte."""

from __future__ import annotations

import gc
import io
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from poolware import Buffer, BufferInUse, BufferPool, BufferReleased, BufferSizeError, ReleaseError

from .machine import Machine, check_buffers, step

TIERS = (16, 64, 256)
MAX_SIZE = 700
some = st.integers(0, 9)
spots = st.integers(0, 300)


class Owned:
    """A buffer in use, and what should be in it."""

    def __init__(self, buffer: Buffer) -> None:
        self.buffer = buffer
        self.memory = bytearray(buffer.capacity)
        self.size = self.position = 0
        self.views = 0

    def grow(self) -> None:
        """Move what is there to as much memory as the buffer has by now."""
        kept = self.memory[: self.size]
        self.memory = bytearray(self.buffer.capacity)
        self.memory[: self.size] = kept

    def check(self) -> None:
        assert self.buffer.getvalue() == bytes(self.memory[: self.size])
        assert (len(self.buffer), self.buffer.tell()) == (self.size, self.position)
        assert self.buffer.capacity == len(self.memory)


class Seen:
    """A view that somebody keeps, the part of the model that it shows, and what it showed when its buffer went back."""

    def __init__(self, view: memoryview, owner: Owned, start: int) -> None:
        self.view, self.owner, self.start = view, owner, start
        self.frozen: bytearray | None = None

    @property
    def expected(self) -> bytes:
        if self.frozen is not None:
            return bytes(self.frozen)
        return bytes(self.owner.memory[self.start : self.start + len(self.view)])

    def check(self) -> None:
        assert self.view.tobytes() == self.expected, "somebody else wrote to memory that is still looked at"


class BufferPoolMachine(Machine):
    @initialize(
        max_idle=st.sampled_from([0, 1, 2, 10]),
        max_idle_bytes=st.sampled_from([0, 100, 10_000]),
        wipe=st.sampled_from(["used", "full"]),
    )
    def build(self, max_idle: int, max_idle_bytes: int, wipe: Any) -> None:
        self.pool = BufferPool(
            tiers=TIERS, max_size=MAX_SIZE, max_idle=max_idle, max_idle_bytes=max_idle_bytes, wipe=wipe
        )
        self.foreign = BufferPool(tiers=TIERS).acquire(10)
        self.lent: list[Owned] = []
        self.gone: list[Buffer] = []
        self.seen: list[Seen] = []
        self.acquired = self.refused = 0

    # --- acquiring ----------------------------------------------------------------------------------------------------

    @step(size=st.integers(0, MAX_SIZE), through=st.sampled_from(["memory", "view", "gap"]), keep=st.booleans())
    def acquire(self, size: int, through: str, keep: bool) -> None:
        """H09: all of its memory is zero, however one looks; and it is nobody else's (H07), as writing to it shows."""
        owned = self.arrive(size, through)
        self.write_to(owned, bytes([self.acquired % 255 + 1]) * owned.buffer.capacity)
        self.check_views()
        if not keep:
            owned.buffer.release()
            return
        owned.buffer.truncate(owned.buffer.seek(0))
        owned.memory, owned.size, owned.position = bytearray(len(owned.memory)), 0, 0
        self.lent.append(owned)

    def arrive(self, size: int, through: str = "memory") -> Owned:
        buffer = self.pool.acquire(size)
        self.acquired += 1
        owned = Owned(buffer)
        assert (len(buffer), buffer.tell()) == (0, 0)
        assert buffer.capacity == next((tier for tier in TIERS if tier >= size), size)
        if through == "memory" or not buffer.capacity:
            content = bytes(buffer._memory or b"")
        elif through == "view":
            with buffer.view(readonly=True) as view:
                content = bytes(view)
        else:
            buffer.seek(buffer.capacity - 1)
            buffer.write(b"\0")
            content = buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
        assert content.count(0) == buffer.capacity, content
        return owned

    @step(size=st.sampled_from([-1, MAX_SIZE + 1, 10**12, True, 1.0, None, "16"]))
    def acquire_nonsense(self, size: Any) -> None:
        """H42."""
        try:
            self.pool.acquire(size)
        except BufferSizeError:
            return
        raise AssertionError(f"a buffer of {size!r} bytes")

    # --- content ------------------------------------------------------------------------------------------------------

    @step("lent", which=some, data=st.binary(max_size=40), times=st.sampled_from([1, 1, 1, 10, 30]))
    def write(self, which: int, data: bytes, times: int) -> None:
        self.write_to(self.lent[which % len(self.lent)], data * times)

    def write_to(self, owned: Owned, data: bytes) -> None:
        start, stop = owned.position, owned.position + len(data)
        grows = bool(data) and stop > len(owned.memory)
        try:
            owned.buffer.write(data)
        except BufferSizeError:
            assert grows
            assert stop > MAX_SIZE
            return
        except BufferInUse:
            assert grows
            assert self.viewed(owned)
            return
        if grows:
            assert not self.viewed(owned)
            owned.grow()
        if data:
            if start > owned.size:
                owned.memory[owned.size : start] = bytes(start - owned.size)
            owned.memory[start:stop] = data
            owned.position, owned.size = stop, max(owned.size, stop)

    def viewed(self, owned: Owned) -> bool:
        return any(seen.owner is owned and seen.frozen is None for seen in self.seen)

    @step("lent", which=some, offset=spots, whence=st.sampled_from([io.SEEK_SET, io.SEEK_CUR, io.SEEK_END]))
    def seek(self, which: int, offset: int, whence: int) -> None:
        owned = self.lent[which % len(self.lent)]
        offset -= 150 if whence else 0
        base = (0, owned.position, owned.size)[whence]
        owned.position = max(base + offset, 0)
        assert owned.buffer.seek(offset, whence) == owned.position

    @step("lent", which=some, size=st.none() | spots)
    def truncate(self, which: int, size: int | None) -> None:
        owned = self.lent[which % len(self.lent)]
        size = owned.position if size is None else size
        owned.buffer.truncate(size)
        if size < owned.size:
            owned.memory[size : owned.size] = bytes(owned.size - size)
            owned.size = size

    @step("lent", which=some, size=st.none() | spots, into=st.booleans())
    def read(self, which: int, size: int | None, into: bool) -> None:
        owned = self.lent[which % len(self.lent)]
        model = io.BytesIO(bytes(owned.memory[: owned.size]))
        model.seek(owned.position)
        if into:
            expected, found = bytearray(size or 0), bytearray(size or 0)
            assert owned.buffer.readinto(found) == model.readinto(expected)
            assert found == expected
        else:
            assert owned.buffer.read(size) == model.read(size)
        owned.position = model.tell()

    # --- views --------------------------------------------------------------------------------------------------------

    @step("lent", which=some, start=spots, length=spots, readonly=st.booleans())
    def view(self, which: int, start: int, length: int, readonly: bool) -> None:
        owned = self.lent[which % len(self.lent)]
        start %= len(owned.memory) + 1
        stop = min(start + length, len(owned.memory))
        if start == stop and not len(owned.memory):
            return
        view = owned.buffer.view(start, stop, readonly=readonly)
        assert view.readonly == readonly
        if not readonly:
            owned.size = max(owned.size, stop)
        self.seen.append(Seen(view, owned, start))

    @step("lent", which=some)
    def getbuffer(self, which: int) -> None:
        owned = self.lent[which % len(self.lent)]
        if len(owned.memory):
            self.seen.append(Seen(owned.buffer.getbuffer(), owned, 0))

    @step("seen", which=some, data=st.binary(min_size=1, max_size=8))
    def write_through_a_view(self, which: int, data: bytes) -> None:
        """Its holder may, as long as it holds it: also when the buffer has long gone back."""
        seen = self.seen[which % len(self.seen)]
        if seen.view.readonly:
            return
        data = data[: len(seen.view)]
        seen.view[: len(data)] = data
        for other in self.seen:
            if other.owner is seen.owner and other.frozen is not None:
                at = seen.start - other.start
                for place, byte in enumerate(data, at):
                    if 0 <= place < len(other.frozen):
                        other.frozen[place] = byte
        if seen.frozen is None:
            seen.owner.memory[seen.start : seen.start + len(data)] = data

    @step("seen", which=some, how=st.sampled_from(["forgotten", "released", "in a cycle"]))
    def drop_view(self, which: int, how: str) -> None:
        seen = self.seen.pop(which % len(self.seen))
        if how == "released":
            seen.view.release()
        elif how == "in a cycle":
            cycle: list[Any] = [seen.view]
            cycle.append(cycle)
            del seen, cycle
            gc.collect()

    # --- giving back --------------------------------------------------------------------------------------------------

    @step("lent", which=some, how=st.sampled_from(["release", "pool", "dropped", "kept"]))
    def release(self, which: int, how: str) -> None:
        self.give_back(which, how)

    def give_back(self, which: int = 0, how: str = "release") -> None:
        owned = self.lent.pop(which % len(self.lent))
        owned.check()
        for seen in self.seen:
            if seen.owner is owned:
                seen.frozen = bytearray(seen.expected)
        if how == "pool":
            self.pool.release(owned.buffer)
        elif how != "dropped":
            owned.buffer.release()
        if how == "kept":
            self.gone.append(owned.buffer)
        del owned.buffer

    @step("gone", which=some)
    def use_after_release(self, which: int) -> None:
        buffer = self.gone[which % len(self.gone)]
        assert buffer.closed
        for use in (buffer.getvalue, buffer.read, buffer.tell, buffer.view, lambda: buffer.write(b"late")):
            try:
                use()
            except BufferReleased:
                continue
            raise AssertionError("a released buffer was used")

    @step(which=some)
    def release_what_is_not_lent(self, which: int) -> None:
        """H12, H13."""
        wrong = [*self.gone, self.foreign, None, bytearray(16)]
        try:
            self.pool.release(wrong[which % len(wrong)])
        except ReleaseError:
            self.refused += 1
            return
        raise AssertionError("released what was not lent")

    @step()
    def clear(self) -> None:
        self.pool.clear()
        assert self.pool.get_stats().idle == 0

    # --- looking ------------------------------------------------------------------------------------------------------

    @step()
    def look(self) -> None:
        for owned in self.lent:
            owned.check()
        self.check_views()
        stats = self.pool.get_stats()
        check_buffers(stats)
        assert (stats.acquired, stats.in_use, stats.refused) == (self.acquired, len(self.lent), self.refused)
        assert stats.quarantined == len({id(seen.owner) for seen in self.seen if seen.frozen is not None})
        assert all(len(tier) <= self.pool.max_idle for tier in self.pool._store.idle.values())
        assert stats.idle_bytes <= self.pool.max_idle_bytes

    def check_views(self) -> None:
        for seen in self.seen:
            seen.check()

    def check_end(self) -> None:
        self.look()
        while self.lent:
            self.give_back()
        self.look()
        self.seen.clear()
        self.look()
        resting = self.pool.get_stats()
        assert (resting.in_use, resting.quarantined) == (0, 0)
        rests = {tier: len(idle) for tier, idle in self.pool._store.idle.items()}
        everything = [self.arrive(tier) for tier, count in rests.items() for _ in range(count)]
        assert self.pool.get_stats().misses == resting.misses
        assert len({id(owned.buffer._memory.obj) for owned in everything}) == resting.idle  # type: ignore[union-attr]
