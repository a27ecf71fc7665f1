"""POOLWARE_MODE=debug: whatever was released raises on any use, and says who acquired and who released it."""

import gc
import logging
import threading
from typing import ClassVar

import pytest

from poolware import (
    BufferInUse,
    BufferPool,
    BufferReleased,
    Context,
    ContextReleased,
    ObjectPool,
    ObjectReleased,
    PartHeld,
    SecretField,
    SecretReleased,
    field,
    secret,
)
from poolware._core import misuse


class Cart:
    """What the tests vouch for: keeps its list, which the reset empties."""

    shared: ClassVar[dict[str, int]] = {}

    def __init__(self):
        self.items = []
        self.prices = self.shared

    def clear(self):
        self.items.clear()


class Job(Context):
    name: str = ""
    token: SecretField = secret()
    cart: Cart = field(factory=Cart, reset=Cart.clear)


class Tool:
    """With the special methods that Python calls past ``__getattribute__``."""

    closed: ClassVar[list[str]] = []

    def __init__(self):
        self.rows = [1]

    def __len__(self):
        return 3

    def __call__(self):
        return self

    def __getitem__(self, key):
        return key

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        return None

    def __del__(self):
        self.closed.append(f"{type(self).__name__} {self.rows}")

    def restore(self):
        self.rows.append(2)


@pytest.fixture(autouse=True)
def debug(monkeypatch):
    monkeypatch.setenv("POOLWARE_MODE", "debug")


def acquire_here(pool, *args):
    return pool.acquire(*args)


def release_here(pool, obj):
    pool.release(obj)


def assert_tells(error, kind):
    text = str(error.value)
    acquired, released = text.split("Acquired at:")[1].split("Released at:")
    assert "in acquire_here" in acquired, kind
    assert "in release_here" in released, kind
    assert "poolware" not in acquired.replace("/tests/", ""), kind


USES = {
    "read": lambda tool: tool.rows,
    "write": lambda tool: setattr(tool, "rows", []),
    "delete": lambda tool: delattr(tool, "rows"),
    "method": lambda tool: tool.restore(),
    "len": len,
    "call": lambda tool: tool(),
    "item": lambda tool: tool[1],
    "with": lambda tool: tool.__enter__(),
    "compare": lambda tool: tool == 1,
    "hash": hash,
    "bool": bool,
}


@pytest.mark.parametrize("use", USES)
def test_a_released_object_raises_on_any_use(use):
    """H06: objects that know nothing of pools are poisoned too."""
    pool = ObjectPool(Tool, reset=Tool.restore)
    tool = acquire_here(pool)
    release_here(pool, tool)
    with pytest.raises(ObjectReleased, match="this Tool was released to its pool") as error:
        USES[use](tool)
    assert_tells(error, use)
    assert repr(tool) == "<Tool released to its pool>"
    assert isinstance(tool, Tool)


def test_a_poisoned_object_ends_as_itself():
    """Its finalizer runs as its author wrote it, after the reset."""
    gc.collect()
    Tool.closed.clear()
    pool = ObjectPool(Tool, reset=Tool.restore)
    pool.release(pool.acquire())
    pool.get_stats()
    gc.collect()
    assert Tool.closed == ["Tool [1, 2]"]


def test_what_cannot_be_poisoned_is_left_alone():
    pool = ObjectPool(dict, reset=dict.clear)
    plain = pool.acquire()
    plain["a"] = 1
    pool.release(plain)
    assert plain == {}
    assert pool.acquire() is not plain


def test_a_released_context_and_its_secret_say_who_had_them():
    pool = ObjectPool(Job)
    job = acquire_here(pool)
    token = job.token
    release_here(pool, job)
    with pytest.raises(ContextReleased, match="this Job was released to its pool") as error:
        job.name = "late"
    assert_tells(error, "context")
    with pytest.raises(SecretReleased) as error:
        token.reveal()
    assert_tells(error, "secret")


def test_a_released_buffer_says_who_had_it():
    pool = BufferPool()
    buffer = acquire_here(pool, 10)
    release_here(pool, buffer)
    with pytest.raises(BufferReleased) as error:
        buffer.write(b"late")
    assert_tells(error, "buffer")


def test_a_second_release_is_called_one():
    """H12."""
    pool = ObjectPool(Tool, reset=Tool.restore)
    tool = pool.acquire()
    pool.release(tool)
    with pytest.raises(RuntimeError, match="has already been released"):
        pool.release(tool)


@pytest.mark.parametrize("make", [lambda: ObjectPool(Tool, reset=Tool.restore), lambda: ObjectPool(Job)])
def test_what_is_held_after_its_release_is_quarantined(make):
    """So that statistics, and whoever looks for holders, find it."""
    pool = make()
    kept = [pool.acquire()]
    pool.release(kept[0])
    stats = pool.get_stats()
    assert (stats.quarantined, stats.dropped, stats.in_use) == (1, 0, 0)
    kept.clear()
    stats = pool.get_stats()
    assert (stats.quarantined, stats.dropped, stats.idle) == (0, 1, 0)


@pytest.mark.parametrize("make", [lambda: ObjectPool(Cart, reset=Cart.clear), lambda: ObjectPool(Job)])
@pytest.mark.parametrize("held", [True, False])
def test_a_held_part_of_a_vouched_object_is_reported(make, held, caplog):
    """H43: the list inside of the cart; what all carts share counts for nobody's."""
    pool = make()
    seen = []
    obj = pool.acquire()
    cart = obj.cart if isinstance(obj, Job) else obj
    cart.items.append("spam")
    kept = cart.items if held else None
    del cart
    misuse.observers.append(seen.append)
    try:
        pool.release(obj)
    finally:
        misuse.observers.remove(seen.append)
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == len(seen) == held
    if held:
        assert "somebody still holds items (list) of it" in errors[0]
        assert isinstance(seen[0], PartHeld)
        assert kept == []


def test_a_failing_reset_is_counted_once():
    def fail(_tool):
        raise ValueError("cannot")

    pool = ObjectPool(Tool, reset=fail)
    pool.release(pool.acquire())
    stats = pool.get_stats()
    assert (stats.reset_errors, stats.dropped, stats.destroyed) == (1, 0, 1)


def test_uses_after_release_are_shown_to_observers():
    """A test suite hears of them even where the application swallows the error."""
    pool = ObjectPool(Job)
    job = pool.acquire()
    pool.release(job)
    seen = []
    misuse.observers.append(seen.append)
    try:
        assert getattr(job, "name", None) is None
    except ContextReleased:
        pass
    finally:
        misuse.observers.remove(seen.append)
    assert [type(error) for error in seen] == [ContextReleased]


# --- buffers (H44) ----------------------------------------------------------------------------------------------------


def test_two_threads_that_write_at_once_are_noticed():
    """H44: the second is refused, with the place where the first is."""
    buffer = BufferPool().acquire(100)
    inside, go_on = threading.Event(), threading.Event()

    def lines():
        yield b"one"
        inside.set()
        go_on.wait(10)
        yield b"two"

    thread = threading.Thread(target=buffer.writelines, args=(lines(),), name="first")
    thread.start()
    inside.wait(10)
    with pytest.raises(BufferInUse, match="two threads change a buffer at once"):
        buffer.write(b"between")
    go_on.set()
    thread.join()
    assert buffer.getvalue() == b"onetwo"
    buffer.write(b"!")
    buffer.release()


@pytest.mark.parametrize("change", [lambda b: (b.seek(2), b.write(b"X")), lambda b: b.truncate(1)])
def test_a_change_under_a_read_only_view_is_noticed(change):
    """H44: what a transport still reads is not to be overwritten."""
    buffer = BufferPool().acquire(100)
    buffer.write(b"response")
    view = buffer.getbuffer()
    part = view[2:4]
    del view
    with pytest.raises(BufferInUse, match="while a read-only view shows them; taken at") as error:
        change(buffer)
    assert "test_debug_mode" in str(error.value)
    buffer.seek(8)
    buffer.write(b"!")
    assert bytes(part) == b"sp"
    del part
    change(buffer)
    buffer.release()


def test_a_read_only_view_keeps_the_memory_away_from_others():
    """H07: in debug mode too."""
    pool = BufferPool()
    buffer = pool.acquire(100)
    buffer.write(b"response")
    view = buffer.getbuffer()
    buffer.release()
    assert pool.get_stats().quarantined == 1
    assert bytes(view) == b"response"
    del view
    assert pool.get_stats().quarantined == 0


def test_a_class_whose_metaclass_keeps_a_register():
    """It is left alone: a poisoned subclass has no place there."""
    registered = []

    class Registering(type):
        def __init__(cls, name, bases, namespace):
            super().__init__(name, bases, namespace)
            registered.append(name)

    class Row(metaclass=Registering):
        pass

    pool = ObjectPool(Row, reset=None)
    with pool.lease():
        pass
    assert registered == ["Row"]


def test_clean_uses_count_as_escaped_from_no_quarantine():
    """In debug mode everything passes through the quarantine, held or not."""
    pool = ObjectPool(Job, max_quarantine=0)
    many = [pool.acquire() for _ in range(300)]
    while many:
        pool.release(many.pop())
    assert pool.get_stats().escaped == 0
