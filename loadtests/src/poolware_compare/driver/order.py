"""What the harness asks of the driver, and what it is told: lines of JSON."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """How hard to load, for so many seconds.

    Without `rate` each of the users asks again as soon as it has its answer. With it, requests leave at that many a
    second whatever the server does, and the users are how many of them can be on their way at a time.
    """

    users: int
    seconds: float
    rate: float | None = None
    shape: str = "constant"


@dataclass(frozen=True)
class Order:
    """One round."""

    locustfile: str
    tags: list[str]
    host: str
    users: int
    seconds: float
    rate: float | None
    shape: str


@dataclass(frozen=True)
class Seen:
    """What the driver saw in a round; `histogram` is encoded, see `latency`. `error` is the first failure."""

    requests: int
    seconds: float
    histogram: str
    error: str | None
    late: int
    """Requests that left after their time, because all users were still waiting: the rate was more than there was."""
