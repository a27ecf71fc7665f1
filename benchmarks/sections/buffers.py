"""A pooled buffer, filled and wiped, beside a fresh bytearray of its size, filled the same way."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.groups import Comparison, Group
from poolware import BufferPool

KIB = 1024
SIZES = {"4 KiB": 4, "16 KiB": 16, "64 KiB": 64, "256 KiB": 256, "1 MiB": 1024, "4 MiB": 4096}
SHARES = {"an eighth used": 8, "half used": 2, "all used": 1}


def groups() -> Iterator[Group]:
    pool = BufferPool()

    def check() -> None:
        stats = pool.get_stats()
        assert (stats.in_use, stats.quarantined, stats.misses) == (0, 0, stats.idle), stats

    for size, kib in SIZES.items():
        for share, part in SHARES.items():
            pooled, fresh = f"buffer, {size}, {share}", f"bytearray, {size}, {share}"
            subjects = {
                pooled: "buffer = acquire(size); buffer.write(filling); buffer.release(); del buffer",
                fresh: "memory = bytearray(size); memoryview(memory)[:used] = filling; del memory",
            }
            used = kib * KIB // part
            names = {"acquire": pool.acquire, "size": kib * KIB, "used": used, "filling": b"\xa5" * used}
            yield Group(subjects, [Comparison(pooled, fresh, target=target(kib, part))], names, check=check)


def target(kib: int, part: int) -> float | None:
    if part == 8 and kib >= 256:
        return 1 / 2.5
    return 1.1 if part == 1 and kib >= 64 else None
