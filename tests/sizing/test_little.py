"""Little's law, and the sizes that follow from it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolware import BadOption
from poolware.sizing import in_use, pool_size, share_of_limit
from poolware.sizing.downstream import connections_that_work, without_deadlock


def test_the_textbook_pool():
    size = pool_size(500, 0.020, peak=2.0, idle=0.5)
    assert (size.in_use, size.minimum, size.maximum, size.initial) == (10, 5, 20, 13)


def test_the_textbook_peak():
    """1000 x 0.05 x 1.5 is 75.00000000000001 to a computer, and still 75."""
    assert pool_size(1000, 0.050, peak=1.5).maximum == 75


def test_the_textbook_limit():
    share = share_of_limit(100, 8, reserved=4)
    assert (share.per_process, share.used, share.spare) == (12, 96, 0)


def test_workers_share_the_limit_as_well():
    share = share_of_limit(100, 4, workers=3, reserved=3)
    assert (share.per_process, share.processes, share.used, share.spare) == (8, 12, 96, 1)


def test_a_limit_below_the_number_of_processes_names_a_proxy():
    with pytest.raises(BadOption, match="not even one for each"):
        share_of_limit(100, 200)
    with pytest.raises(BadOption, match="less reserved=200"):
        share_of_limit(100, 1, reserved=200)


def test_a_database_with_four_cores_and_a_disk():
    """The example of HikariCP's page, and its example of three threads that hold four connections each."""
    assert connections_that_work(4, 1) == 9
    assert without_deadlock(3, 4) == 10


@given(rate=st.floats(1e-3, 1e4), hold=st.floats(1e-6, 10), peak=st.floats(1, 10), idle=st.floats(0, 1))
def test_sizes_are_ordered_and_cover_the_load(rate, hold, peak, idle):
    size = pool_size(rate, hold, peak=peak, idle=idle)
    assert 1 <= size.minimum <= size.initial <= size.maximum
    assert size.maximum >= rate * hold * peak * (1 - 1e-6)
    assert size.maximum <= rate * hold * peak + 1


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, -math.inf, True, "5", None, 1e300])
def test_what_is_no_rate_is_refused(value):
    with pytest.raises(BadOption, match=r"rate=.*it takes"):
        in_use(value, 1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"peak": 0.5}, "peak=0.5: it takes a number of at least 1"),
        ({"peak": math.nan}, "peak=nan"),
        ({"idle": 1.5}, "idle=1.5: it takes a number of at least 0 and at most 1"),
        ({"idle": -0.1}, "idle=-0.1"),
    ],
)
def test_factors_out_of_range_are_refused(options, message):
    with pytest.raises(BadOption, match=message):
        pool_size(10, 1.0, **options)
