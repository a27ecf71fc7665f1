"""`GET /profile`: nothing but the request's context."""

from itertools import count

from locust import task

from loadtests.locustfiles.visitor import Visitor

numbers = count()


class Profile(Visitor):
    """Asks under its own name and a new request id each time, so that a mixed-up context shows."""

    def on_start(self) -> None:
        """Choose a name that no other user has."""
        self.name = f"ada{next(numbers)}"

    @task
    def profile(self) -> None:
        """Ask for the own profile."""
        request_id = f"{self.name}-{next(numbers)}"
        answer = {"user": self.name, "tenant": "acme", "roles": ["reader"], "request_id": request_id}
        self.fetch(
            "GET",
            f"/profile?user={self.name}",
            lambda response: bool(response.json() == answer),
            name="/profile",
            headers={"X-Request-ID": request_id},
        )
