"""A look into a server process: its collections and the pools of poolware, told on a socket when somebody asks."""

import gc
import json
import os
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import Any

VARIABLE = "POOLWARE_COMPARE_PROBES"
"""The environment variable with the directory where each process has its socket."""
ANSWER_SECONDS = 10.0


class Collections:
    """Counts the collector's runs and how long they stopped everything else."""

    def __init__(self) -> None:
        self.count: int = 0
        self.seconds: float = 0.0
        self.longest: float = 0.0
        self._started = 0.0
        gc.callbacks.append(self)

    def __call__(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._started = perf_counter()
            return
        pause = perf_counter() - self._started
        self.count += 1
        self.seconds += pause
        self.longest = max(self.longest, pause)


def start() -> None:
    """Answer whoever asks, from a thread that sleeps meanwhile. Does nothing unless a comparison runs."""
    folder = os.environ.get(VARIABLE)
    if folder is None:
        return
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(Path(folder, str(os.getpid()))))
    listener.listen()
    Thread(target=_answer, args=(listener, Collections()), name="poolware-compare", daemon=True).start()


def _answer(listener: socket.socket, collections: Collections) -> None:
    while True:
        asking, _ = listener.accept()
        with asking, suppress(OSError):
            longest, collections.longest = collections.longest, 0.0
            told = {"collections": collections.count, "pause_s": collections.seconds, "longest_pause_s": longest}
            asking.sendall(json.dumps({**told, "pools": _pools()}).encode())


def _pools() -> list[dict[str, Any]]:
    if "poolware" not in sys.modules:
        return []
    from poolware.observe import take  # noqa: PLC0415 - an application without poolware stays without

    return [{"name": pool.pool, **pool.gauges, **pool.counters} for pool in take()]


@dataclass(frozen=True)
class Look:
    """What the processes of a server told; counts since they started, the longest pause since they were last asked."""

    collections: int
    pause_s: float
    longest_pause_s: float
    pools: dict[str, dict[str, float]]
    """{pool: {figure: sum over all processes}}."""

    def pooled(self, figure: str) -> int:
        """Return the sum of a count over all pools."""
        return int(sum(pool.get(figure, 0) for pool in self.pools.values()))


def look(folder: Path, pids: Iterable[int]) -> Look:
    """Ask the probes of these processes."""
    told = [_ask(folder / str(pid)) for pid in pids]
    pools: dict[str, dict[str, float]] = {}
    for stats in (stats for each in told for stats in each["pools"]):
        total = pools.setdefault(stats.pop("name"), {})
        for figure, value in stats.items():
            total[figure] = total.get(figure, 0) + value
    return Look(
        collections=sum(each["collections"] for each in told),
        pause_s=sum(each["pause_s"] for each in told),
        longest_pause_s=max((each["longest_pause_s"] for each in told), default=0.0),
        pools=pools,
    )


def _ask(path: Path) -> Any:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(ANSWER_SECONDS)
        asking.connect(str(path))
        text = b"".join(iter(lambda: asking.recv(65536), b""))
    return json.loads(text)
