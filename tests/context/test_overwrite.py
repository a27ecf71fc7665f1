"""field(overwrite=True): what a sensitive str or bytes leaves in memory."""

import ctypes
import os
import sys

import pytest

from poolware import Context, ObjectPool, field
from poolware._core.core import CORE
from poolware.errors import DefinitionError

compiled = pytest.mark.skipif(CORE != "compiled", reason="the plain twin has no way to overwrite what is immutable")


class Person(Context):
    overwritten: str | bytes | None = field(default=None, sensitive=True, overwrite=True)
    left: str | bytes | None = field(default=None, sensitive=True)


MAKE = {
    "bytes": lambda: b"".join([b"geheim", os.urandom(1).hex().encode()]) * 40,
    "ascii": lambda: ("geheim" + os.urandom(1).hex()) * 40,
    "latin": lambda: ("geh\xe4im" + os.urandom(1).hex()) * 40,
    "wide": lambda: ("geh\u20acim" + os.urandom(1).hex()) * 40,
}


def address_of(value):
    """Return where the middle of the value is, and how many bytes of it to look at."""
    size = sys.getsizeof(value)
    return id(value) + size // 2, size // 4


def ended(name, value, kept=None, store="stack"):
    """Return the middle of the value's memory after a context that had it has ended."""
    pool = ObjectPool(Person, store=store)
    place = address_of(value[0])
    person = pool.acquire()
    setattr(person, name, value.pop())
    held = [person] if kept == "context" else [getattr(person, name)] if kept == "value" else []
    pool.release(person)
    del person
    seen = ctypes.string_at(*place)
    held.clear()
    return seen


@compiled
@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("kept", [None, "context"])
def test_what_only_the_field_holds_is_overwritten(kind, kept):
    assert set(ended("overwritten", [MAKE[kind]()], kept)) == {0}
    assert b"g" in ended("left", [MAKE[kind]()], kept)


@compiled
@pytest.mark.parametrize("store", ["fifo", "thread"])
def test_it_is_overwritten_with_every_store(store):
    """The cycle of a pool with another store is the plain one."""
    assert set(ended("overwritten", [MAKE["wide"]()], store=store)) == {0}
    assert b"g" in ended("left", [MAKE["ascii"]()], store=store)


@compiled
def test_the_utf_8_copy_that_a_str_keeps_is_overwritten():
    pool = ObjectPool(Person)
    person = pool.acquire()
    text = MAKE["wide"]()
    length = ctypes.c_ssize_t()
    as_utf8 = ctypes.pythonapi.PyUnicode_AsUTF8AndSize
    as_utf8.restype, as_utf8.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_void_p]
    address = as_utf8(text, ctypes.byref(length))
    person.overwritten = text
    del text
    pool.release(person)
    assert set(ctypes.string_at(address + 64, length.value - 64)) == {0}


@pytest.mark.parametrize("kind", MAKE)
def test_what_somebody_else_holds_is_left_alone(kind):
    value = MAKE[kind]()
    known = value[:]
    ended("overwritten", [value])
    ended("overwritten", [MAKE[kind]()], kept="value")
    assert value == known
    pool = ObjectPool(Person)
    for shared in ("geheim", sys.intern("geh" + "eim!"), "", "x", b"", b"x", None, 7):
        person = pool.acquire()
        person.overwritten = shared
        pool.release(person)
        del person
    assert (str(b"geheim", "ascii"), chr(120), bytes([120])) == ("geheim", "x", b"x")


@pytest.mark.parametrize("options", [{"default": None}, {"factory": bytearray, "sensitive": True}])
def test_it_is_for_sensitive_values(options):
    with pytest.raises(DefinitionError, match=r"overwrite=True.*takes default= and sensitive=True"):
        field(overwrite=True, **options)
