"""One request over HTTP/2 without TLS, for what servers have only there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, InformationalResponseReceived, ResponseReceived, StreamEnded, TrailersReceived

from .client import PATIENCE, connection


@dataclass
class Answer:
    """A response as it came."""

    status: str = ""
    body: bytes = b""
    hints: list[tuple[str, str]] = field(default_factory=list)
    trailers: list[tuple[str, str]] = field(default_factory=list)
    ended: bool = False

    def take(self, event: object) -> None:
        match event:
            case InformationalResponseReceived(headers=headers):
                self.hints += headers
            case ResponseReceived(headers=headers):
                self.status = dict(headers)[":status"]
            case DataReceived(data=data):
                self.body += data
            case TrailersReceived(headers=headers):
                self.trailers += headers
            case StreamEnded():
                self.ended = True


async def ask(port: int, path: str) -> Answer:
    """Send a GET and return the whole response."""
    protocol = H2Connection(H2Configuration(header_encoding="utf-8"))
    answer = Answer()
    names = {":method": "GET", ":path": path, ":scheme": "http", ":authority": "test", "te": "trailers"}
    async with connection(port) as client, asyncio.timeout(PATIENCE):
        protocol.initiate_connection()
        protocol.send_headers(1, list(names.items()), end_stream=True)
        while not answer.ended:
            client.writer.write(protocol.data_to_send())
            for event in protocol.receive_data(await client.reader.read(1 << 16)):
                answer.take(event)
    return answer
