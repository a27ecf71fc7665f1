"""Watching pools. No pool imports this.

`start` has every pool of the process looked at every few seconds; `stop` ends that. docs/observability.md has the rest.
"""

from poolware.observe.alerts import Alert, Alerts, log_alert
from poolware.observe.shared import Share, merged, read_all
from poolware.observe.snapshot import PoolSnapshot, take
from poolware.observe.watch import Watch, start, stop

__all__ = [
    "Alert",
    "Alerts",
    "PoolSnapshot",
    "Share",
    "Watch",
    "log_alert",
    "merged",
    "read_all",
    "start",
    "stop",
    "take",
]
