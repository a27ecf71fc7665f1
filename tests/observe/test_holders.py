"""holders(): who holds an object; looking changes nothing in what it looks at."""

import sys
import threading

import pytest

from poolware.observe.holders import holders

pytestmark = pytest.mark.usefixtures("whole_heap")


class Thing:
    pass


def test_a_variable_of_a_function():
    thing = Thing()
    assert any("variable thing of" in line for line in holders(thing))


def test_what_locals_returned_stays_as_it_is():
    thing, before = Thing(), 17
    namespace = locals()
    holders(thing)
    assert namespace["before"] == before


def test_a_thread_in_a_debugger_keeps_its_variables():
    """Before 3.13 the debugger's copy of them is written back when it has looked."""
    at, go, results = threading.Event(), threading.Event(), []

    def work():
        first = 1
        second = 2
        return first + second

    def trace(frame, event, _arg):
        if frame.f_code is work.__code__:
            if event == "line" and frame.f_lineno == work.__code__.co_firstlineno + 3:
                at.set()
                go.wait(10)
            return trace
        return None

    def run():
        sys.settrace(trace)
        results.append(work())
        sys.settrace(None)

    thread = threading.Thread(target=run)
    thread.start()
    at.wait(10)
    holders(Thing())
    go.set()
    thread.join()
    assert results == [3]
