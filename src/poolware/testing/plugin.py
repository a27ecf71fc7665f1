"""The pytest plugin: found by pytest itself once poolware is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from poolware.testing.watch import Watch, watch


@pytest.fixture
def poolware_watch() -> Iterator[Watch]:
    """Fail the test if something borrowed was not released, is still held, or was used after its release.

    For a whole suite put ``usefixtures = poolware_watch`` into the configuration of pytest, and run it with
    ``POOLWARE_MODE=debug`` to be told where each object was acquired and released.
    """
    failure = ""
    try:
        with watch() as watching:
            yield watching
    except AssertionError as error:
        failure = str(error)
    if failure:
        pytest.fail(failure, pytrace=False)
