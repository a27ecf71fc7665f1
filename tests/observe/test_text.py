"""The statistics for a terminal, and the commands that print them."""

import json
import os

import pytest

from poolware import ConfigurationError
from poolware.observe.alerts import Alert
from poolware.observe.shared import Share
from poolware.observe.snapshot import PoolSnapshot
from poolware.observe.text import report

DATABASE = PoolSnapshot(
    "database", "resource", {"max_size": 10}, {"in_use": 9, "idle": 1, "waiting": 3}, {"acquired": 12345}
)
VISIT = PoolSnapshot(
    "Visit",
    "object",
    {"max_idle": 1024},
    {"in_use": 0, "idle": 4},
    {"acquired": 8, "hits": 6, "misses": 2, "escaped": 1},
)
ALERT = Alert("PoolwareCallersWaiting", "warning", "database", "resource", "firing", 3, 0, "callers that wait", "Wait.")


@pytest.fixture
def published(tmp_path):
    said = {"pools": [VISIT.as_dict(), DATABASE.as_dict()], "alerts": [ALERT.as_dict()], "time": 0.0, "every": 2.0}
    Share(tmp_path / "shared").publish(said)
    return tmp_path / "shared"


def test_a_line_for_each_pool_and_each_alert(published):
    assert report(published).splitlines() == [
        "pool      kind      processes  in use  idle  limit  waiting  acquired  hit rate  escaped",
        "Visit     object            1       0     4  1,024        -         8     75.0%        1",
        "database  resource          1       9     1     10        3    12,345         -        -",
        f"WARNING in process {os.getpid()}: PoolwareCallersWaiting, pool 'database': callers that wait. Wait.",
    ]


def test_as_json(published):
    (said,) = json.loads(report(published, as_json=True))
    assert [pool["pool"] for pool in said["pools"]] == ["Visit", "database"]


def test_nothing_published(tmp_path):
    assert report(tmp_path / "none").startswith("No process publishes")


def test_not_ones_own(tmp_path):
    tmp_path.chmod(0o755)
    with pytest.raises(ConfigurationError, match="700 is needed"):
        report(tmp_path)
