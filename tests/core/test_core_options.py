"""What every constructor uses to check its options."""

import pytest

from poolware import BadOption, UnknownOption
from poolware._core.options import callable_or_none, known_options, whole_number


@pytest.mark.parametrize(("value", "at_least"), [(0, 0), (1, 0), (1, 1), (10**12, 5)])
def test_whole_number(value, at_least):
    assert whole_number("size", value, at_least=at_least) == value


@pytest.mark.parametrize("value", [-1, 4, 5.0, "5", None, True, False])
def test_other_number_is_refused(value):
    """H40: the option, the value and what it takes."""
    with pytest.raises(BadOption, match=rf"size={value!r}: it takes a whole number of at least 5"):
        whole_number("size", value, at_least=5)


def test_callable_or_none():
    """H40."""
    callable_or_none("hook", None)
    callable_or_none("hook", print)
    with pytest.raises(BadOption, match="hook=5: it takes a function of one argument, or None"):
        callable_or_none("hook", 5)


def test_unknown_option_is_told_with_those_there_are():
    """H40."""
    known_options("Shop", ["b", "a"], {"a", "b"})
    with pytest.raises(UnknownOption, match="Shop has no option 'c'; it takes a, b"):
        known_options("Shop", ["a", "c"], {"b", "a"})
