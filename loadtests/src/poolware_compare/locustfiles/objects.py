"""`GET /objects/{kind}`: an object of one kind, used once. Each kind is a tag; together they make the gain map."""

from collections.abc import Callable
from typing import Any

from locust import tag, task

from poolware_compare.apps.objects import KINDS
from poolware_compare.locustfiles.visitor import Visitor


def asking(kind: str) -> Callable[[Visitor], None]:
    """Return the task that asks for one kind."""

    @tag(kind)
    @task
    def ask(visitor: Visitor) -> None:
        visitor.fetch("GET", f"/objects/{kind}", lambda response: response.text == "used")

    return ask


class Objects(Visitor):
    """Asks for all kinds alike."""

    tasks: list[Any] = [asking(kind) for kind in KINDS]  # noqa: RUF012 - as Locust has it
