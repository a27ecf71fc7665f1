"""What stands behind a pool has a limit of its own, which all processes share."""

from __future__ import annotations

from dataclasses import dataclass

from poolware._core.options import whole_number
from poolware.errors import BadOption

__all__ = ["ShareOfLimit", "connections_that_work", "share_of_limit", "without_deadlock"]


@dataclass(frozen=True, slots=True)
class ShareOfLimit:
    """How many connections each process may open."""

    per_process: int
    processes: int
    used: int
    """Of the limit, with every pool full."""
    spare: int
    """Left over, without the reserved ones."""


def share_of_limit(connections: int, servers: int, *, workers: int = 1, reserved: int = 0) -> ShareOfLimit:
    """Return how large the pool of each process may be: ``(connections - reserved) / (servers x workers)``.

        >>> share_of_limit(100, 8, reserved=4).per_process
        12

    Args:
        connections: what the database, broker or service accepts at once, such as PostgreSQL's ``max_connections``.
        servers: machines or containers.
        workers: processes on each of them.
        reserved: kept for administration, migrations and deployments that overlap; PostgreSQL itself keeps 3
            (``superuser_reserved_connections``).

    Raises:
        BadOption: an argument has a value that it does not take, or there are fewer connections than processes.
    """
    whole_number("connections", connections, at_least=1)
    processes = whole_number("servers", servers, at_least=1) * whole_number("workers", workers, at_least=1)
    available = connections - whole_number("reserved", reserved)
    each = max(0, available) // processes
    if each < 1:
        msg = (
            f"connections={connections} less reserved={reserved} for {processes} processes: not even one for each. "
            "Put a proxy that shares connections in between (such as PgBouncer), or run fewer processes"
        )
        raise BadOption(msg)
    return ShareOfLimit(
        per_process=each, processes=processes, used=each * processes, spare=available - each * processes
    )


def connections_that_work(cores: int, disks: int = 1) -> int:
    """Return how many connections keep a database server busy: twice its cores, and its spindles.

    More of them wait inside of the database instead of in front of it, and slow each other down. The PostgreSQL
    project's formula, known from HikariCP's "About Pool Sizing". A starting point to measure from.

    Args:
        cores: of the database server, without hyper-threads.
        disks: spindles that seek independently; 0 where the data is in memory, 1 for a solid-state disk.

    Raises:
        BadOption: an argument has a value that it does not take.
    """
    return 2 * whole_number("cores", cores, at_least=1) + whole_number("disks", disks)


def without_deadlock(threads: int, held_at_once: int) -> int:
    """Return the smallest pool in which requests that hold several objects at once cannot wait for each other forever.

    ``threads x (held - 1) + 1``: one request can always go on. HikariCP, "About Pool Sizing".

    Args:
        threads: requests that are served at once.
        held_at_once: objects of this pool that each of them holds together.

    Raises:
        BadOption: an argument has a value that it does not take.
    """
    threads = whole_number("threads", threads, at_least=1)
    return threads * (whole_number("held_at_once", held_at_once, at_least=1) - 1) + 1
