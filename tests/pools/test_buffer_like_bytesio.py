"""A buffer does what io.BytesIO does, whatever is done in whatever order."""

import array
import inspect
import io

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from poolware import BufferPool

TIERS = (8, 32, 64)
HUGE = st.sampled_from([2**62, 2**63 - 1, 2**63, 2**70, -(2**63), -(2**70)])
OFFSETS = st.integers(-20, 150) | HUGE
SIZES = st.none() | st.integers(-2, 100)
DATA = st.binary(max_size=40) | st.lists(st.sampled_from([b"a", b"\n", b"bc"]), max_size=20).map(b"".join)


class LikeBytesIO(RuleBasedStateMachine):
    """The same done to a buffer that was used before and to an io.BytesIO; answers and errors are the same."""

    @initialize(size=st.integers(0, 100), wipe=st.sampled_from(["used", "full", "none"]))
    def start(self, size, wipe):
        self.pool = BufferPool(tiers=TIERS, max_size=4096, wipe=wipe)
        used = [self.pool.acquire(tier) for tier in TIERS]
        for buffer in used:
            buffer.write(b"\xff" * buffer.capacity)
            buffer.release()
        self.buffer, self.model = self.pool.acquire(size), io.BytesIO()

    def both(self, method, *args):
        answers = []
        for file in (self.buffer, self.model):
            try:
                answers.append(getattr(file, method)(*args))
            except (ValueError, TypeError, OverflowError, io.UnsupportedOperation) as error:
                answers.append(type(error))
        assert answers[0] == answers[1]

    @rule(data=DATA | DATA.map(bytearray) | DATA.map(memoryview))
    def write(self, data):
        if self.model.tell() < 1000:  # or the one is too large and the other takes all memory there is
            self.both("write", data)

    @rule(data=st.lists(DATA, max_size=3))
    def writelines(self, data):
        if self.model.tell() < 1000:
            self.both("writelines", data)

    @rule(size=SIZES, method=st.sampled_from(["read", "read1", "readline"]))
    def read(self, size, method):
        self.both(method, size)

    @rule(
        method=st.sampled_from(["readlines", "tell", "getvalue", "flush", "seekable", "readable", "writable", "isatty"])
    )
    def ask(self, method):
        self.both(method)

    @rule(size=st.integers(0, 50), method=st.sampled_from(["readinto", "readinto1"]))
    def readinto(self, size, method):
        targets = [bytearray(size), bytearray(size)]
        counts = [getattr(file, method)(t) for file, t in zip((self.buffer, self.model), targets, strict=True)]
        assert counts[0] == counts[1]
        assert targets[0] == targets[1]

    @rule(offset=OFFSETS, whence=st.sampled_from([0, 1, 2, 3, -1, True, 1.0, "1", None, []]))
    def seek(self, offset, whence):
        self.both("seek", offset, whence)

    @rule(size=SIZES | HUGE)
    def truncate(self, size):
        self.both("truncate", size)

    @rule(count=st.integers(1, 3))
    def iterate(self, count):
        for _, ours, theirs in zip(range(count), self.buffer, self.model, strict=False):
            assert ours == theirs

    @rule(value=st.sampled_from([1.5, "5", b"5"]), method=st.sampled_from(["seek", "truncate"]))
    def wrong_type(self, value, method):
        for file in (self.buffer, self.model):
            with pytest.raises(TypeError):
                getattr(file, method)(value)

    @rule(value=st.sampled_from(["text", None, 5, [1]]))
    def write_no_bytes(self, value):
        self.both("write", value)

    @invariant()
    def same_content(self):
        if hasattr(self, "buffer"):
            assert self.buffer.getvalue() == self.model.getvalue()
            assert self.buffer.tell() == self.model.tell()
            assert len(self.buffer) == len(self.model.getvalue())
            assert bytes(self.buffer.getbuffer()) == self.model.getvalue()

    def teardown(self):
        if hasattr(self, "buffer"):
            self.buffer.release()
            if self.pool.wipe != "none":
                assert all(not any(bytes(storage)) for tier in self.pool._store.idle.values() for storage in tier)


TestLikeBytesIO = LikeBytesIO.TestCase
TestLikeBytesIO.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)


def test_every_method_of_bytesio_is_there():
    buffer = BufferPool().acquire(10)
    assert [name for name in dir(io.BytesIO) if not name.startswith("_") and not hasattr(buffer, name)] == []
    assert isinstance(buffer, io.BufferedIOBase)
    with pytest.raises(io.UnsupportedOperation):
        buffer.fileno()
    buffer.release()


@pytest.mark.parametrize(
    "data",
    [array.array("I", [1, 2]), array.array("I"), np.arange(6).reshape(2, 3), np.empty((0, 3)), memoryview(b"")],
    ids=["ints", "no ints", "matrix", "empty matrix", "empty view"],
)
def test_memory_of_every_shape_is_written_byte_for_byte(data):
    buffer, model = BufferPool().acquire(10), io.BytesIO()
    assert buffer.write(data) == model.write(data)
    assert buffer.getvalue() == model.getvalue()
    buffer.release()


@pytest.mark.parametrize(
    "data",
    [np.asfortranarray(np.ones((2, 3), "B")), np.ones(8, "B")[::2], memoryview(bytearray(8))[::2]],
    ids=["by columns", "every second", "every second of a view"],
)
def test_memory_in_another_order_is_refused(data):
    """Its bytes would come in an order that nobody asked for."""
    buffer = BufferPool().acquire(10)
    for call in (buffer.write, buffer.readinto):
        with pytest.raises(TypeError):
            call(data)
    assert buffer.getvalue() == b""
    buffer.release()


@pytest.mark.parametrize(
    "target", [b"abc", b"", memoryview(b"abc"), "text", None, 3], ids=lambda one: type(one).__name__
)
def test_only_writable_memory_is_read_into(target):
    buffer = BufferPool().acquire(10)
    buffer.write(b"spam")
    buffer.seek(0)
    for file in (buffer, io.BytesIO(b"spam")):
        with pytest.raises(TypeError):
            file.readinto(target)
        assert file.readinto(np.empty((0, 3))) == 0
        assert file.tell() == 0
    buffer.release()


SIGNATURES = {
    "write": "(data, /)",
    "read": "(size=-1, /)",
    "readinto": "(target, /)",
    "readline": "(size=-1, /)",
    "seek": "(offset, whence=0, /)",
    "tell": "()",
    "truncate": "(size=None, /)",
    "getvalue": "()",
    "view": "(start=0, stop=None, *, readonly=False)",
}


def bare(function):
    """Its signature without annotations."""
    signature = inspect.signature(function)
    names = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    return str(signature.replace(parameters=names, return_annotation=signature.empty))


def test_methods_tell_what_they_take():
    pool = BufferPool()
    with pool.lease(10) as buffer:
        assert {name: bare(getattr(buffer, name)) for name in SIGNATURES} == SIGNATURES
        assert all(getattr(buffer, name).__doc__ for name in SIGNATURES)
    assert (bare(pool.acquire), bare(pool.release)) == ("(size, /)", "(file, /)")
    with pytest.raises(TypeError):
        pool.acquire(size=10)
    assert pool.get_stats().acquired == 1


class Number:
    def __index__(self):
        return 3


@pytest.mark.parametrize("number", [3, Number(), np.int64(3), np.uint8(3)], ids=lambda one: type(one).__name__)
def test_whatever_is_a_whole_number_is_an_end_of_a_view(number):
    with BufferPool(tiers=(16,)).lease(10) as buffer:
        assert len(buffer.view(number)) == 13
        assert len(buffer.view(1, number)) == 2
        assert buffer.seek(number) == buffer.truncate(number) == 3


@pytest.mark.parametrize("number", [-1, 17, 2**63, 2**70, -(2**63), -(2**70)])
def test_no_other_number_is_an_end_of_a_view(number):
    with BufferPool(tiers=(16,)).lease(10) as buffer:
        for ends in ((number,), (0, number), (number, number)):
            with pytest.raises(ValueError, match="it takes 0 <= start"):
                buffer.view(*ends)
        for ends in ((1.0,), ("1",), (0, 1.0), (0, "1"), (None,)):
            with pytest.raises(TypeError):
                buffer.view(*ends)
        assert len(buffer) == 0


def test_empty_buffer_is_true_like_every_file():
    buffer = BufferPool().acquire(10)
    assert buffer
    assert len(buffer) == 0
    buffer.release()


def test_closing_does_not_release():
    """Wrappers such as TextIOWrapper close what they wrap; the end of the request gives back."""
    pool = BufferPool()
    buffer = pool.acquire(10)
    buffer.close()
    assert not buffer.closed
    buffer.write(b"spam")
    buffer.release()
    assert buffer.closed
