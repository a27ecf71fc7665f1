"""What a process and its children have used, as the kernel counts it."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CPUCLOCK_SCHED = 2
MINOR_FAULTS_FIELD = 7  # of /proc/PID/stat, counted after the command name
RESIDENT_FIELD = 1  # of /proc/PID/statm
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """What some processes have used so far: CPU nanoseconds and minor faults, by process; and hold now: bytes."""

    cpu_ns: dict[int, int]
    minor_faults: dict[int, int]
    rss_bytes: int

    def cpu_ns_since(self, before: "Usage") -> int:
        """Return the CPU time that they have used since then, processes that have come since included."""
        return _since(self.cpu_ns, before.cpu_ns)

    def minor_faults_since(self, before: "Usage") -> int:
        """Return the minor faults since then."""
        return _since(self.minor_faults, before.minor_faults)


def usage(pids: Iterable[int]) -> Usage:
    """Return what these processes have used; those that are gone meanwhile are left out."""
    cpu, faults, rss = {}, {}, 0
    for pid in pids:
        try:
            cpu[pid], faults[pid], resident = cpu_ns(pid), minor_faults(pid), rss_bytes(pid)
        except OSError:
            cpu.pop(pid, None)
            continue
        rss += resident
    return Usage(cpu, faults, rss)


def _since(after: dict[int, int], before: dict[int, int]) -> int:
    return sum(value - before.get(pid, 0) for pid, value in after.items())


def cpu_ns(pid: int) -> int:
    """Return the CPU nanoseconds that a process has used; the kernel's own clock, not the 10 ms ticks of /proc."""
    return time.clock_gettime_ns((~pid << 3) | CPUCLOCK_SCHED)


def minor_faults(pid: int) -> int:
    """Return how many pages a process has had mapped in without reading from disk."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[MINOR_FAULTS_FIELD])


def rss_bytes(pid: int) -> int:
    """Return the memory of a process that is resident now."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[RESIDENT_FIELD]) * PAGE_BYTES
