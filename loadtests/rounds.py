"""Rounds: in which order the servers are loaded, and what one round measures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from loadtests.errors import ComparisonError
from loadtests.load import Driver, Load
from loadtests.servers import Server

T = TypeVar("T")


@dataclass(frozen=True)
class Round:
    """What one round of one arm measured; `block` numbers the turn in which every arm had one round."""

    scenario: str
    arm: str
    block: int
    requests: int
    cpu_us_per_request: float
    requests_per_second: float
    minor_faults_per_request: float
    rss_mib: float
    histogram: str


def balanced(items: Sequence[T], blocks: int) -> Iterator[tuple[int, list[T]]]:
    """Yield numbered blocks: A B C, C B A, B C A, A C B, …

    Each block is the mirror of its neighbour, so that a steady drift cancels out, and pairs of blocks start with
    another item each, so that none always follows the same one.
    """
    for block in range(blocks):
        shift = block // 2 % len(items)
        order = [*items[shift:], *items[:shift]]
        yield block, order if block % 2 == 0 else order[::-1]


def measure(driver: Driver, server: Server, scenario: str, block: int, load: Load) -> Round:
    """Load one server for one round."""
    before = server.usage()
    try:
        answer = driver.run(scenario, server.host, load)
    except ComparisonError as error:
        msg = f"scenario {scenario!r}, arm {server.arm.name!r}: {error}"
        raise ComparisonError(msg) from None
    after = server.usage()
    if not answer.requests:
        msg = f"scenario {scenario!r}, arm {server.arm.name!r}: no request was answered in {load.seconds} s"
        raise ComparisonError(msg)
    return Round(
        scenario=scenario,
        arm=server.arm.name,
        block=block,
        requests=answer.requests,
        cpu_us_per_request=(after.cpu_ns - before.cpu_ns) / 1000 / answer.requests,
        requests_per_second=answer.requests / answer.seconds,
        minor_faults_per_request=(after.minor_faults - before.minor_faults) / answer.requests,
        rss_mib=after.rss_bytes / 2**20,
        histogram=answer.histogram,
    )


def interleaved(
    driver: Driver, servers: Sequence[Server], scenario: str, blocks: int, load: Load, *, done: Callable[[Round], None]
) -> None:
    """Warm every server up, then run the blocks and hand each round to `done`."""
    for server in servers:
        measure(driver, server, scenario, 0, load)
    for block, order in balanced(servers, blocks):
        for server in order:
            done(measure(driver, server, scenario, block, load))
