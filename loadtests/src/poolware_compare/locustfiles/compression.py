"""`GET /compressed`: two kilobytes of JSON, compressed."""

from locust import tag, task

from poolware_compare.apps.answers import ITEMS
from poolware_compare.locustfiles.visitor import Visitor, unpacked


class Compression(Visitor):
    """Asks for the feed again and again."""

    @tag("zstd")
    @task
    def feed(self) -> None:
        # stream: Locust's client knows no zstd and would refuse to read the content itself.
        self.fetch("GET", "/compressed", is_feed, headers={"Accept-Encoding": "zstd"}, stream=True)


def is_feed(response: object) -> bool:
    """Tell whether the response carries the feed."""
    (feed,) = unpacked(response)
    return bool(feed == {"items": ITEMS})
