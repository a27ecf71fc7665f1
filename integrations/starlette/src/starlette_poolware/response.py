"""A response that sends a pooled buffer without copying it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.background import BackgroundTask
    from starlette.types import Receive, Scope, Send

    from poolware import Buffer

__all__ = ["BufferResponse"]


class BufferResponse(Response):
    """Sends the content of `buffer` as it is.

    The server gets a view of the pooled memory, which is not used again before the transport lets go of it. A server
    that takes nothing but ``bytes`` gets a copy.
    """

    def __init__(
        self,
        buffer: Buffer,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str = "application/octet-stream",
        background: BackgroundTask | None = None,
    ) -> None:
        self._buffer = buffer
        super().__init__(None, status_code, headers, media_type, background)
        self.headers["content-length"] = str(len(buffer))

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the response, then run its background task."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        view = self._buffer.getbuffer()
        try:
            await send({"type": "http.response.body", "body": view})
        except TypeError:  # the server takes nothing but bytes, and has sent nothing yet
            await send({"type": "http.response.body", "body": bytes(view)})
        if self.background is not None:
            await self.background()
