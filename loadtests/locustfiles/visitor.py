"""The user that all scenarios share: asks without pause and checks each answer."""

from collections.abc import Callable
from typing import Any

from locust import FastHttpUser, constant


class Visitor(FastHttpUser):
    """A closed-loop user: the next request leaves as soon as the last answer has been checked."""

    abstract = True
    wait_time = constant(0)

    def fetch(self, method: str, path: str, right: Callable[[Any], bool], **options: Any) -> None:
        """Send one request; a status other than 200, or an answer that is not `right`, is a failure."""
        with self.client.request(method, path, catch_response=True, **options) as response:
            if response.status_code != 200:
                response.failure(f"status {response.status_code} {response.error or ''}")
                return
            try:
                accepted = right(response)
            except Exception as error:
                response.failure(f"unreadable answer: {error!r}")
                return
            if not accepted:
                response.failure("wrong answer" + ("" if options.get("stream") else f": {response.content[:200]!r}"))

    def on_stop(self) -> None:
        """Close the connections, so that none of them times out in a later round."""
        self.client.client.close()
