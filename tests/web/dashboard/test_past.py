"""What is concluded from the last minutes of a pool: nothing that they do not prove."""

import time
from dataclasses import replace

import pytest
from browser import scenes
from hypothesis import given
from hypothesis import strategies as st

from poolware.web.dashboard.past import Past, history, past_of


def past(step=5.0, **figures):
    points = len(next(iter(figures.values())))
    return Past(tuple(step * place for place in reversed(range(points))), figures)


def test_increase_and_how_long_something_lasts():
    seen = past(timeouts=[1, 1, 4, 6], waiting=[3, 0, 2, 1])
    assert seen.increase("timeouts") == 5
    assert seen.lasting("waiting") == 5.0
    assert seen.increase("unknown") == seen.lasting("unknown") == 0


def test_what_did_not_come_back_while_nobody_else_asked():
    assert past(in_use=[0, 3, 3, 3], acquired=[7, 10, 10, 10]).held(10) == (3, 10.0)


def test_what_others_have_acquired_since_may_be_what_is_in_use_now():
    assert past(in_use=[3, 3, 3, 3], acquired=[10, 20, 30, 40]).held(5) == (0, 0.0)
    assert past(in_use=[3, 3, 3, 3], acquired=[10, 10, 11, 12]).held(10) == (1, 15.0)


def test_what_is_younger_is_not_held_yet():
    assert past(in_use=[0, 0, 3, 3], acquired=[0, 0, 3, 3]).held(10) == (0, 0.0)


@st.composite
def lives(draw):
    """Objects that are acquired and released at some looks, and what is seen of them at each."""
    looks = draw(st.integers(2, 12))
    spans = draw(
        st.lists(st.tuples(st.integers(0, looks - 1), st.integers(1, looks)).map(lambda one: (one[0], sum(one))))
    )
    in_use = [sum(begin <= look < end for begin, end in spans) for look in range(looks)]
    acquired = [sum(begin <= look for begin, _ in spans) for look in range(looks)]
    return spans, past(1.0, in_use=in_use, acquired=acquired)


@given(lives(), st.integers(0, 12))
def test_no_more_is_called_held_than_was_and_none_older_than_it_is(life, seconds):
    spans, seen = life
    now = len(seen.ages) - 1
    ages = [now - begin for begin, end in spans if begin <= now < end]
    count, oldest = seen.held(seconds)
    assert count <= sum(age >= seconds for age in ages)
    assert oldest <= max(ages, default=0)


STAIRS = [2, 3, 2, 3, 5, 5, 6, 5, 8, 9, 8, 9, 12, 11, 12, 13]


def test_a_climb_that_traffic_does_not_explain():
    steady, rising = ([10 * place**power for place in range(16)] for power in (1, 2))
    assert past(in_use=STAIRS, acquired=steady).climb(60) == (2, 13, 75.0)
    assert past(in_use=STAIRS, acquired=rising).climb(60) is None
    assert past(in_use=STAIRS, acquired=steady).climb(80) is None


@pytest.mark.parametrize(
    "in_use",
    [[5] * 16, STAIRS[::-1], [*STAIRS[:-1], 0], [50 + used for used in STAIRS], [0, 9, 1, 8] * 4, STAIRS[:7], []],
    ids=["level", "falling", "came back", "a little more", "up and down", "too short to tell", "nothing"],
)
def test_other_ups_and_downs_are_none(in_use):
    assert past(in_use=in_use, acquired=[10 * place for place in range(len(in_use))]).climb(10) is None


# --- reading what a process says --------------------------------------------------------------------------------------


def read(pool, **changes):
    said = scenes.saying([pool])
    return past_of(said | changes, pool[0])


def test_now_is_the_last_moment():
    pool = scenes.pool("p", in_use=4, past=[1] * scenes.POINTS)
    seen = read(pool)
    assert (seen.ages[0], seen.ages[-1]) == (scenes.STEP * (scenes.POINTS - 1), 0.0)
    assert seen.figures["in_use"][-2:] == (1, 4)


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_when_the_clock_is_put_what_was_seen_before_is_not_taken_for_something_else(jump):
    pool = scenes.leak("p")
    said = scenes.saying([pool])
    times = [at - jump if place < 50 else at for place, at in enumerate(said["history"]["times"])]
    seen = past_of(said | {"history": said["history"] | {"times": times}}, pool[0])
    assert all(older >= newer >= 0 for older, newer in zip(seen.ages, seen.ages[1:], strict=False))
    if jump < 0:
        assert len(seen.ages) == scenes.POINTS - 50 + 1


def test_another_pool_of_the_same_name_begins_anew():
    snapshot, figures = scenes.pool("p", in_use=2)
    fresh = replace(snapshot, counters=snapshot.counters | {"acquired": 1})
    assert len(read((fresh, figures)).ages) < 3


def test_a_process_that_publishes_no_past_has_a_present():
    snapshot, _ = scenes.pool("p", in_use=2)
    seen = past_of({"time": time.time()}, snapshot)
    assert (seen.ages, seen.held(1), seen.climb(1), seen.lasting("in_use")) == ((0.0,), (0, 0.0), None, 0.0)


# --- several processes ------------------------------------------------------------------------------------------------


def test_processes_that_look_at_other_moments_are_added_up():
    one, other = (
        past(in_use=[1] * 30),
        Past(tuple(5.0 * place + 2 for place in reversed(range(20))), {"in_use": [2] * 20}),
    )
    together = history([one, other], ["in_use", "idle"])
    assert together["ages"][0] == one.ages[0]
    assert together["ages"][-1] == 0
    assert {len(series) for series in together.values()} == {60}
    assert (together["in_use"][0], together["in_use"][-1]) == (1, 3)
    assert together["idle"] == [None] * 60


def test_a_gap_is_a_gap():
    """A laptop that slept has not had a level pool in the meantime."""
    seen = Past((600.0, 595.0, 5.0, 0.0), {"in_use": [7, 7, 1, 1]})
    assert None in history([seen], ["in_use"])["in_use"]
