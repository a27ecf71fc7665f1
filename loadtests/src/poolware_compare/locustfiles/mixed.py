"""A shop: browse, search, fill the cart, check out, upload a picture. Weights as in a shop where few buy."""

import hashlib
import json
import random
from collections.abc import Iterator
from itertools import count

from locust import tag, task

from poolware_compare.apps.answers import PAGE, PRODUCTS, RECEIPT_HEAD, csv_text, found, page, receipt_rows
from poolware_compare.locustfiles.visitor import Visitor, unpacked

numbers: Iterator[int] = count()
PICTURE = bytes(range(256)) * 512
PICTURE_ANSWER: dict[str, int | str] = {"size": len(PICTURE), "sha256": hashlib.sha256(PICTURE).hexdigest()}
WORDS = {word: found(word) for word in ("quick", "lazy dog", "cat")}


class Customer(Visitor):
    """One visitor of the shop; chance is the same in every run."""

    def on_start(self) -> None:
        self.name: str = f"customer{next(numbers)}"
        self.chance: random.Random = random.Random(self.name)
        self.cart: dict[int, int] = {1: 1}

    @tag("browse")
    @task(10)
    def browse(self) -> None:
        number = self.chance.randrange(PRODUCTS // PAGE)
        self.fetch(
            "GET",
            f"/shop/{number}",
            lambda response: unpacked(response) == page(number),
            name="/shop/[page]",
            headers={"Accept-Encoding": "zstd"},
            stream=True,
        )

    @tag("search")
    @task(5)
    def search(self) -> None:
        word = self.chance.choice(list(WORDS))
        self.fetch(
            "GET", f"/shop/search?q={word}", lambda response: response.json() == WORDS[word], name="/shop/search"
        )

    @tag("cart")
    @task(4)
    def fill_cart(self) -> None:
        self.cart = {self.chance.randint(1, PRODUCTS): self.chance.randint(1, 3) for _ in range(4)}
        answer = {"user": self.name, "cart": {str(number): times for number, times in self.cart.items()}}
        self.fetch(
            "POST",
            f"/shop/cart?user={self.name}",
            lambda response: response.json() == answer,
            name="/shop/cart",
            data=json.dumps({"cart": self.cart}),
        )

    @tag("checkout")
    @task
    def check_out(self) -> None:
        # Products come back in the order of their keys.
        answer = csv_text(RECEIPT_HEAD, receipt_rows(dict(sorted(self.cart.items())))).encode()
        body = json.dumps({"cart": self.cart})
        self.fetch("POST", "/shop/checkout", lambda response: response.content == answer, data=body)

    @tag("upload")
    @task
    def upload(self) -> None:
        self.fetch("POST", "/upload", lambda response: response.json() == PICTURE_ANSWER, data=PICTURE)
