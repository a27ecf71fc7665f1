"""The user that the scenarios share: asks without pause and checks each answer."""

import json
from collections.abc import Callable
from typing import Any

import zstandard
from locust import FastHttpUser, constant


class Visitor(FastHttpUser):
    """A closed-loop user: the next request leaves as soon as the last answer has been checked."""

    abstract = True
    wait_time: Any = constant(0)

    def fetch(
        self, method: str, path: str, right: Callable[[Any], object], *, status: int = 200, **options: Any
    ) -> None:
        """Send one request; another status, or an answer that is not `right`, is a failure."""
        with self.client.request(method, path, catch_response=True, **options) as response:
            if response.status_code != status:
                response.failure(f"status {response.status_code} {response.error or ''}")
                return
            try:
                accepted = right(response)
            except Exception as error:
                response.failure(f"unreadable answer: {error!r}")
                return
            if accepted:
                response.success()
            else:
                response.failure("wrong answer" + ("" if options.get("stream") else f": {response.content[:200]!r}"))

    def on_stop(self) -> None:
        """Close the connections, so that none of them times out in a later round."""
        self.client.client.close()


def unpacked(response: Any) -> list[Any]:
    """Return the lines of JSON, or the one JSON value, in a response that is compressed with zstd."""
    content = response.stream.read()
    response.release()
    if response.headers["content-encoding"] != "zstd":
        msg = "not compressed with zstd"
        raise ValueError(msg)
    text = zstandard.ZstdDecompressor().decompressobj().decompress(content)
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]
