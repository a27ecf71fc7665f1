"""Content that says whose it is and where in it one is: any foreign or misplaced byte shows."""

from __future__ import annotations

import random
from collections.abc import Iterator

BLOCK = 8192
BLOCKS = 512
SIZE = BLOCK * BLOCKS


def blocks(seed: int) -> Iterator[bytes]:
    """Yield the 4 MiB of `seed` in blocks of 8 KiB, each the same random bytes turned a little further."""
    base = random.Random(seed).randbytes(BLOCK)
    for number in range(BLOCKS):
        turn = number * 13 % BLOCK
        yield base[turn:] + base[:turn]
