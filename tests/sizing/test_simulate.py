"""The simulation against what is known exactly, and what it says about growth."""

import math

import numpy as np
import pytest

from poolware import BadOption
from poolware.sizing import waiting
from poolware.sizing.draws import arrival_times, hold_times
from poolware.sizing.plot import plot
from poolware.sizing.simulate import Scenario, simulate

RATE, HOLD = 500.0, 0.02


def warm(size, **options):
    """A pool that is complete from the start."""
    options = {"requests": 300_000} | options
    return simulate(Scenario(rate=RATE, hold_s=HOLD, max_size=size, min_size=size, **options))


@pytest.mark.parametrize("size", [11, 12, 14])
def test_independent_requests_wait_as_erlang_says(size):
    """Within 5 %: probability, mean and 99th percentile, at 91, 83 and 71 % of utilization."""
    result, formula = warm(size, requests=1_000_000), waiting(size, RATE, HOLD)
    assert result.waited == pytest.approx(formula.probability, rel=0.05)
    assert result.wait_mean_s == pytest.approx(formula.mean_s, rel=0.05)
    assert result.wait_p99_s == pytest.approx(formula.p99_s, rel=0.05)


@pytest.mark.parametrize("hold", ["constant", "lognormal", "hyperexponential"])
@pytest.mark.parametrize("arrivals", ["poisson", "bursts"])
def test_little_holds_for_every_hold_time(arrivals, hold):
    """Counted at points in time, as many are in use and wait as rates and times say, whatever their distribution."""
    result = warm(13, arrivals=arrivals, hold=hold, peak=1.5)
    rate = result.requests / result.seconds
    assert result.in_use_mean == pytest.approx(rate * HOLD, rel=0.05)
    assert result.waiting_mean == pytest.approx(rate * result.wait_mean_s, rel=0.05)


def test_one_server_with_constant_times_waits_half_as_long():
    """Pollaczek and Khinchine: rho / (2 (1 - rho)) hold times."""
    result = simulate(Scenario(rate=40, hold_s=0.02, hold="constant", max_size=1, min_size=1, requests=200_000))
    assert result.wait_mean_s == pytest.approx(0.8 / 0.4 * 0.02, rel=0.05)


def test_no_request_waits_where_they_come_one_after_the_other():
    result = simulate(Scenario(rate=1, hold_s=0.5, arrivals="constant", hold="constant", max_size=1, requests=100))
    assert (result.waited, result.built, result.hit_rate) == (0, 1, 0.99)


def test_a_pool_that_builds_never_waits_for_others():
    result = simulate(Scenario(rate=RATE, hold_s=HOLD, max_size=5, when_empty="build", create_s=0.001, requests=50_000))
    assert result.wait_max_s == pytest.approx(0.001)
    assert result.waited == pytest.approx(1 - result.hit_rate)
    assert result.objects_peak > 15


def test_objects_go_after_a_burst():
    """Memory falls back to the minimum while nothing happens (H30)."""
    load = Scenario(
        rate=100,
        hold_s=0.05,
        arrivals="bursts",
        peak=10,
        period_s=10,
        max_size=200,
        min_size=2,
        requests=20_000,
        idle_timeout_s=0.2,
    )
    at = simulate(load).timeline
    assert at.objects.max() > 40
    assert at.objects[(at.seconds % 10 > 2) & (at.seconds % 10 < 8)].max() <= 2


def test_building_ahead_spares_requests_the_construction():
    """The same day, three ways of growing: those that build ahead let fewer requests pay for it."""
    day = {"rate": RATE, "hold_s": HOLD, "arrivals": "diurnal", "max_size": 60, "create_s": 0.01, "requests": 60_000}
    waited = {
        growth: simulate(Scenario(**day, growth=growth, idle_timeout_s=1)).waited
        for growth in ("when_empty", "watermark", "lease_rate")
    }
    assert waited["watermark"] < waited["when_empty"] / 3
    assert waited["lease_rate"] < waited["when_empty"] / 3


def test_no_process_of_a_fleet_exceeds_its_share():
    result = simulate(Scenario(rate=2000, hold_s=0.1, processes=100, max_size=4, create_s=0.003, requests=50_000))
    formula = waiting(4, 20, 0.1)
    assert result.objects_peak <= 400
    assert result.wait_mean_s == pytest.approx(formula.mean_s, rel=0.1)


def test_the_same_seed_gives_the_same_result():
    load = {"rate": RATE, "hold_s": HOLD, "max_size": 12, "requests": 2000}
    assert simulate(Scenario(**load)).wait_mean_s == simulate(Scenario(**load)).wait_mean_s
    assert simulate(Scenario(**load)).wait_mean_s != simulate(Scenario(**load, seed=2)).wait_mean_s


@pytest.mark.parametrize("kind", ["poisson", "constant", "bursts", "diurnal"])
def test_requests_come_in_order_and_at_the_rate(kind):
    times = arrival_times(kind, 100_000, 1000, np.random.default_rng(1), peak=1.5, period_s=None)
    assert np.all(np.diff(times) >= 0)
    assert times[-1] == pytest.approx(100, rel=0.07)


@pytest.mark.parametrize(("kind", "busiest"), [("bursts", 3.0), ("diurnal", 1.8)])
def test_the_busiest_time_has_the_peak_rate(kind, busiest):
    times = arrival_times(kind, 400_000, 1000, np.random.default_rng(1), peak=busiest, period_s=100)
    counts = np.histogram(times % 100, bins=50)[0] / (400_000 / 50)
    assert counts.max() == pytest.approx(busiest, rel=0.05)


@pytest.mark.parametrize("kind", ["exponential", "constant", "lognormal", "hyperexponential"])
def test_hold_times_have_the_mean(kind):
    times = hold_times(kind, 400_000, 0.02, np.random.default_rng(1))
    assert times.min() >= 0
    assert times.mean() == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"requests": 0}, "requests=0"),
        ({"requests": 10**12}, "too much to simulate"),
        ({"max_size": 0}, "max_size=0"),
        ({"min_size": 20}, "min_size=20: it takes a whole number up to max_size=12"),
        ({"processes": 200, "requests": 100}, "requests=100: it takes a whole number of at least 200"),
        ({"arrivals": "bursty"}, "arrivals='bursty': it takes one of poisson"),
        ({"arrivals": "diurnal", "peak": 3.0}, "peak=3.0: it takes a number of at least 1 and at most 2"),
        ({"growth": None}, "growth=None"),
        ({"create_s": math.nan}, "create_s=nan"),
        ({"idle_timeout_s": 0}, "idle_timeout_s=0"),
        ({"rate": math.inf}, "rate=inf"),
    ],
)
def test_what_cannot_be_simulated_is_refused(options, message):
    with pytest.raises(BadOption, match=message):
        Scenario(**{"rate": RATE, "hold_s": HOLD, "max_size": 12} | options)


@pytest.mark.parametrize(("suffix", "begins"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_a_simulation_can_be_drawn(suffix, begins, tmp_path):
    path = tmp_path / f"pool{suffix}"
    plot(warm(12, requests=1000), path, limit=20, object_bytes=1 << 20)
    assert path.read_bytes().startswith(begins)


def test_a_plot_of_another_kind_is_refused(tmp_path):
    with pytest.raises(BadOption, match=r"ends in \.svg, \.png, \.pdf"):
        plot(warm(12, requests=1000), tmp_path / "pool.txt")
