"""The same rules for Prometheus: the file that is shipped, and that it says what `Alerts` says."""

import json
from importlib import resources
from pathlib import Path

import pytest
from promtool import needs_prometheus, promtool
from scenarios import SCENARIOS, STEP, World

from poolware._core.histogram import WAIT_BOUNDS
from poolware.observe.metrics import COUNTERS, GAUGES, LIMITS
from poolware.observe.rules import RULES, changed, prometheus_rules

SHIPPED = resources.files("poolware.observe") / "prometheus.rules.yml"
DOCS = (Path(__file__).parents[2] / "docs" / "observability.md").read_text()
GOOD_UNTIL, BAD_UNTIL = 900, 1500
"""Seconds: each pool is well, then is not, then is well again."""
LOOK_EVERY = 15


def test_the_file_is_made_from_the_table():
    """It is written anew with ``print(prometheus_rules(), end="")``."""
    assert SHIPPED.read_text() == prometheus_rules()


def test_every_rule_has_a_scenario():
    assert set(SCENARIOS) == {rule.name for rule in RULES}


@needs_prometheus
def test_promtool_accepts_the_file():
    assert f"{len(RULES)} rules found" in promtool("check", "rules", SHIPPED)


@needs_prometheus
def test_promtool_accepts_changed_rules(tmp_path):
    file = tmp_path / "rules.yml"
    file.write_text(prometheus_rules(changed({"PoolwareMemory": {"threshold": 1.5e9, "lasts": 0.5}})))
    promtool("check", "rules", file)


@needs_prometheus
def test_promtool_accepts_links_to_a_runbook(tmp_path):
    file = tmp_path / "rules.yml"
    file.write_text(prometheus_rules(runbook="https://docs.example.org/poolware/runbook/"))
    promtool("check", "rules", file)


@needs_prometheus
def test_each_rule_fires_and_resolves_in_prometheus(tmp_path):
    """Fed with the scenarios of the other tests, one pool each, Prometheus raises the same alarms."""
    looks = [
        {"expr": f"count({_firing(rule)}) or vector(0)", "eval_time": f"{at}s", "exp_samples": [_sample(value)]}
        for rule in RULES
        for at, value in ((GOOD_UNTIL - 10, 0), (_bad_moment(rule), 1), (BAD_UNTIL + 900, 0))
    ]
    series = [one for name, scenario in SCENARIOS.items() for one in _series(name, scenario)]
    file = tmp_path / "tests.json"
    rules = tmp_path / "rules.yml"
    rules.write_text(SHIPPED.read_text())
    test = {"interval": f"{LOOK_EVERY}s", "input_series": series, "promql_expr_test": looks}
    file.write_text(json.dumps({"rule_files": [str(rules)], "evaluation_interval": "15s", "tests": [test]}))
    promtool("test", "rules", file)


def _firing(rule):
    return f'ALERTS{{alertname="{rule.name}",alertstate="firing",pool="{rule.name}"}}'


def _sample(value):
    return {"labels": "{}", "value": value}


def _bad_moment(rule):
    """When it is to fire; a rate of so many minutes sees a change late."""
    return GOOD_UNTIL + (rule.lasts or 60) + (90 if rule.signal == "swing" else 180)


def _series(pool, scenario):
    """Return what Prometheus would have collected of a scenario."""
    world, columns = World(scenario.kind), {}
    for second in range(0, BAD_UNTIL + 900, int(STEP)):
        snapshot = world.step(scenario.bad if GOOD_UNTIL <= second < BAD_UNTIL else scenario.good)
        if second % LOOK_EVERY == 0:
            for name, value in _samples(pool, snapshot):
                columns.setdefault(name, []).append(f"{value:g}")
    return [{"series": name, "values": " ".join(values)} for name, values in columns.items()]


def _samples(pool, snapshot):
    labels = f'pool="{pool}",kind="{snapshot.kind}",instance="i",job="j"'
    for metric in (*LIMITS, *GAUGES):
        figures = {**snapshot.limits, **snapshot.gauges}
        if metric.field in figures:
            yield f"poolware_{metric.name}{{{labels}}}", figures[metric.field]
    for metric in COUNTERS:
        if metric.field in snapshot.counters:
            yield f"poolware_{metric.name}_total{{{labels}}}", snapshot.counters[metric.field]
    if snapshot.wait is not None:
        total = 0
        for bound, count in zip((*WAIT_BOUNDS, "+Inf"), snapshot.wait.counts, strict=True):
            total += count
            yield f'poolware_acquire_wait_seconds_bucket{{{labels},le="{bound}"}}', total


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_says_what_to_do_in_a_sentence(rule):
    assert rule.advice.endswith(".")
    assert 20 < len(rule.advice) < 120


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_is_documented(rule):
    (row,) = (row for row in DOCS.splitlines() if row.startswith(f"| `{rule.name}` | {rule.severity} | "))
    assert rule.advice in row
    assert f"{rule.threshold:,.15g}" in row
    assert f" | {rule.back_at:,.15g} | " in row
