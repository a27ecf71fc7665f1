"""What the tests share."""

import functools
import gc
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from databases import postgres, redis_socket  # noqa: F401 - fixtures

from poolware import Lifecycle


def pytest_configure() -> None:
    """Hear Ctrl+C also in the background of a script, where shells have it ignored; servers inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Spare the many full collections of the tests what the suite itself consists of."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Hypothesis, if no test has imported it, is imported now, and asks for referrers then."""
    gc.unfreeze()


@pytest.fixture
def fast_switching() -> Iterator[None]:
    """Let threads take turns a thousand times as often as usual."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def whole_heap() -> Iterator[None]:
    """Let the collector, and who asks it for referrers, see what has been there before the tests."""
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.fixture
def everything_comes_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[list[Lifecycle[Any]]]:
    """After each test: every lifecycle it made has nothing in use, nothing lost, and an empty quarantine.

    Yields the lifecycles; a test that means to break the rule takes its own out.
    """
    made: list[Lifecycle[Any]] = []
    build = Lifecycle.__init__

    @functools.wraps(build)
    def build_and_note(self: Lifecycle[Any], *args: Any, **kwargs: Any) -> None:
        build(self, *args, **kwargs)
        made.append(self)

    monkeypatch.setattr(Lifecycle, "__init__", build_and_note)
    monkeypatch.delenv("POOLWARE_MODE", raising=False)
    yield made
    caplog.get_records("call").clear()  # a logged traceback holds contexts
    if any(map(_outside, made)):
        gc.collect()
    assert [report for report in map(_outside, made) if report] == []


def _outside(lifecycle: Lifecycle[Any]) -> dict[str, int]:
    contexts, buffers = lifecycle.pool.get_stats(), lifecycle.buffers.get_stats()
    figures = {
        "contexts in use": contexts.in_use,
        "contexts quarantined": contexts.quarantined,
        "contexts lost": contexts.lost,
        "contexts refused": contexts.refused,
        "buffers in use": buffers.in_use,
        "buffers quarantined": buffers.quarantined,
    }
    return {name: figure for name, figure in figures.items() if figure}
