"""`GET /products/{id}`: a row of a database, found by its key."""

from itertools import count

from locust import task

from loadtests.database import ROWS, product
from loadtests.locustfiles.visitor import Visitor

numbers = count()


class Database(Visitor):
    """Asks for one product after the other."""

    @task
    def database(self) -> None:
        """Ask for the next product."""
        number = next(numbers) % ROWS + 1
        answer = product(number)
        self.fetch("GET", f"/products/{number}", lambda response: bool(response.json() == answer), name="/products")
