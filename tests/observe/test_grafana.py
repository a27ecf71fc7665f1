"""The dashboard for Grafana: it is one, and every expression names metrics that exist."""

import json
import re
from importlib import resources

import pytest
from prometheus_client import CollectorRegistry

from poolware.observe.prometheus import PrometheusExporter

BOARD = json.loads((resources.files("poolware.observe") / "grafana.json").read_text())
PANELS = BOARD["panels"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
SHOWN = {"pool_in_use", "pool_idle", "acquire_wait_seconds_bucket", "timeouts_total", "pool_waiting", "escapes_total"}
SHOWN |= {"pool_idle_bytes"}


@pytest.fixture(scope="module")
def names():
    registry = CollectorRegistry()
    PrometheusExporter(registry)
    return set(registry._names_to_collectors)


def test_it_is_a_dashboard():
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= BOARD.keys()
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        assert {"type", "title", "datasource", "gridPos", "fieldConfig", "options", "targets"} <= panel.keys()
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert [target["refId"] for target in panel["targets"]] == [chr(65 + n) for n in range(len(panel["targets"]))]
    assert {variable["name"] for variable in BOARD["templating"]["list"]} == {"datasource", "job", "pool"}


def test_no_panel_covers_another():
    cells = [
        (x, y)
        for panel in PANELS
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_expression_names_metrics_that_exist(expression, names):
    used = set(re.findall(r"poolware_\w+", expression))
    assert used
    assert used <= names
    assert expression.count("{") == expression.count('{job=~"$job",pool=~"$pool"}')


def test_what_a_dashboard_is_opened_for_is_there():
    used = {name for expression in EXPRESSIONS for name in re.findall(r"poolware_(\w+)", expression)}
    assert used >= SHOWN
