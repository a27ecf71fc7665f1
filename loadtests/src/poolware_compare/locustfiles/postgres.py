"""`GET /postgres/{number}`: a product from PostgreSQL, found by its key."""

from locust import tag, task

from poolware_compare.locustfiles.products import Shopper


class Postgres(Shopper):
    """Asks for one product after the other."""

    @tag("postgres")
    @task
    def postgres(self) -> None:
        self.ask("postgres")
