"""A buffer does what io.BytesIO does, whatever is done in whatever order."""

import array
import io

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from poolware import BufferPool

TIERS = (8, 32, 64)
OFFSETS = st.integers(-20, 150)
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
            except (ValueError, TypeError, io.UnsupportedOperation) as error:
                answers.append(type(error))
        assert answers[0] == answers[1]

    @rule(data=DATA | DATA.map(bytearray) | DATA.map(memoryview))
    def write(self, data):
        self.both("write", data)

    @rule(data=st.lists(DATA, max_size=3))
    def writelines(self, data):
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

    @rule(offset=OFFSETS, whence=st.sampled_from([0, 1, 2, 3, -1]))
    def seek(self, offset, whence):
        self.both("seek", offset, whence)

    @rule(size=SIZES)
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
                assert all(not any(storage) for tier in self.pool._idle.values() for storage in tier)


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
