"""Whether a change made things worse: against an earlier run, or against the first arm of this one."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poolware_compare.errors import ComparisonError
from poolware_compare.results import SCHEMA, CaseResult, Results
from poolware_compare.statistics import FEWEST_ROUNDS, NO_CLAIM, Interval


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


def read(path: Path) -> dict[str, Any]:
    """Read an earlier `results.json`. Raises ComparisonError if it is none that this version understands."""
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        known = data["schema"] == SCHEMA
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{path}: not the results of a comparison ({error!r})"
        raise ComparisonError(msg) from None
    if not known:
        msg = f"{path}: schema {data['schema']}, and this version reads {SCHEMA}"
        raise ComparisonError(msg)
    return data


def changes(old: dict[str, Any], new: Results) -> list[Change]:
    """Return how the arms of both runs changed against their baselines.

    Ratios are compared, not times: the machine was another, or in another mood. `worse` and `better` need intervals
    that do not touch, and two runs that can claim something.
    """
    quiet = {app for app, control in new.controls.items() if control.contains_one}
    quiet &= {app for app, control in old["controls"].items() if control["contains_one"]}
    then = {(case["app"], case["server"], case["scenario"]): case for case in old["cases"]}
    found = []
    for case in new.cases:
        before = then.get((case.app, case.server, case.scenario))
        if before is None or before["baseline"] != case.baseline:
            continue
        for arm in case.arms:
            pair = f"{arm}/{case.baseline}"
            if pair in case.ratios and pair in before["ratios"]:
                was, now = Interval(**before["ratios"][pair]), case.ratios[pair]
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
