"""What the figures of a pool mean and what to do about them, in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from poolware.observe.snapshot import PoolSnapshot
from poolware.web.dashboard.past import Past
from poolware.web.dashboard.words import capital, count, span, times

__all__ = ["LEVELS", "Finding", "Level", "Pool", "Seen", "findings"]

Level = Literal["critical", "warning", "notice", "healthy"]
LEVELS: tuple[Level, ...] = ("critical", "warning", "notice", "healthy")
"""The worst first."""

_REUSED_ENOUGH = 0.7
_ENOUGH_TO_JUDGE = 60
"""Acquisitions, before a share of them means anything."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is to be said, and what to do about it."""

    level: Level
    says: str
    advice: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Seen:
    """One pool as one process has it."""

    pid: int
    now: PoolSnapshot
    past: Past


@dataclass(frozen=True, slots=True)
class Pool:
    """One pool in all processes that have it."""

    now: PoolSnapshot
    """The figures of all of them together."""
    parts: Sequence[Seen]
    held_for: float
    """Seconds in use after which something counts as not coming back."""

    def gauge(self, name: str) -> int:
        """Return how much of something there is now."""
        return int(self.now.gauges.get(name, 0))

    def total(self, name: str) -> int:
        """Return how often something has happened."""
        return int(self.now.counters.get(name, 0))

    def lately(self, name: str) -> int:
        """Return how often it has happened in the time that is known."""
        return int(sum(part.past.increase(name) for part in self.parts))

    def lasting(self, name: str) -> float:
        """Return for how many seconds there has been some of it all the time, in whichever process that is longest."""
        return max(part.past.lasting(name) for part in self.parts)

    @property
    def seconds(self) -> float:
        """How much of the past is known."""
        return max(part.past.ages[0] for part in self.parts)


def findings(pool: Pool) -> list[Finding]:
    """Return what is to be said of a pool, the worst first; at least one thing."""
    found = [finding for look in _LOOKS for finding in look(pool)]
    return sorted(found, key=lambda finding: LEVELS.index(finding.level)) or [_well(pool)]


def _exhausted(pool: Pool) -> Iterator[Finding]:
    waiting, since = pool.gauge("waiting"), pool.lasting("waiting")
    if not waiting:
        return
    queue = f"{count(waiting, 'request')} wait{'s' if waiting == 1 else ''}"
    queue += f", somebody for over {span(since)} now" if since >= 1 else ""
    full = [part for part in pool.parts if part.now.gauges.get("waiting") and _is_full(part.now)]
    failed = pool.total("creation_errors")
    if full:
        says = f"Exhausted{_where(pool, full)}: everything is in use, and {queue}."
        yield Finding("critical", says, "Raise max_size, or shorten how long each one is held.")
    elif failed and not pool.now.size:
        says = f"Nothing can be made, and {queue}: it has failed {times(failed)}."
        yield Finding("critical", says, "The log says what the factory raised. See whether what it connects to is up.")
    else:
        says = f"{capital(queue)}, until more are made or come back."
        yield Finding("warning", says, "Raise min_size if this happens often.")


def _gave_up(pool: Pool) -> Iterator[Finding]:
    gave_up = pool.lately("timeouts")
    if gave_up:
        says = f"{count(gave_up, 'request')} gave up waiting{_within(pool)}."
        yield Finding("critical", says, "Find out who holds them for so long, and what for, before you raise max_size.")


_LEAK_ADVICE = {
    "object": "Use lease() or try/finally; POOLWARE_MODE=debug names who acquired them.",
    "buffer": "Use lease() or try/finally; POOLWARE_MODE=debug names who acquired them.",
    "resource": 'Use lease() or try/finally; leak_detection="full" names the line that acquired them.',
}
_ON_PURPOSE = " If something holds them so long on purpose, as a websocket does, raise held_for."


def _leak(pool: Pool) -> Iterator[Finding]:
    advice = _LEAK_ADVICE[pool.now.kind] + _ON_PURPOSE
    held = [(part, *part.past.held(pool.held_for)) for part in pool.parts]
    holders = [(part, number, age) for part, number, age in held if number]
    climbing = [(part, climb) for part in pool.parts if (climb := part.past.climb(2 * pool.held_for)) is not None]
    if holders:
        where = _where(pool, [part for part, _, _ in holders])
        lost = count(sum(number for _, number, _ in holders), pool.now.kind)
        oldest = span(max(age for _, _, age in holders))
        yield Finding("warning", f"A leak{where}: {lost} never came back, the oldest for over {oldest}.", advice)
    elif climbing:
        where = _where(pool, [part for part, _ in climbing])
        first, last = (sum(climb[place] for _, climb in climbing) for place in (0, 1))
        lasting = span(max(climb[2] for _, climb in climbing))
        rise = f"in use rose from {first:,} to {last:,} in {lasting}, and traffic did not"
        says = f"It looks like a leak{where}: {rise}."
        yield Finding("warning", says, advice)


def _escaped(pool: Pool) -> Iterator[Finding]:
    escaped = pool.lately("escaped")
    if escaped:
        says = f"{count(escaped, pool.now.kind)} escaped{_within(pool)}: somebody held on after the release."
        yield Finding("warning", says, "poolware.testing.watch() names who keeps them after the response.")


def _full(pool: Pool) -> Iterator[Finding]:
    full = [part for part in pool.parts if _is_full(part.now)]
    if full and not pool.gauge("waiting"):
        used, most = pool.gauge("in_use"), pool.now.limits["max_size"]
        says = f"At its limit{_where(pool, full)}: {used:,} of {most:,.0f} in use, and nobody waits yet."
        yield Finding("notice", says, "The next one has to wait. Look at the hold times first, then at max_size.")


def _quarantined(pool: Pool) -> Iterator[Finding]:
    quarantined, since = pool.gauge("quarantined"), pool.lasting("quarantined")
    if quarantined and since >= pool.held_for:
        says = (
            f"{count(quarantined, pool.now.kind)} in quarantine, some for over {span(since)}: somebody still holds on."
        )
        yield Finding(
            "notice", says, "Harmless while few. If they grow, a global, a task or a kept exception holds them."
        )


def _lost(pool: Pool) -> Iterator[Finding]:
    lost = pool.total("lost")
    if lost:
        says = f"{count(lost, pool.now.kind)} {'was' if lost == 1 else 'were'} dropped unreleased since the start."
        yield Finding("notice", says, "Some path through the code forgets to release: use lease() or try/finally.")


def _little_reuse(pool: Pool) -> Iterator[Finding]:
    hits, misses = pool.lately("hits"), pool.lately("misses")
    if hits + misses >= _ENOUGH_TO_JUDGE and hits < _REUSED_ENOUGH * (hits + misses):
        says = f"Only {hits / (hits + misses):.0%} were reused{_within(pool)}; the others had to be built."
        yield Finding("notice", says, "Raise max_idle, or see whether somebody holds them after the response.")


def _well(pool: Pool) -> Finding:
    if not pool.total("acquired"):
        return Finding("healthy", "Healthy: not used yet.")
    hits, misses = pool.lately("hits"), pool.lately("misses")
    reuse = f", {hits / (hits + misses):.0%} reused" if hits + misses else ""
    return Finding("healthy", f"Healthy: {pool.gauge('in_use'):,} in use, {pool.gauge('idle'):,} ready{reuse}.")


_LOOKS: tuple[Callable[[Pool], Iterator[Finding]], ...] = (
    _exhausted,
    _gave_up,
    _leak,
    _escaped,
    _full,
    _quarantined,
    _lost,
    _little_reuse,
)


def _is_full(part: PoolSnapshot) -> bool:
    taken = sum(part.gauges.get(name, 0) for name in ("in_use", "busy", "creating"))
    return part.kind == "resource" and part.gauges["in_use"] > 0 and taken >= part.limits["max_size"]


def _where(pool: Pool, parts: Sequence[Seen]) -> str:
    """In how many of the workers, if not in all of them."""
    return "" if len(parts) == len(pool.parts) else f" in {len(parts)} of {len(pool.parts)} workers"


def _within(pool: Pool) -> str:
    return f" in the last {span(pool.seconds, round)}" if pool.seconds >= 1 else ""
