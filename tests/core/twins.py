"""Pools of contexts on either twin of the hot path, in one process."""

from contextlib import AbstractContextManager
from unittest import mock

import pytest

from poolware._core.core import compiled
from poolware.pools.kinds import ContextKind

COMPILED = pytest.mark.skipif(compiled is None, reason="this process has no compiled core: not built, or not wanted")


def on(twin: str) -> AbstractContextManager[object]:
    """Have pools that are made meanwhile use this twin, 'compiled' or 'python'."""
    return mock.patch.object(ContextKind, "_compiled", twin == "compiled")
