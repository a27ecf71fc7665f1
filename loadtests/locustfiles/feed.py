"""`GET /feed`: two kilobytes of JSON, compressed."""

import json
from typing import Any

import zstandard
from locust import task

from loadtests.answers import ITEMS
from loadtests.locustfiles.visitor import Visitor

DECOMPRESSOR = zstandard.ZstdDecompressor()


def is_feed(response: Any) -> bool:
    """Tell whether the response carries the feed, compressed with zstd."""
    content = response.stream.read()
    response.release()
    return bool(
        response.headers["content-encoding"] == "zstd"
        and json.loads(DECOMPRESSOR.decompressobj().decompress(content)) == {"items": ITEMS}
    )


class Feed(Visitor):
    """Asks for the feed again and again."""

    @task
    def feed(self) -> None:
        """Ask for the feed."""
        # stream: Locust's client knows no zstd and would refuse to read the content itself.
        self.fetch("GET", "/feed", is_feed, headers={"Accept-Encoding": "zstd"}, stream=True)
