"""A pytest plugin: what needs threads, processes or pipes is skipped where there are none."""

from __future__ import annotations

from collections.abc import Generator

import pytest

_MISSING = ("can't start new thread", "emscripten does not support processes", "Function not implemented")


def pytest_configure(config: pytest.Config) -> None:
    """Know the marks and options of plugins that are not there."""
    config.addinivalue_line("markers", "timeout: of pytest-timeout")
    config.addinivalue_line("markers", "slow: of the whole suite")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    try:
        yield
    except (RuntimeError, OSError) as error:
        if any(why in str(error) for why in _MISSING):
            pytest.skip(str(error))
        raise
