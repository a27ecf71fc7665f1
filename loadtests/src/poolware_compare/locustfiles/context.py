"""`GET /context`: nothing but the request's context."""

from collections.abc import Iterator
from itertools import count

from locust import tag, task

from poolware_compare.locustfiles.visitor import Visitor

numbers: Iterator[int] = count()


class Context(Visitor):
    """Asks under its own name and a new request id each time, so that a mixed-up context shows."""

    def on_start(self) -> None:
        self.name: str = f"ada{next(numbers)}"

    @tag("plain")
    @task
    def without_secrets(self) -> None:
        self.ask({})

    @tag("secret")
    @task
    def with_a_token(self) -> None:
        """A token, which poolware keeps as a secret and wipes, and others as text."""
        self.ask({"Authorization": f"Bearer {self.name}"})

    def ask(self, headers: dict[str, str]) -> None:
        request_id = f"{self.name}-{next(numbers)}"
        answer = {"user": self.name, "tenant": "acme", "roles": ["reader"], "request_id": request_id}
        self.fetch(
            "GET",
            f"/context?user={self.name}",
            lambda response: response.json() == answer,
            name="/context",
            headers={**headers, "X-Request-ID": request_id},
        )
