"""Every option out of its range is refused at start, with a message that names it and what it takes."""

import pytest
from pool_samples import Tool, tool_pool

from poolware import BadOption, BufferPool, ConfigurationError, Context, ObjectPool


class Job(Context):
    pass


NOT_WHOLE = [-1, 1.5, True, "5", None]


@pytest.mark.parametrize("option", ["max_idle", "max_quarantine", "prewarm"])
@pytest.mark.parametrize("value", NOT_WHOLE)
def test_number_of_an_object_pool(option, value):
    """H40."""
    with pytest.raises(BadOption, match=f"{option}={value!r}: it takes a whole number of at least 0"):
        ObjectPool(Job, **{option: value})


@pytest.mark.parametrize("option", ["max_idle", "max_idle_bytes", "max_size"])
@pytest.mark.parametrize("value", NOT_WHOLE)
def test_number_of_a_buffer_pool(option, value):
    """H40."""
    with pytest.raises(BadOption, match=rf"{option}={value!r}: it takes a whole number of at least \d"):
        BufferPool(**{option: value})


@pytest.mark.parametrize("factory", [None, 5, "list", [], Job()])
def test_factory_must_be_callable(factory):
    """H40."""
    with pytest.raises(BadOption, match="the factory must be a context class or a function without arguments"):
        ObjectPool(factory, reset=None)


@pytest.mark.parametrize("option", ["reset", "validate"])
@pytest.mark.parametrize("value", [5, "clear", []])
def test_hook_must_be_callable(option, value):
    """H40."""
    with pytest.raises(BadOption, match=rf"{option}=.*: it takes a function of one argument, or None"):
        ObjectPool(Tool, **({"reset": None} | {option: value}))


def test_reset_must_be_said():
    """H01: leaving it out is not the same as saying that there is nothing to reset."""
    with pytest.raises(ConfigurationError, match=r"ObjectPool\(Tool\): reset= is missing.* or reset=None if"):
        ObjectPool(Tool)


@pytest.mark.parametrize("options", [{"reset": None}, {"reset": repr}, {"validate": bool}])
def test_context_class_brings_its_own_reset(options):
    """H11: there is one reset."""
    with pytest.raises(BadOption, match=r"ObjectPool\(Job\): a context class brings its own reset"):
        ObjectPool(Job, **options)


@pytest.mark.parametrize("tiers", [(), (0,), (10, 10), (20, 10), (1.5,), ("10",), (True,)])
def test_tiers(tiers):
    """H40."""
    with pytest.raises(BadOption, match="tiers="):
        BufferPool(tiers=tiers)


@pytest.mark.parametrize("wipe", ["all", None, True, "USED"])
def test_wipe(wipe):
    """H40."""
    with pytest.raises(BadOption, match=f"wipe={wipe!r}: it takes 'used', 'full' or 'none'"):
        BufferPool(wipe=wipe)


@pytest.mark.parametrize("make", [lambda **o: ObjectPool(Job, **o), tool_pool, BufferPool])
def test_unknown_option(make):
    """H40."""
    with pytest.raises(TypeError, match="max_idel"):
        make(max_idel=5)


def test_pool_is_named_after_its_factory():
    assert ObjectPool(Job).name == "Job"
    assert ObjectPool(Tool.reset, reset=None).name == "Tool.reset"
    assert ObjectPool(Tool, reset=None, name="tools").name == "tools"
    assert tool_pool(name="tools").get_stats().name == "tools"


def test_statistics_are_a_record_of_the_moment():
    stats = tool_pool().get_stats()
    with pytest.raises(AttributeError):
        stats.idle = 5
