"""`GET /report`: a CSV file built in a buffer and streamed."""

from locust import task

from loadtests.answers import report_csv
from loadtests.locustfiles.visitor import Visitor

ROWS = 200
ANSWER = report_csv(ROWS).encode()


class Report(Visitor):
    """Asks for the same report again and again."""

    @task
    def report(self) -> None:
        """Ask for one report."""
        self.fetch("GET", f"/report?rows={ROWS}", lambda response: bool(response.content == ANSWER))
