"""What the live page shows, made from what the workers publish: the document that docs/live-page.md describes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from poolware._core.log import logger
from poolware.errors import ConfigurationError
from poolware.observe.shared import read_all
from poolware.observe.snapshot import PoolSnapshot, merge
from poolware.web.dashboard.past import history, past_of
from poolware.web.dashboard.verdicts import LEVELS, Finding, Level, Pool, Seen, findings
from poolware.web.dashboard.words import capital, span

__all__ = ["SCHEMA", "overview"]

SCHEMA = 1
"""The version of the document."""

_SERIES = ("in_use", "idle", "quarantined", "waiting")
_LATELY = ("acquired", "hits", "misses", "waits", "timeouts", "escaped")
_BY_SEVERITY: dict[str, Level] = {"critical": "critical", "error": "critical", "warning": "warning", "info": "notice"}
_NONSENSE = (AttributeError, LookupError, TypeError, ValueError)
"""What comes of figures that no worker of this version publishes."""
_SILENT_AFTER = 10.0
"""Seconds without a word, and five times its period, after which a worker probably hangs."""
_NOBODY = Finding(
    "warning",
    "No worker tells what its pools do.",
    "Call poolware.observe.start(share=Share(), alerts=Alerts()) when a worker starts; under gunicorn, "
    "-c python:poolware.web.gunicorn does it.",
)


def overview(directory: str | os.PathLike[str] | None, held_for: float) -> bytes:
    """Return what is known now, as JSON.

    Args:
        directory: where the workers publish; as for `poolware.observe.Share`.
        held_for: seconds in use after which something counts as not coming back.
    """
    now = time.time()
    try:
        said = read_all(directory)
    except ConfigurationError as error:
        refusal = Finding("critical", "What the workers tell cannot be read.", f"{capital(str(error))}.")
        return _written([], [refusal], now, held_for)
    notes = [] if said else [_NOBODY]
    try:
        return _written(said, notes, now, held_for)
    except _NONSENSE:
        sensible = [one for one in said if _makes_sense(one, now, held_for)]
        notes = [_not_understood(one["process"]["pid"]) for one in said if one not in sensible]
        return _written(sensible, notes, now, held_for)


def _makes_sense(said: Mapping[str, Any], now: float, held_for: float) -> bool:
    try:
        _written([said], [], now, held_for)
    except _NONSENSE as error:
        logger.warning("what process %s says of its pools makes no sense: %r", said["process"]["pid"], error)
        return False
    return True


def _not_understood(pid: int) -> Finding:
    return Finding("warning", f"What worker {pid} says cannot be understood.", "Does it run another version?")


def _written(said: Sequence[Mapping[str, Any]], notes: Sequence[Finding], now: float, held_for: float) -> bytes:
    notes = [*notes, *(_silent(one, now) for one in said if now - one["time"] > _patience(one))]
    pools = _pools(said, held_for)
    document = {
        "schema": SCHEMA,
        "time": now,
        "level": min(
            [*(note.level for note in notes), *(pool["level"] for pool in pools), "healthy"], key=LEVELS.index
        ),
        "notes": [note.as_dict() for note in notes],
        "workers": [_worker(one, now) for one in said],
        "pools": pools,
    }
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()


def _patience(said: Mapping[str, Any]) -> float:
    return max(_SILENT_AFTER, float(5 * said["every"]))


def _silent(said: Mapping[str, Any], now: float) -> Finding:
    says = f"Worker {said['process']['pid']} has been silent for {span(now - said['time'])}: it hangs, or gets no time."
    return Finding("warning", says, "What it said last is shown, and may be wrong by now.")


def _worker(said: Mapping[str, Any], now: float) -> dict[str, Any]:
    age = max(0.0, now - said["time"])  # the clock may have been put back
    return {"pid": said["process"]["pid"], "age": age, "every": said["every"], "pools": len(said["pools"])}


def _pools(said: Iterable[Mapping[str, Any]], held_for: float) -> list[dict[str, Any]]:
    parts: dict[tuple[str, str], list[Seen]] = {}
    alerts: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for one in said:
        pid = one["process"]["pid"]
        for now in map(PoolSnapshot.from_dict, one["pools"]):
            parts.setdefault((now.pool, now.kind), []).append(Seen(pid, now, past_of(one, now)))
        for alert in one["alerts"]:
            rules = alerts.setdefault((alert["pool"], alert["kind"]), {})
            rules.setdefault(alert["rule"], alert | {"workers": []})["workers"].append(pid)
    return sorted(
        (_pool(group, list(alerts.get(key, {}).values()), held_for) for key, group in parts.items()),
        key=lambda pool: (LEVELS.index(pool["level"]), pool["pool"], pool["kind"]),
    )


def _pool(parts: Sequence[Seen], alerts: Sequence[Mapping[str, Any]], held_for: float) -> dict[str, Any]:
    (now,) = merge(part.now for part in parts)
    found = findings(Pool(now, parts, held_for))
    raised = [_raised(alert) for alert in alerts]
    if raised and found[0].level == "healthy":
        found = []
    first = min([*found, *raised], key=lambda finding: LEVELS.index(finding.level))
    return {
        "pool": now.pool,
        "kind": now.kind,
        "level": first.level,
        "verdict": first.says,
        "advice": first.advice,
        "others": [finding.as_dict() for finding in found if finding is not first],
        "alerts": list(alerts),
        "figures": now.as_dict(),
        "lately": _lately(parts),
        "history": history([part.past for part in parts], _SERIES),
        "workers": [{"pid": part.pid, **{name: part.now.gauges.get(name) for name in _SERIES}} for part in parts],
    }


def _raised(alert: Mapping[str, Any]) -> Finding:
    value = "" if alert["value"] is None else f": {alert['value']:,.4g}"
    says = f"{capital(alert['says'])}{value} (alert {alert['rule']})."
    return Finding(_BY_SEVERITY[alert["severity"]], says, alert["advice"])


def _lately(parts: Sequence[Seen]) -> dict[str, float | None]:
    grown = {name: sum(part.past.increase(name) for part in parts) for name in _LATELY}
    asked = grown["hits"] + grown["misses"]
    rate = grown["hits"] / asked if asked else None
    return {"seconds": max(part.past.ages[0] for part in parts), **grown, "hit_rate": rate}
