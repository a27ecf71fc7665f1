"""`GET /transform/{size}`: some text worked on in a scratch buffer of the largest size ever needed."""

from locust import task

from loadtests.answers import transformed
from loadtests.locustfiles.visitor import Visitor

SIZE = 4 << 10
ANSWER = transformed(SIZE)


class Transform(Visitor):
    """Has 4 KiB of text transformed."""

    @task
    def transform(self) -> None:
        """Ask for the check sum of the transformed text."""
        self.fetch("GET", f"/transform/{SIZE}", lambda response: response.text == ANSWER)
