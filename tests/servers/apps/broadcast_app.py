"""The example that broadcasts, and with ``COPIES`` the same with a copy of the message for each listener."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

from apps import measuring
from apps.control import ASGIControl, control
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from poolware import RefCounted

sys.path.append(str(Path(__file__).parents[3]))

from examples import broadcast

connection_made = HttpToolsProtocol.connection_made


def connect(self: Any, transport: Any) -> None:
    """Have the system hold next to nothing for a listener who does not read; it would take megabytes."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    connection_made(self, transport)


def publish_copies(message: broadcast.Message) -> int:
    for queue in broadcast.hub._queues:
        copy = RefCounted.acquire(broadcast.messages, len(message.value))
        with message.value.getbuffer() as content:
            copy.value.write(content)
        queue.put_nowait(copy)
    return len(broadcast.hub._queues)


def listeners() -> dict[str, int]:
    return {"listeners": len(broadcast.hub._queues), "missed": broadcast.hub.missed}


HttpToolsProtocol.connection_made = connect  # type: ignore[method-assign]
if "COPIES" in os.environ:
    broadcast.hub.publish = publish_copies  # type: ignore[method-assign]
control.pools |= {"buffers": broadcast.messages}
control.actions |= {"listeners": listeners, **measuring.ACTIONS}
app = ASGIControl(broadcast.app)
