"""Fresh against pooled: the right verdict, again and again."""

import itertools
import math

import planted
import pytest

from poolware import BadOption
from poolware.pools.objects import REUSE_REFUSED
from poolware.sizing import measure
from poolware.sizing.interval import Interval
from poolware.sizing.measure import _judge
from poolware.sizing.memory import churned, memory_of
from poolware.sizing.subject import Subject
from poolware.sizing.timing import Cost, Timing

pytestmark = pytest.mark.skipif(REUSE_REFUSED is not None, reason="nothing is reused on this interpreter")

CASES = {
    "an int in a slot": ({"make": planted.Number}, "fresh"),
    "4 MiB": ({"make": planted.scratch}, "pool"),
    "4 MiB, an eighth used": ({"make": planted.scratch, "used_bytes": 512 << 10}, "pool"),
    "zstd compressor": ({"make": planted.compressor, "use": planted.compress}, "pool"),
    "SQLite connection": ({"make": planted.connection}, "pool"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_verdict_is_right(case):
    arguments, verdict = CASES[case]
    assert [measure(**arguments, seconds=0.1).verdict for _ in range(2)] == [verdict] * 2


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_verdict_does_not_flip(case):
    arguments, verdict = CASES[case]
    assert [measure(**arguments).verdict for _ in range(10)] == [verdict] * 10


def test_it_says_what_it_found():
    told = []
    found = measure(planted.scratch, seconds=0.1, tell=told.append)
    assert found.name == "scratch"
    assert found.sentence.startswith("pool it: saves ")
    assert found.fresh_memory.bytes >= 4 << 20
    assert found.fresh_memory.allocations >= 2
    assert found.pooled_memory.bytes < 1000
    assert found.timing.reused > 0.9
    even = found.break_even
    assert even.overhead_s < found.timing.fresh.seconds
    assert even.uses >= 2
    assert even.rate_for_1_percent * even.saved_s == pytest.approx(0.01)
    assert told == sorted(told)
    assert told[-1] == 1


def test_a_pool_that_costs_more_never_pays():
    found = measure(planted.Number, seconds=0.1)
    assert found.sentence.startswith("do not pool it: a fresh one is cheaper (")
    assert found.break_even.uses == found.break_even.rate_for_1_percent == math.inf


def test_a_context_brings_its_own_reset():
    assert measure(planted.Job, use=lambda job: job.rows.append(1), seconds=0.1).timing.reused > 0.9


@pytest.mark.parametrize("mode", ["off", "debug"])
def test_without_reuse_there_is_no_verdict(mode, monkeypatch):
    monkeypatch.setenv("POOLWARE_MODE", mode)
    found = measure(planted.scratch, seconds=0.1)
    assert found.verdict == "not reused"
    assert f"POOLWARE_MODE is {mode}" in found.sentence


def test_objects_that_somebody_begins_to_keep_are_not_reused():
    kept, uses = [], itertools.count()

    def use(obj):
        if next(uses) > 10:
            kept.append(obj)

    found = measure(lambda: bytearray(10), use=use, seconds=0.1)
    assert found.verdict == "not reused"
    assert "somebody holds on to the objects" in found.sentence


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.2, 0.9, "pool"), (0.2, 0.96, "no difference"), (0.97, 1.03, "no difference"), (1.01, 3, "no difference"),
     (1.1, 3, "fresh")],
)  # fmt: skip
def test_the_whole_interval_decides(low, high, verdict):
    cost = Cost(1e-6, None)
    assert _judge(Timing(cost, cost, Interval((low + high) / 2, low, high), 50, "cpu", 1.0))[0] == verdict


def test_memory_is_counted_exactly():
    """A list of a thousand buffers of a thousand bytes, and nothing where the pool has it."""
    fresh, pooled = memory_of(Subject(lambda: [bytearray(1000) for _ in range(1000)]))
    assert fresh.allocations == pytest.approx(2002, abs=5)
    assert fresh.bytes == pytest.approx(1000 * (1001 + 56) + 8856, rel=0.02)
    assert pooled.allocations <= 2
    assert pooled.bytes <= 100


def test_memory_that_a_use_needs_for_a_moment_counts():
    fresh, pooled = memory_of(Subject(list, use=lambda _: len(bytes(1 << 20))))
    assert fresh.bytes >= 1 << 20
    assert pooled.bytes >= 1 << 20


def test_many_uses_in_a_process_of_their_own(monkeypatch, request):
    """16 buffers at rest are still there; what fresh ones leave behind is malloc's."""
    monkeypatch.chdir(request.path.parent)
    churn = churned("planted:scratch", used_bytes=4 << 20, uses=64)
    assert churn.pooled_bytes == pytest.approx(64 << 20, rel=0.1)
    assert churn.fresh_peak_bytes >= 60 << 20
    assert churned("planted:broken") is None


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf, "1", True])
def test_seconds_are_seconds(seconds):
    with pytest.raises(BadOption, match="seconds="):
        measure(planted.Number, seconds=seconds)
