"""When to raise an alarm, and what to do then: one table, for this process and for Prometheus."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from poolware._core.options import known_options, not_negative, one_of
from poolware.errors import BadOption
from poolware.observe.signals import SIGNALS

__all__ = ["RULES", "Rule", "changed", "prometheus_rules"]

Severity = Literal["info", "warning", "error", "critical"]
_WORSE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """When a signal of a pool is not in order.

    It fires when the signal has been beyond `threshold` for `lasts` seconds, and has resolved when it has not been
    beyond `back_at` for `clears` seconds: between the two it stays as it was.
    """

    name: str
    severity: Severity
    signal: str
    """A key of `SIGNALS`."""
    beyond: Literal[">", ">=", "<", "<="]
    """Which side of the threshold is the wrong one."""
    threshold: float
    back_at: float
    lasts: float
    clears: float
    advice: str
    """What to do, in one sentence."""

    def __post_init__(self) -> None:
        one_of("severity", self.severity, "info", "warning", "error", "critical")
        one_of("signal", self.signal, *SIGNALS)
        one_of("beyond", self.beyond, *_WORSE)
        for option in ("threshold", "back_at", "lasts", "clears"):
            not_negative(option, getattr(self, option))
        if self.back_at != self.threshold and _WORSE[self.beyond](self.back_at, self.threshold):
            msg = f"back_at={self.back_at!r}: it takes a value on the right side of threshold={self.threshold!r}"
            raise BadOption(msg)

    def fires(self, value: float) -> bool:
        """Whether `value` is beyond the threshold."""
        return _WORSE[self.beyond](value, self.threshold)

    def holds(self, value: float) -> bool:
        """Whether `value` is too bad for an alert to end."""
        return _WORSE[self.beyond](value, self.back_at)


RULES: tuple[Rule, ...] = (
    Rule(
        "PoolwareHighUtilisation", "warning", "utilisation", ">", 0.8, 0.7, 60, 60,
        "Look at the hold times first; raise max_size if what is behind the pool can take more.",
    ),
    Rule(
        "PoolwareAtMaximum", "critical", "utilisation", ">=", 1.0, 0.9, 300, 60,
        "Nothing is free: find who holds what for long (leak_detection), or raise max_size.",
    ),
    Rule(
        "PoolwareNothingIdle", "info", "idle", "<=", 0, 0, 60, 60,
        "The next caller waits or has one made: raise min_size if that happens often.",
    ),
    Rule(
        "PoolwareCallersWaiting", "warning", "waiting", ">", 0, 0, 10, 30,
        "Callers queue: shorten how long resources are held, or raise max_size.",
    ),
    Rule(
        "PoolwareExhausted", "warning", "exhaustion", ">", 0, 0, 120, 120,
        "The pool keeps running empty: raise min_size if resources are still being made, else max_size.",
    ),
    Rule(
        "PoolwareSlowAcquire", "warning", "wait_p99", ">", 0.1, 0.1, 60, 60,
        "Requests lose time waiting: see what the pool serves too slowly, or raise max_size.",
    ),
    Rule(
        "PoolwareTimeouts", "error", "timeouts", ">", 0, 0, 0, 60,
        "Requests fail because nothing came free in time: check what the resources depend on, and who holds them.",
    ),
    Rule(
        "PoolwareLowHitRate", "warning", "hit_rate", "<", 0.7, 0.75, 300, 120,
        "Most of the gain is lost: raise max_idle or prewarm, and see whether objects are held after the response.",
    ),
    Rule(
        "PoolwareHighMissRate", "info", "miss_rate", ">", 0.3, 0.25, 60, 60,
        "A burst outgrew the pool: prewarm more if this happens daily.",
    ),
    Rule(
        "PoolwareRateSwing", "info", "swing", ">", 3, 2, 60, 120,
        "Traffic has changed abruptly: look at the clients, the load balancer and the last deploy.",
    ),
    Rule(
        "PoolwareChurn", "warning", "churn", ">", 1, 0.5, 300, 120,
        "Objects are made only to be thrown away: raise max_idle, or idle_timeout and max_lifetime.",
    ),
    Rule(
        "PoolwareValidationFailuresRise", "warning", "validation_rise", ">", 0, 0, 0, 120,
        "Resources break while they rest: look at the server behind, and shorten idle_timeout below its own.",
    ),
    Rule(
        "PoolwareEscapes", "error", "escapes", ">", 0, 0, 0, 300,
        "Somebody keeps objects beyond their request: find the holders with poolware.testing.watch or debug mode.",
    ),
    Rule(
        "PoolwareHuge", "warning", "size", ">", 10_000, 9_000, 60, 60,
        "So many objects are seldom meant: look for a missing release, and lower max_idle.",
    ),
    Rule(
        "PoolwareMemory", "warning", "bytes", ">", 100e6, 90e6, 60, 60,
        "Much memory rests: lower max_idle_bytes, or the largest tiers.",
    ),
)  # fmt: skip
"""What fires unless it is changed; docs/observability.md has the table."""
"""What is watched if nobody says otherwise."""


def changed(changes: Mapping[str, Mapping[str, Any] | None]) -> tuple[Rule, ...]:
    """Return `RULES` with some fields of some of them changed; None leaves a rule out.

    Raises:
        UnknownOption: there is no such rule, or a rule has no such field.
        BadOption: a field has a value that it does not take.
    """
    known_options("RULES", changes, (rule.name for rule in RULES))
    return tuple(_changed(rule, change) for rule in RULES if (change := changes.get(rule.name, {})) is not None)


def prometheus_rules(rules: Iterable[Rule] = RULES, *, runbook: str | None = None) -> str:
    """Return a rule file for Prometheus from 2.42 on, which is the first that knows ``keep_firing_for``.

    Args:
        rules: what to watch.
        runbook: the address of docs/runbook.md, or of a page of yours that has a heading for each rule. Each alert is
            then annotated with its ``runbook_url``.
    """
    lines = ["# Made by poolware.observe.rules.prometheus_rules().", "groups:"]
    lines += ["  - name: poolware", "    rules:"]
    for rule in rules:
        signal = SIGNALS[rule.signal]
        value = "{{ $value | humanize }}"
        lines += [
            f"      - alert: {rule.name}",
            f"        expr: {json.dumps(f'({signal.promql}) {rule.beyond} {rule.threshold:.15g}')}",
            f"        for: {_duration(rule.lasts)}",
            f"        keep_firing_for: {_duration(rule.clears)}",
            "        labels:",
            f"          severity: {rule.severity}",
            "        annotations:",
            f"          summary: {json.dumps(f'Pool {{{{ $labels.pool }}}}: {signal.says}: {value}{signal.unit}')}",
            f"          description: {json.dumps(rule.advice, ensure_ascii=False)}",
        ]
        if runbook is not None:
            lines.append(f"          runbook_url: {json.dumps(f'{runbook}#{rule.name.lower()}')}")
    return "\n".join(lines) + "\n"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f}s" if seconds == int(seconds) else f"{1000 * seconds:.0f}ms"


def _changed(rule: Rule, change: Mapping[str, Any]) -> Rule:
    known_options(rule.name, change, (field.name for field in fields(Rule) if field.name != "name"))
    return replace(rule, **change)
