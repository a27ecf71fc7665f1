"""Sockets of which the system holds next to nothing for a peer who does not read; it would take megabytes."""

from __future__ import annotations

import socket
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


def hold_little() -> None:
    """Let every connection of this server be like that."""
    connection_made = HttpToolsProtocol.connection_made

    def connect(self: Any, transport: Any) -> None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 << 10)
        connection_made(self, transport)

    HttpToolsProtocol.connection_made = connect  # type: ignore[method-assign]
