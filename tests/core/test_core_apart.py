"""Threads beside requests."""

import threading
from contextvars import ContextVar

from poolware._core.apart import start

variable = ContextVar("variable", default="nothing")


def test_what_a_thread_can_inherit_is_not_the_callers():
    """H10: ``-X thread_inherit_context`` copies the variables of whoever calls ``start()``."""

    class Inheriting(threading.Thread):
        def start(self):
            self.inherited = variable.get()
            super().start()

    token = variable.set("a request")
    thread = Inheriting()
    start(thread)
    thread.join()
    assert thread.inherited == "nothing"
    variable.reset(token)
