"""Alerts: rules that are looked at from time to time, and whom to tell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from poolware._core.log import logger
from poolware.errors import BadOption
from poolware.observe.handlers import Apart
from poolware.observe.rules import Rule, Severity, changed
from poolware.observe.signals import SIGNALS, Series
from poolware.observe.snapshot import PoolSnapshot

__all__ = ["Alert", "Alerts", "log_alert"]

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR, "critical": logging.CRITICAL}


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule that a pool breaks, or has ceased to break."""

    rule: str
    severity: Severity
    pool: str
    kind: str
    state: Literal["firing", "resolved"]
    value: float
    """What the signal was."""
    threshold: float
    says: str
    """What the signal is, in words."""
    advice: str
    """What to do, in one sentence."""

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return asdict(self) | {"value": self.value if self.value < float("inf") else None}

    def __str__(self) -> str:
        return (
            f"{self.rule} {self.state}: pool {self.pool!r}: {self.says}: {self.value:.4g} "
            f"(threshold {self.threshold:g}). {self.advice}"
        )


def log_alert(alert: Alert) -> None:
    """Log to ``poolware.alerts``, at the level of the alert's severity; what has resolved, as information."""
    level = _LEVELS[alert.severity] if alert.state == "firing" else logging.INFO
    logger.getChild("alerts").log(level, "%s", alert)


class Alerts:
    """Watches the pools of this process.

        Alerts(PoolwareHighUtilisation={"threshold": 0.9, "back_at": 0.8}, PoolwareRateSwing=None)

    Handlers run apart: one that raises, is slow or hangs delays nobody, and no other handler.

    Args:
        handlers: functions of one `Alert`, called when it begins to fire and when it has resolved.
        changes: what to change of `RULES`, by the rule's name; None leaves a rule out.

    Raises:
        UnknownOption: there is no such rule, or a rule has no such field.
        BadOption: a value is not taken.
    """

    def __init__(
        self, handlers: Iterable[Callable[[Alert], object]] = (log_alert,), **changes: Mapping[str, Any] | None
    ) -> None:
        self.rules: tuple[Rule, ...] = changed(changes)
        self.handlers: tuple[Apart[Alert], ...] = tuple(map(_apart, handlers))
        self._pools: dict[tuple[str, str], _Watched] = {}

    @property
    def firing(self) -> list[Alert]:
        """Every alert that fires now."""
        return [alert for watched in list(self._pools.values()) for alert in watched.firing()]

    def evaluate(self, at: float, snapshots: Iterable[PoolSnapshot]) -> list[Alert]:
        """Look at what was seen `at` this time, in seconds of any clock; tell the handlers, and return, what is new.

        What fired for a pool that is no longer there has resolved.
        """
        news: list[Alert] = []
        seen = {(snapshot.pool, snapshot.kind): snapshot for snapshot in snapshots}
        for gone in self._pools.keys() - seen.keys():
            news += self._pools.pop(gone).end()
        for key, snapshot in seen.items():
            if key not in self._pools:
                self._pools[key] = _Watched(self.rules)
            news += self._pools[key].evaluate(at, snapshot)
        for alert in news:
            for handler in self.handlers:
                handler.put(alert)
        return news

    def clear(self) -> None:
        """Forget everything, without a word."""
        self._pools.clear()


class _Watched:
    """One pool, and where each rule stands."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._series = Series()
        self._states = [_State(rule) for rule in rules]

    def evaluate(self, at: float, snapshot: PoolSnapshot) -> list[Alert]:
        self._series.add(at, snapshot)
        steps = ((state, SIGNALS[state.rule.signal].value(self._series)) for state in self._states)
        return [self._tell(state) for state, value in steps if state.step(at, value)]

    def firing(self) -> list[Alert]:
        return [self._tell(state) for state in self._states if state.firing]

    def end(self) -> list[Alert]:
        ended = [state for state in self._states if state.firing]
        for state in ended:
            state.firing = False
        return [self._tell(state) for state in ended]

    def _tell(self, state: _State) -> Alert:
        rule, now = state.rule, self._series.now
        return Alert(
            rule.name,
            rule.severity,
            now.pool,
            now.kind,
            "firing" if state.firing else "resolved",
            state.value,
            rule.threshold,
            SIGNALS[rule.signal].says,
            rule.advice,
        )


class _State:
    """Whether one rule fires for one pool; a value must stay on the other side for a while to change that."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.firing = False
        self.value = 0.0
        self._since: float | None = None
        """Since when the value has been on the other side."""

    def step(self, at: float, value: float | None) -> bool:
        """Take in what the signal is now; return whether the alert has begun or ended."""
        rule = self.rule
        if value is not None:
            self.value = value
        bad = value is not None and (rule.holds(value) if self.firing else rule.fires(value))
        if bad == self.firing:
            self._since = None
            return False
        if self._since is None:
            self._since = at
        if at - self._since < (rule.clears if self.firing else rule.lasts):
            return False
        self.firing = not self.firing
        self._since = None
        return True


def _apart(handler: Callable[[Alert], object]) -> Apart[Alert]:
    if not callable(handler):
        msg = f"handlers={handler!r}: it takes functions of one Alert"
        raise BadOption(msg)
    return Apart(handler)
