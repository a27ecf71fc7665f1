"""The example that passes a stream on, and with ``SABOTAGE`` the same on a ring that does not look who holds a slot."""

from __future__ import annotations

import sys
from pathlib import Path

from apps import measuring, sabotage
from apps.control import ASGIControl, control
from apps.in_transit import hold_little

sys.path.append(str(Path(__file__).parents[3]))

from examples import proxy

sabotage.apply()
hold_little()
control.pools |= {"buffers": proxy.buffers}
control.actions |= measuring.ACTIONS
app = ASGIControl(proxy.app)
