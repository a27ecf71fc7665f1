"""Does anybody else still hold a resource?"""

from __future__ import annotations

import gc
import types
from itertools import islice
from typing import Any

from poolware._core.proof import PART_SOLE, REUSE_REFUSED, getrefcount, held_elsewhere

__all__ = ["is_held"]

_MOST = 1000
_NOT_PARTS = (type, types.ModuleType, types.FunctionType, types.FrameType)


def is_held(box: list[Any], also: int = 0) -> bool:
    """Whether anybody but `box`, and `also` known others, holds its resource; False where counts do not say."""
    if REUSE_REFUSED is not None or not held_elsewhere(box, also):
        return False
    own = _references_to_itself(box)
    return getrefcount(box[0]) > PART_SOLE + also + own


def _references_to_itself(box: list[Any]) -> int:
    """Count the references that parts of the resource have to it, as sqlite3's cache has, and asyncpg's connections."""
    parts = {id(box[0]): box[0]}
    for _ in range(2):
        parts |= {id(part): part for part in _parts_of(list(parts.values()))}
    del parts[id(box[0])]
    return sum(held is box[0] for part in parts.values() for held in gc.get_referents(part))


def _parts_of(objects: list[Any]) -> list[Any]:
    parts = (part for obj in objects for part in gc.get_referents(obj) if not isinstance(part, _NOT_PARTS))
    return list(islice(parts, _MOST))
