"""Every way for a response to end, for soaks: answered, refused, failed, kept, and left by the client at four moments.

Built on raw sockets where a client leaves: no HTTP client of good manners does that.
"""

import socket
import struct
from time import perf_counter, time
from urllib.parse import urlsplit

from locust import tag, task

from poolware_compare.apps.answers import EXPORT_HEAD, csv_text, export_rows, scratched
from poolware_compare.locustfiles.visitor import Visitor

EXPORT = csv_text(EXPORT_HEAD, export_rows(5000)).encode()
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: leave without a goodbye


class Endings(Visitor):
    """Ends its requests in many ways; each way that is meant counts as a success."""

    @tag("answered")
    @task(10)
    def answered(self) -> None:
        answer = scratched(4096)
        self.fetch("GET", f"/scratch/{1 << 20}/4096", lambda response: response.text == answer)

    @tag("answered")
    @task(5)
    def streamed(self) -> None:
        self.fetch("GET", "/export/5000", lambda response: response.content == EXPORT)

    @tag("refused")
    @task(2)
    def refused(self) -> None:
        self.fetch("GET", "/scratch/1/2", lambda response: "error" in response.json(), status=400)

    @tag("failed")
    @task
    def failed(self) -> None:
        self.fetch("GET", "/context?then=fail", lambda _: True, name="/context (fails)", status=500)

    @tag("kept")
    @task
    def kept(self) -> None:
        """The application holds on to the context: it is sealed, and waits in quarantine."""
        self.fetch(
            "GET",
            "/context?user=ada&then=keep",
            lambda response: response.json()["user"] == "ada",
            name="/context (kept)",
        )

    @tag("left")
    @task(2)
    def left_before_the_answer(self) -> None:
        self.leave(b"GET /scratch/4194304/4096?hold=1 HTTP/1.1\r\nHost: localhost\r\n\r\n", "before the answer")

    @tag("left")
    @task(2)
    def left_while_it_streams(self) -> None:
        self.leave(b"GET /export/5000 HTTP/1.1\r\nHost: localhost\r\n\r\n", "while it streams", read=True)

    @tag("left")
    @task(2)
    def left_while_uploading(self) -> None:
        head = b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 262144\r\n\r\n"
        self.leave(head + bytes(32768), "while uploading")

    @tag("left")
    @task
    def left_in_the_head(self) -> None:
        self.leave(b"GET /context HTTP/1.1\r\nHo", "in the head")

    def leave(self, request: bytes, when: str, *, read: bool = False) -> None:
        """Send a request, and be gone."""
        place = urlsplit(str(self.host))
        started, at = perf_counter(), time()
        error: Exception | None = None
        try:
            with socket.create_connection((str(place.hostname), place.port), timeout=10) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                connection.sendall(request)
                if read:
                    connection.recv(1024)
        except OSError as failure:
            # A server may be the first to leave; not being there at all is an error.
            error = None if isinstance(failure, ConnectionResetError | BrokenPipeError) else failure
        self.environment.events.request.fire(
            request_type="LEFT",
            name=when,
            response_time=(perf_counter() - started) * 1000,
            response_length=0,
            exception=error,
            context={},
            start_time=at,
        )
