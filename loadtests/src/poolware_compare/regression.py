"""Whether a change made things worse: against an earlier run, or against the first arm of this one."""

import json
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from poolware_compare.errors import ComparisonError
from poolware_compare.plan import Plan
from poolware_compare.results import SCHEMA, CaseResult, Results
from poolware_compare.statistics import FEWEST_ROUNDS, NO_CLAIM, Interval

Key = tuple[str, str, str, str]
"""App, server, scenario and baseline of a case."""


@dataclass(frozen=True)
class Change:
    """What an arm costs against the baseline, then and now."""

    case: str
    arm: str
    then: Interval
    now: Interval
    word: str

    def __str__(self) -> str:
        return f"{self.case}, {self.arm}: {self.then} then, {self.now} now: {self.word}"


@dataclass(frozen=True)
class Earlier:
    """What an earlier run is good for: whose control held, and the ratios of each case."""

    quiet: set[str]
    ratios: dict[Key, dict[str, Interval]]

    def knows(self, plan: Plan) -> bool:
        """Tell whether anything in the plan was measured then."""
        return any((case.app, case.server, case.scenario.name, case.baseline) in self.ratios for case in plan.cases)


def read(path: Path) -> Earlier:
    """Read an earlier `results.json`. Raises ComparisonError if it is none that this version understands."""
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            msg = f"{path}: schema {data['schema']}, and this version reads {SCHEMA}"
            raise ComparisonError(msg)
        return Earlier(
            {app for app, control in data["controls"].items() if control["contains_one"]},
            {_key(case): {pair: _interval(found) for pair, found in case["ratios"].items()} for case in data["cases"]},
        )
    except UnicodeDecodeError:
        reason = "it is no text"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = repr(error)
    msg = f"{path}: not the results of a comparison ({reason})"
    raise ComparisonError(msg)


def _key(case: dict[str, Any]) -> Key:
    return case["app"], case["server"], case["scenario"], case["baseline"]


def _interval(found: dict[str, Any]) -> Interval:
    interval = Interval(**found)
    if not all(isfinite(value) for value in found.values()):
        msg = f"{found} is no interval"
        raise ValueError(msg)
    return interval


def changes(old: Earlier, new: Results) -> list[Change]:
    """Return how the arms of both runs changed against their baselines.

    Ratios are compared, not times: the machine was another, or in another mood. `worse` and `better` need intervals
    that do not touch, and two runs that can claim something.
    """
    quiet = {app for app, control in new.controls.items() if control.contains_one}
    quiet &= old.quiet
    found = []
    for case in new.cases:
        before = old.ratios.get((case.app, case.server, case.scenario, case.baseline), {})
        for arm in case.arms:
            pair = f"{arm}/{case.baseline}"
            if pair in case.ratios and pair in before:
                was, now = before[pair], case.ratios[pair]
                word = _word(was, now) if case.app in quiet else NO_CLAIM
                found.append(Change(_title(case), arm, was, now, word))
    return found


def losses(results: Results) -> list[str]:
    """Return the cases in which the last arm costs more than the first."""
    return [
        f"{_title(case)}: {arm} is a loss against {case.baseline}"
        for case in results.cases
        if case.verdicts.get(arm := list(case.arms)[-1]) == "loss"
    ]


def _title(case: CaseResult) -> str:
    return f"{case.app} {case.scenario} on {case.server}"


def _word(then: Interval, now: Interval) -> str:
    if min(then.rounds, now.rounds) < FEWEST_ROUNDS:
        return NO_CLAIM
    if now.low > then.high:
        return "worse"
    return "better" if now.high < then.low else "no difference"
