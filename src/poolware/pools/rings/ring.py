"""BufferRing: fixed slots of memory between one producer and one consumer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NoReturn, Self, get_args

from poolware._core.memory import flat
from poolware._core.options import whole_number
from poolware.errors import BadOption, BufferSizeError, RingClosed
from poolware.pools.buffers import BufferPool
from poolware.pools.rings.sides import Side
from poolware.pools.rings.state import RingState, RingStats

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["BufferRing", "RingStats", "WhenFull"]

WhenFull = Literal["wait", "drop_newest", "drop_oldest"]
"""What becomes of a commit to a full ring."""


class BufferRing:
    """Passes bytes from one producer to one consumer through memory that never grows.

    Either side is a thread or a task, of asyncio or trio, in any mixture: methods that begin with ``a`` are awaited.
    Each slot is lent as a view of the ring's memory, so that nothing is copied on the way. It is wiped and written to
    again once it was consumed and no view of it is left, and not before (H07).

        >>> with BufferRing(slots=4) as ring:
        ...     ring.put(b"spam")
        ...     ring.end()
        ...     [bytes(view) for view in ring]
        [b'spam']

    Args:
        slots: how many.
        slot_size: bytes of each; 1500 are what an Ethernet frame carries.
        when_full: ``wait`` until the consumer is done with a slot, or drop the newest or the oldest slot and count it.
            Dropping takes one slot more of memory.
        buffers: where the memory comes from, and goes back to; memory of its own by default.
        name: shown in statistics and errors.

    Raises:
        BadOption: an argument has a value that it does not take.
        BufferSizeError: so much memory is not to be had from `buffers`.
    """

    def __init__(
        self,
        *,
        slots: int = 64,
        slot_size: int = 1500,
        when_full: WhenFull = "wait",
        buffers: BufferPool | None = None,
        name: str = "ring",
    ) -> None:
        self.name: str = name
        self.slots: int = whole_number("slots", slots, at_least=1)
        self.slot_size: int = whole_number("slot_size", slot_size, at_least=1)
        if when_full not in get_args(WhenFull):
            msg = f"when_full={when_full!r}: it takes 'wait', 'drop_newest' or 'drop_oldest'"
            raise BadOption(msg)
        self.when_full: WhenFull = when_full
        spares = int(when_full != "wait")
        size = (slots + spares) * slot_size
        if not isinstance(buffers, BufferPool | None):
            msg = f"buffers={buffers!r}: it takes a BufferPool, or None"
            raise BadOption(msg)
        if buffers is None:
            buffers = BufferPool(tiers=(size,), max_size=size, max_idle=0, name=name)
        self._buffer = buffers.acquire(size)
        oldest = when_full == "drop_oldest"
        state = RingState(name, self._buffer.view(0, size), slot_size, spare=bool(spares), drop_oldest=oldest)
        self._state = state
        self._producer = Side("producer", state, state.reserve, state.unreserve)
        self._consumer = Side("consumer", state, state.show, state.unshow)

    # --- the producer -------------------------------------------------------------------------------------------------

    def reserve(self, timeout: float | None = None) -> memoryview:
        """Return a writable view of a free slot, for `commit`. Waits while the ring is full, unless it drops.

        Raises:
            RingTimeout: no slot came free within `timeout` seconds.
            RingClosed: the ring was closed or ended.
            RingMisuse: there is a second producer, or a slot that was not committed.
        """
        return self._producer.wait(timeout)

    async def areserve(self, timeout: float | None = None) -> memoryview:
        """As `reserve`, on an event loop."""
        return await self._producer.await_(timeout)

    def commit(self, size: int) -> None:
        """Hand the first `size` bytes of the reserved slot on, and end the view of it; 0 gives the slot up.

        Raises:
            BufferSizeError: the slot has not so many bytes; it stays reserved.
            RingClosed: the ring was closed or ended.
            RingMisuse: no slot is reserved.
        """
        if type(size) is not int or not 0 <= size <= self.slot_size:
            msg = f"{self._state}: commit({size!r}); it takes a whole number of bytes, at most {self.slot_size}"
            raise BufferSizeError(msg)
        self._state.commit(size)
        self._producer.leave()
        self._consumer.wake()

    def put(self, data: ReadableBuffer, timeout: float | None = None) -> None:
        """Copy `data` into as many slots as it needs, waiting up to `timeout` seconds for each.

        A ring that drops takes what fits into one slot, and all of it or nothing.

        Raises:
            BufferSizeError: the ring drops, and `data` does not fit into one slot.
            RingTimeout, RingClosed, RingMisuse: as `reserve`; what was put before stays.
        """
        for piece in self._pieces(data):
            self.reserve(timeout)[: len(piece)] = piece
            self.commit(len(piece))

    async def aput(self, data: ReadableBuffer, timeout: float | None = None) -> None:
        """As `put`, on an event loop."""
        for piece in self._pieces(data):
            (await self.areserve(timeout))[: len(piece)] = piece
            self.commit(len(piece))

    def end(self, error: Exception | None = None) -> None:
        """Say that nothing more comes. The consumer gets what was committed, then `error` or the end.

        A slot that is reserved is given up. Only the first call counts.
        """
        if self._state.end(error):
            self._producer.leave()
        self._producer.wake()
        self._consumer.wake()

    @contextmanager
    def producing(self) -> Iterator[Self]:
        """End the ring at the end of the block, with the error by which the block is left, if any."""
        try:
            yield self
        except Exception as error:
            self.end(error)
            raise
        except BaseException as error:  # a cancellation concerns the producer alone
            self.end(RingClosed(f"{self._state}: its producer was stopped by {type(error).__name__}"))
            raise
        self.end()

    # --- the consumer -------------------------------------------------------------------------------------------------

    def peek(self, timeout: float | None = None) -> memoryview:
        """Return a read-only view of the oldest slot, to be used until `consume`; at the end, an empty one.

        Raises:
            RingTimeout: nothing came within `timeout` seconds.
            RingClosed: the ring was closed.
            RingMisuse: there is a second consumer, or a slot that was not consumed.
            Exception: the error with which the producer ended, after everything that was committed.
        """
        return self._consumer.wait(timeout) or self._at_end()

    async def apeek(self, timeout: float | None = None) -> memoryview:
        """As `peek`, on an event loop."""
        return await self._consumer.await_(timeout) or self._at_end()

    def consume(self) -> None:
        """Be done with the slot: its view ends, and it is free when nobody holds another view of it.

        Raises:
            RingClosed: the ring was closed.
            RingMisuse: `peek` has not returned a slot.
        """
        self._state.consume(self._producer.wake)
        self._consumer.leave()

    def __iter__(self) -> RingViews:
        """Yield the view of each slot until the end; it is consumed when the next one is asked for.

        A loop that is left early leaves its slot to `consume`.
        """
        return RingViews(self)

    def __aiter__(self) -> RingViews:
        """As ``for``, on an event loop."""
        return RingViews(self)

    # --- both ---------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Drop what was not consumed and give the memory back. Whoever waits, or comes, gets `RingClosed`.

        Memory that somebody still has a view of goes back when that is gone. Only the first call counts.
        """
        if self._state.close():
            self._buffer.release()
        self._producer.wake()
        self._consumer.wake()

    def __enter__(self) -> Self:
        """Close the ring at the end of the block."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def get_stats(self) -> RingStats:
        """Return what the ring has done and holds."""
        return self._state.stats(self._producer.waits, self._consumer.waits)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._state}>"

    def _pieces(self, data: ReadableBuffer) -> Iterator[memoryview]:
        whole = flat(data)
        if self.when_full != "wait" and len(whole) > self.slot_size:
            msg = f"{self._state}: put() of {len(whole)} bytes; one that drops takes {self.slot_size} at the most"
            raise BufferSizeError(msg)
        for start in range(0, len(whole), self.slot_size):
            yield whole[start : start + self.slot_size]

    def _at_end(self) -> memoryview:
        self._consumer.leave()
        if self._state.error is not None:
            raise self._state.error
        return memoryview(b"")


class RingViews:
    """The views of a ring's slots one after the other, for ``for`` and ``async for``."""

    __slots__ = ("_number", "_ring")

    def __init__(self, ring: BufferRing) -> None:
        self._ring = ring
        self._number = 0  # of the slot that this loop has in hand

    def __iter__(self) -> Self:
        return self

    def __aiter__(self) -> Self:
        return self

    def __next__(self) -> memoryview:
        self._consume()
        return self._seen(self._ring.peek()) or _stop(StopIteration)

    async def __anext__(self) -> memoryview:
        self._consume()
        return self._seen(await self._ring.apeek()) or _stop(StopAsyncIteration)

    def _consume(self) -> None:
        state, number = self._ring._state, self._number
        self._number = 0
        if number and state.shown is not None and state.read == number:
            self._ring.consume()

    def _seen(self, view: memoryview) -> memoryview:
        self._number = self._ring._state.read
        return view


def _stop(with_: type[Exception]) -> NoReturn:
    raise with_
