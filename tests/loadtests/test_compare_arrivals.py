"""Arrivals at a rate, and latency without coordinated omission."""

from itertools import pairwise
from pathlib import Path

import pytest

from poolware_compare.driver import arrivals
from poolware_compare.driver.arrivals import Schedule, paced
from poolware_compare.shapes import NAMES


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

        def time(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(arrivals, "time", clock)
    return clock


def steady(rate):
    return Schedule(rate, lambda _: 1.0, seconds=10.0)


def test_requests_have_even_times_to_leave(clock):
    schedule = steady(10)
    assert [round(schedule.wait(), 3) for _ in range(3)] == [0.0, 0.1, 0.2]


def test_times_count_from_the_first_user(clock):
    """Whoever gets everything ready takes longer than some requests, which is not the server's fault."""
    schedule = steady(10)
    clock.now += 0.5
    assert schedule.wait() == 0
    assert schedule.delay(clock.now) == 0
    assert schedule.late == 0


def test_latency_counts_from_when_a_request_should_have_left(clock):
    """A server that stalls for a second has made everybody wait who should have asked meanwhile."""
    schedule = steady(10)
    schedule.wait()
    assert schedule.delay(clock.now) == 0
    clock.now += 1.0
    assert schedule.wait() == 0
    assert schedule.delay(clock.now) == pytest.approx(0.9)
    assert schedule.late == 1


def test_only_the_first_request_of_a_task_is_late(clock):
    schedule = steady(10)
    schedule.wait()
    clock.now += 1.0
    schedule.delay(clock.now)
    assert schedule.delay(clock.now) == 0


def test_shape_stretches_the_arrivals(clock):
    schedule = Schedule(10, lambda at: 0.5 if at < 0.5 else 1.0, seconds=1.0)
    waits = [schedule.wait() for _ in range(6)]
    gaps = [round(after - before, 3) for before, after in pairwise(waits)]
    assert gaps == [0.2, 0.2, 0.2, 0.1, 0.1]


def test_users_keep_their_own_start(clock):
    class User:
        started = False
        weight = 3
        waited = False

        def wait(self):
            self.waited = True

        def on_start(self):
            self.started = True

    user = paced(User, steady(1e6))()
    user.on_start()
    assert user.started
    assert user.waited, "in Locust's own way, which the end of a round cuts short"
    assert user.weight == 3


def test_every_shape_has_a_file():
    files = {path.stem for path in Path(arrivals.__file__).parents[1].joinpath("shapes").glob("[a-z]*.py")} - {"shape"}
    assert files == set(NAMES) - {"constant"}
