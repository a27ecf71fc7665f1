"""Alerts: each fires, holds back flapping, resolves; handlers harm nothing."""

import logging
import math
import os
import threading

import pytest
from scenarios import SCENARIOS, STEP, World

from poolware import BadOption, UnknownOption
from poolware.observe.alerts import Alerts, log_alert
from poolware.observe.rules import RULES

LONG = 700.0
"""Seconds after which what was before is forgotten."""


class Play:
    """A scenario, and what one rule says of it."""

    def __init__(self, name):
        self.rule = next(rule for rule in RULES if rule.name == name)
        self.scenario = SCENARIOS[name]
        self.world = World(self.scenario.kind)
        self.alerts = Alerts([])

    def step(self, state):
        news = self.alerts.evaluate(self.world.at + STEP, [self.world.step(state)])
        return [alert.state for alert in news if alert.rule == self.rule.name]

    def pass_time(self, state, seconds):
        """Let time pass; return what was said, and stop at the first word."""
        for _ in range(math.ceil(seconds / STEP)):
            if news := self.step(state):
                return news
        return []


@pytest.mark.parametrize("name", [rule.name for rule in RULES])
def test_each_alert_fires_holds_back_flapping_and_resolves(name):
    play = Play(name)
    good, bad = play.scenario.good, play.scenario.bad
    assert play.pass_time(good, LONG) == []
    if play.rule.lasts:
        assert play.step(bad) + play.step(good) == [], "it must last"
        assert play.pass_time(good, LONG) == []
    assert play.pass_time(bad, play.rule.lasts + 300) == ["firing"]
    assert [alert.rule for alert in play.alerts.firing if alert.rule == name] == [name]
    assert play.step(good) + play.step(bad) == [], "one good moment ends nothing"
    assert play.pass_time(good, play.rule.clears + LONG) == ["resolved"]
    assert play.alerts.firing == []
    assert play.pass_time(good, LONG) == []


def test_between_the_thresholds_it_stays_as_it_was():
    play = Play("PoolwareHighUtilisation")
    between = play.scenario.good.__class__({**play.scenario.good.gauges, "in_use": 7.5}, play.scenario.good.rates)
    assert play.pass_time(between, LONG) == []
    assert play.pass_time(play.scenario.bad, 100) == ["firing"]
    assert play.pass_time(between, LONG) == []
    assert play.pass_time(play.scenario.good, 100) == ["resolved"]


def test_a_pool_that_is_gone_has_no_alerts():
    play = Play("PoolwareTimeouts")
    play.pass_time(play.scenario.good, 60)
    assert play.pass_time(play.scenario.bad, 60) == ["firing"]
    (resolved,) = play.alerts.evaluate(play.world.at + STEP, [])
    assert (resolved.state, resolved.pool) == ("resolved", "p")
    assert play.alerts.firing == []


def test_rules_can_be_changed_and_left_out():
    alerts = Alerts(
        [], PoolwareTimeouts=None, PoolwareMemory={"threshold": 5.0, "back_at": 4.0, "severity": "critical"}
    )
    rules = {rule.name: rule for rule in alerts.rules}
    assert "PoolwareTimeouts" not in rules
    assert (rules["PoolwareMemory"].threshold, rules["PoolwareMemory"].severity) == (5.0, "critical")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"PoolwareTimeout": None}, UnknownOption, "PoolwareTimeouts"),
        ({"PoolwareTimeouts": {"limit": 1}}, UnknownOption, "threshold"),
        ({"PoolwareTimeouts": {"name": "Mine"}}, UnknownOption, "has no option 'name'"),
        ({"PoolwareTimeouts": {"lasts": -1}}, BadOption, "lasts=-1"),
        ({"PoolwareTimeouts": {"severity": "bad"}}, BadOption, "'critical'"),
        ({"PoolwareTimeouts": {"beyond": "!="}}, BadOption, "beyond"),
        ({"PoolwareMemory": {"back_at": 200e6}}, BadOption, "right side"),
    ],
)
def test_what_a_rule_does_not_take(changes, error, words):
    """H40"""
    with pytest.raises(error, match=words):
        Alerts([], **changes)


def test_handlers_must_be_callable():
    """H40"""
    with pytest.raises(BadOption, match="functions of one Alert"):
        Alerts(["log"])


# --- handlers ---------------------------------------------------------------------------------------------------------


def fire(alerts, times=1):
    """Have alerts fire and resolve so many times; return when that is done, whatever the handlers do."""
    rule = SCENARIOS["PoolwareTimeouts"]
    world = World(rule.kind)
    alerts.clear()
    alerts.evaluate(world.at, [world.step(rule.good)])
    for _ in range(times):
        alerts.evaluate(world.at, [world.step(rule.bad)])
        alerts.evaluate(world.at, [])
        alerts.evaluate(world.at, [world.step(rule.good)])


def test_a_raising_slow_or_hanging_handler_harms_nothing(caplog):
    """H39: the others are told of everything, in order; what does not fit is dropped and counted, and logged once."""
    release, told, all_told, begun = threading.Event(), [], threading.Event(), threading.Event()

    def raises(_alert):
        raise ValueError

    def hangs(_alert):
        begun.set()
        release.wait()

    def listens(alert):
        told.append(alert.state)
        if len(told) == 300:
            all_told.set()

    alerts = Alerts([raises, hangs, listens])
    try:
        raising, hanging, listening = alerts.handlers
        for told_before in range(0, 300, 20):
            fire(alerts, times=10)
            while min(len(told), raising.failed) < told_before + 20:
                all_told.wait(0.001)
        assert all_told.wait(20)
        assert told == ["firing", "resolved"] * 150
        assert begun.is_set()
        assert hanging.dropped == 300 - 100 - 1
        assert listening.dropped == raising.dropped == 0
        assert caplog.text.count("takes too long") == 1
    finally:
        release.set()
    finished(hanging)
    finished(raising)
    assert raising.failed == 300


def finished(handler):
    for _ in range(2000):
        if not handler._running:
            return
        threading.Event().wait(0.005)
    raise AssertionError("the handler has not ended")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_has_handlers_of_its_own():
    """H26: the parent's is in the middle of an alert when it forks; the child's is told of the child's alerts."""
    release, begun = threading.Event(), threading.Event()
    told = []

    def handler(alert):
        told.append(alert.state)
        begun.set()
        release.wait()

    alerts = Alerts([handler])
    fire(alerts)
    assert begun.wait(20)
    child = os.fork()
    if not child:
        release.set()
        told.clear()
        fire(alerts)
        finished(alerts.handlers[0])
        os._exit(told != ["firing", "resolved"])
    release.set()
    assert os.waitpid(child, 0)[1] == 0
    finished(alerts.handlers[0])


def test_the_log_says_what_to_do(caplog):
    caplog.set_level(logging.INFO)
    play = Play("PoolwareTimeouts")
    play.alerts = Alerts([log_alert])
    play.pass_time(play.scenario.good, 60)
    play.pass_time(play.scenario.bad, 60)
    play.pass_time(play.scenario.good, 300)
    finished(play.alerts.handlers[0])
    firing, resolved = caplog.records
    assert (firing.name, firing.levelname, resolved.levelname) == ("poolware.alerts", "ERROR", "INFO")
    assert "PoolwareTimeouts firing: pool 'p': timeouts in the last minute: 1 (threshold 0)" in firing.getMessage()
    assert "check what the resources depend on" in firing.getMessage()
