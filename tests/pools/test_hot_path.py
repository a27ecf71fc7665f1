"""What an acquisition and a release call: strategies add nothing to it, whether they are used or not."""

import sys

import pytest
from pool_samples import Tool

from poolware import Context, DynamicSizing, LeaseRate, ObjectPool, Watermark
from poolware._core.core import compiled
from poolware.pools.kinds import ContextKind


class Job(Context):
    name: str = ""


pytestmark = pytest.mark.skipif(sys.version_info >= (3, 14), reason="more is called: counts say less there")

STRATEGIES = {
    "none": {},
    "watermark": {"growth": Watermark()},
    "lease rate": {"growth": LeaseRate(1.0)},
    "sizing": {"sizing": DynamicSizing()},
    "idle timeout": {"idle_timeout": 60.0},
    "all": {"growth": Watermark(), "sizing": DynamicSizing(), "idle_timeout": 60.0},
}
TOOLS = [  # acquire, then release
    *("pop", "getrefcount", "id"),
    *("id", "pop", "getrefcount", "restore", "reset", "append"),
]
CONTEXTS = ["pop", "getrefcount", "add", "remove", "getrefcount", "append"]


def calls(function):
    """The names of everything that is called in the course of `function`."""
    seen = []

    def note(frame, event, argument):
        if event in {"call", "c_call"}:
            seen.append(frame.f_code.co_name if event == "call" else argument.__name__)

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    # A tally's tick is one call, but not everywhere one that the interpreter tells of.
    return [name for name in seen if name not in {"setprofile", "<lambda>", "acquire", "release", "tick"}]


def cycle(pool):
    """An acquisition and a release, of an object that nobody holds afterwards."""
    acquire, release = pool.acquire, pool.release
    release(acquire())
    return lambda: release(acquire())


def code(pool):
    return [
        (function.__code__.co_code, function.__code__.co_names, function.__code__.co_consts)
        for function in (pool.acquire, pool.release)
    ]


@pytest.mark.parametrize("strategies", STRATEGIES)
def test_a_plain_cycle_calls_what_it_always_called(strategies):
    pool = ObjectPool(Tool, reset=Tool.reset, **STRATEGIES[strategies])
    assert calls(cycle(pool)) == TOOLS
    assert code(pool) == code(ObjectPool(Tool, reset=Tool.reset))


@pytest.mark.parametrize("strategies", STRATEGIES)
def test_a_plain_cycle_of_contexts_calls_what_it_always_called(monkeypatch, strategies):
    monkeypatch.setattr(ContextKind, "_compiled", False)
    pool = ObjectPool(Job, **STRATEGIES[strategies])
    assert calls(cycle(pool)) == CONTEXTS
    assert code(pool) == code(ObjectPool(Job))


@pytest.mark.skipif(compiled is None, reason="there is no compiled core here")
@pytest.mark.parametrize("strategies", STRATEGIES)
def test_the_compiled_cycle_stays_compiled(strategies):
    """Its instructions are those of the C text, which knows no strategy."""
    pool = ObjectPool(Job, **STRATEGIES[strategies])
    assert calls(cycle(pool)) == []
    assert {type(pool.acquire.__self__), type(pool.release.__self__)} == {compiled.Cycle}
    assert type(pool._idle) is compiled.Store


@pytest.mark.parametrize("kind", [Job, Tool])
def test_every_other_store_is_called_instead_of_the_list(kind):
    options = {} if kind is Job else {"reset": Tool.reset}
    expected = CONTEXTS if kind is Job else TOOLS
    seen = calls(cycle(ObjectPool(kind, store="fifo", **options)))
    assert seen == ["popleft", *expected[1:]]
