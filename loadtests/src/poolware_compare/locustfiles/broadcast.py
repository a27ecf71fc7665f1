"""`/broadcast/{room}`: four websockets in a room; what one says, all have to hear. A broadcast counts as a request."""

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from time import perf_counter, time
from typing import Any

import websocket
from locust import User, constant, tag, task

numbers: Iterator[int] = count()
MEMBERS = 4
TIMEOUT_S = 10


class Broadcast(User):
    """A room: the first of its members speaks, and the answers are compared."""

    wait_time: Any = constant(0)

    def on_start(self) -> None:
        self.room: str = f"room{next(numbers)}"
        address = f"{str(self.host).replace('http', 'ws', 1)}/broadcast/{self.room}?user={self.room}-"
        self.members: list[Any] = [
            websocket.create_connection(f"{address}{n}", timeout=TIMEOUT_S) for n in range(MEMBERS)
        ]

    @tag("room")
    @task
    def speak(self) -> None:
        said = f"{self.room}: {next(numbers)}"
        started, at = perf_counter(), time()
        error: Exception | None = None
        length = 0
        try:
            self.members[0].send(said)
            for member in self.members:
                heard = member.recv()
                length += len(heard)
                if json.loads(heard) != {"user": f"{self.room}-0", "said": said}:
                    error = ValueError(f"wrong answer: {heard[:200]!r}")
        except (OSError, ValueError, websocket.WebSocketException) as failure:
            error = failure
        self.environment.events.request.fire(
            request_type="WS",
            name="/broadcast/[room]",
            response_time=(perf_counter() - started) * 1000,
            response_length=length,
            exception=error,
            context={},
            start_time=at,
        )

    def on_stop(self) -> None:
        for member in getattr(self, "members", ()):
            with suppress(OSError, websocket.WebSocketException):
                member.close(timeout=1)
