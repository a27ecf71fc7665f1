"""The example that broadcasts, and with ``COPIES`` the same with a copy of the message for each listener."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from apps import measuring
from apps.control import ASGIControl, control
from apps.in_transit import hold_little

from poolware import RefCounted

sys.path.append(str(Path(__file__).parents[3]))

from examples import broadcast


def publish_copies(message: broadcast.Message) -> int:
    for queue in broadcast.hub._queues:
        copy = RefCounted.acquire(broadcast.messages, len(message.value))
        with message.value.getbuffer() as content:
            copy.value.write(content)
        queue.put_nowait(copy)
    return len(broadcast.hub._queues)


def listeners() -> dict[str, int]:
    return {"listeners": len(broadcast.hub._queues), "missed": broadcast.hub.missed}


hold_little()
if "COPIES" in os.environ:
    broadcast.hub.publish = publish_copies  # type: ignore[method-assign]
control.pools |= {"buffers": broadcast.messages}
control.actions |= {"listeners": listeners, **measuring.ACTIONS}
app = ASGIControl(broadcast.app)
