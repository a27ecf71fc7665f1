"""What can be measured, and what cannot."""

import gc

import planted
import pytest

from poolware import BadOption
from poolware.sizing.subject import Subject


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (planted.broken, {}, r"broken\(\) failed: LookupError: no configuration for ☃"),
        (planted.leaving, {}, r"leaving\(\) failed: SystemExit: 3"),
        (planted.needs_argument, {}, r"needs_argument\(\) failed: TypeError: .*missing 1 required"),
        (planted.the_same, {}, r"the_same\(\) returns the same object each time, \[\]: there is nothing to pool"),
        (planted.generator, {}, r"generator\(\) returns a generator, which is used up once"),
        (planted.coroutine, {}, r"coroutine\(\) returns a coroutine, which is used up once"),
        (int, {}, r"int\(\) returns the same object each time, 0"),
        (17, {}, "17: it takes a class, or a function that builds an object"),
        (planted.Number, {"use": planted.cannot_use}, "using a Number failed: KeyError: 'nothing here'"),
        (planted.Number, {"reset": planted.cannot_use}, "resetting a Number failed: KeyError"),
        (planted.Number, {"use": 3}, "use=3: it takes a function"),
        (planted.Number, {"used_bytes": 10}, "used_bytes=10: a Number has no writable memory of that size"),
        (bytearray, {"used_bytes": 10}, "used_bytes=10: a bytearray has no writable memory of that size"),
        (planted.scratch, {"used_bytes": -1}, "used_bytes=-1: it takes a whole number"),
        (planted.Job, {"reset": len}, "Job is a context class, which resets itself; leave out reset="),
    ],
)
def test_what_cannot_be_pooled_is_refused(make, options, message):
    with pytest.raises(BadOption, match=message):
        Subject(make, **options)
    gc.collect()  # a coroutine that nobody closed would warn now


def test_bytes_are_written_by_a_use_and_gone_after_the_reset():
    pool = Subject(planted.scratch, used_bytes=1000).pool()
    subject = Subject(planted.scratch, used_bytes=1000)
    scratch = pool.acquire()
    subject.work(scratch)
    assert scratch[:1001] == b"\x01" * 1000 + b"\0"
    pool.release(scratch)
    assert not any(scratch[:1000])


def test_an_object_that_refers_to_itself_is_lent_in_a_holder():
    """A SQLite connection's statement cache refers to the connection: no count of references proves it unshared."""
    subject = Subject(planted.connection)
    pool = subject.pool()
    pool.release(pool.acquire())
    pool.release(pool.acquire())
    assert subject.held
    assert pool.get_stats().hits == 1
    subject.empty(pool)
    assert not Subject(planted.scratch).held


def test_everything_that_was_made_is_closed():
    made = []

    class Connection:
        def __init__(self):
            self.closed = [0]
            made.append(self.closed)

        def close(self):
            self.closed[0] += 1

    subject = Subject(Connection)
    pool = subject.pool()
    pool.prewarm(3)
    subject.empty(pool)
    assert len(made) == 5
    assert made == [[1]] * len(made)


def test_a_close_that_is_a_coroutine_is_left_alone():
    class Connection:
        async def close(self):
            raise AssertionError

    Subject(Connection)
    gc.collect()
