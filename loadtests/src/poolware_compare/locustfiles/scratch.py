"""`GET /scratch/{size}/{used}`: a text worked on in a scratch buffer, of several sizes and used shares."""

from locust import tag, task

from poolware_compare.apps.answers import scratched
from poolware_compare.locustfiles.visitor import Visitor

KIB, MIB = 1 << 10, 1 << 20


class Scratch(Visitor):
    """Has text put into capital letters; the buffer is sized for the largest text there may be."""

    @tag("4m-held")
    @task(4)
    def while_a_store_answers(self) -> None:
        """4 KiB used of 4 MiB, which are held for the millisecond that a store takes to answer."""
        self.scratch(4 * MIB, 4 * KIB, "?hold=1")

    @tag("4m")
    @task(4)
    def little_of_much(self) -> None:
        self.scratch(4 * MIB, 4 * KIB)

    @tag("1m-eighth")
    @task(2)
    def an_eighth(self) -> None:
        self.scratch(MIB, MIB // 8)

    @tag("1m-full")
    @task
    def all_of_it(self) -> None:
        """Gains little: what is used has to be wiped."""
        self.scratch(MIB, MIB)

    @tag("64k-full")
    @task(2)
    def a_small_one(self) -> None:
        """Gains nothing."""
        self.scratch(64 * KIB, 64 * KIB)

    def scratch(self, size: int, used: int, query: str = "") -> None:
        answer = ANSWERS[used]
        self.fetch("GET", f"/scratch/{size}/{used}{query}", lambda response: response.text == answer)


ANSWERS = {used: scratched(used) for used in (4 * KIB, 64 * KIB, MIB // 8, MIB)}
