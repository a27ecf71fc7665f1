"""Rounds: in which order the servers are loaded, and what one round measures."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from poolware_compare.driver.client import Driver
from poolware_compare.driver.order import Load, Order
from poolware_compare.errors import ComparisonError, NothingAnswered
from poolware_compare.scenarios import Scenario
from poolware_compare.servers import Server

T = TypeVar("T")
WARM_UP_SECONDS = 0.25
PATIENCE_SECONDS = 20.0
"""For a server that makes connections before its first answer."""


@dataclass(frozen=True)
class Round:
    """What one round of one arm measured.

    `block` numbers the turn in which every arm had one round, `start` the start of the servers that it belongs to.
    """

    arm: str
    block: int
    start: int
    requests: int
    late: int
    cpu_us_per_request: float
    requests_per_second: float
    minor_faults_per_request: float
    rss_mib: float
    collections: int
    pause_ms: float
    longest_pause_ms: float
    driver_busy: float
    """Share of the time that the load generator's processes were computing."""
    pools: dict[str, dict[str, float]]
    histogram: str


def balanced(items: Sequence[T], block: int) -> list[T]:
    """Return the order of a block: A B C, C B A, B C A, A C B, …

    Each block is the mirror of its neighbour, so that a steady drift cancels out, and pairs of blocks start with
    another item each, so that none always follows the same one.
    """
    shift = block // 2 % len(items)
    order = [*items[shift:], *items[:shift]]
    return order if block % 2 == 0 else order[::-1]


def measure(driver: Driver, server: Server, scenario: Scenario, load: Load, *, block: int = 0, start: int = 0) -> Round:
    """Load one server for one round."""
    where = f"scenario {scenario.name!r}, arm {server.arm.name!r}"
    told = server.look()
    busy = driver.cpu_seconds()
    workers = server.worker_pids()
    before = server.usage()
    seconds = max(load.seconds, scenario.least_seconds)
    order = Order(scenario.locustfile, list(scenario.tags), server.host, load.users, seconds, load.rate, load.shape)
    try:
        seen = driver.run(order)
    except ComparisonError as error:
        server.usage()  # if it has died, that is what there is to say
        msg = f"{where}: {error}\nserver: {server.said()}"
        raise ComparisonError(msg) from None
    after = server.usage()
    busy = driver.cpu_seconds() - busy
    if workers != server.worker_pids():
        msg = f"{where}: a worker process of the server ended or was replaced during a round:\n{server.said()}"
        raise ComparisonError(msg)
    telling = server.look()
    if not seen.requests:
        msg = f"{where}: no request was answered in {seconds} s"
        raise NothingAnswered(msg)
    return Round(
        arm=server.arm.name,
        block=block,
        start=start,
        requests=seen.requests,
        late=seen.late,
        cpu_us_per_request=after.cpu_ns_since(before) / 1000 / seen.requests,
        requests_per_second=seen.requests / seen.seconds,
        minor_faults_per_request=after.minor_faults_since(before) / seen.requests,
        rss_mib=after.rss_bytes / 2**20,
        collections=telling.collections - told.collections,
        pause_ms=(telling.pause_s - told.pause_s) * 1000,
        longest_pause_ms=telling.longest_pause_s * 1000,
        driver_busy=busy / seen.seconds / driver.processes,
        pools=telling.pools,
        histogram=seen.histogram,
    )


def warm_up(driver: Driver, server: Server, scenario: Scenario, load: Load) -> None:
    """Load one server until it answers."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            measure(driver, server, scenario, load)
        except NothingAnswered:
            if time.monotonic() > end:
                raise
        else:
            return


def blocks(
    driver: Driver, servers: Sequence[Server], scenario: Scenario, load: Load, *, start: int, count: int
) -> Iterator[Round]:
    """Warm every server up, then run so many blocks."""
    for server in servers:
        warm_up(driver, server, scenario, replace(load, seconds=max(WARM_UP_SECONDS, load.seconds)))
    for block in range(start * count, (start + 1) * count):
        for server in balanced(servers, block):
            yield measure(driver, server, scenario, load, block=block, start=start)
