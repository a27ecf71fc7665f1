"""Looking into a buffer pool's memory, whichever twin it is of."""

from typing import Any

import pytest

from poolware import BufferPool
from poolware._core.core import CORE

plain = pytest.mark.skipif(CORE != "python", reason="goes between two lines of the plain twin")


def resting(pool: BufferPool) -> list[Any]:
    """Return the memory that rests in the pool."""
    return [storage for tier in pool._store.idle.values() for storage in tier]


def touched(storage: Any) -> int:
    """Return how many bytes are left when the zeros at both ends are taken off."""
    return len(bytes(storage).strip(b"\0"))
