"""`GET /export/{rows}`: a CSV file built in a buffer and streamed."""

from locust import tag, task

from poolware_compare.apps.answers import EXPORT_HEAD, csv_text, export_rows
from poolware_compare.locustfiles.visitor import Visitor

ANSWERS = {rows: csv_text(EXPORT_HEAD, export_rows(rows)).encode() for rows in (200, 5000)}


class Export(Visitor):
    """Asks for the same files again and again."""

    @tag("200")
    @task(9)
    def short(self) -> None:
        self.export(200)

    @tag("5000")
    @task
    def long(self) -> None:
        """More than one chunk."""
        self.export(5000)

    def export(self, rows: int) -> None:
        self.fetch("GET", f"/export/{rows}", lambda response: response.content == ANSWERS[rows])
