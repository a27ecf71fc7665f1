"""What the two database scenarios share: a visitor that asks for one product after the other."""

from collections.abc import Iterator
from itertools import count

from poolware_compare.apps.answers import PRODUCTS, product
from poolware_compare.locustfiles.visitor import Visitor

numbers: Iterator[int] = count()


class Shopper(Visitor):
    """Knows what each product must look like."""

    abstract = True

    def ask(self, database: str) -> None:
        number = next(numbers) % PRODUCTS + 1
        answer = product(number)
        name = f"/{database}/[number]"
        self.fetch("GET", f"/{database}/{number}", lambda response: response.json() == answer, name=name)
