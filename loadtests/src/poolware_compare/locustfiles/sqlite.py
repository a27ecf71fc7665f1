"""`GET /sqlite/{number}`: a product from SQLite, found by its key."""

from locust import tag, task

from poolware_compare.locustfiles.products import Shopper


class Sqlite(Shopper):
    """Asks for one product after the other."""

    @tag("sqlite")
    @task
    def sqlite(self) -> None:
        self.ask("sqlite")
