"""An exception between two instructions of a function, as a signal handler or gevent's Timeout may raise it."""

import ctypes
import sys
from contextlib import contextmanager

TOOL = 4


class Interrupt(BaseException):
    pass


def interrupted_everywhere(code, act):
    """Call `act(start)` with an interrupt before the n-th instruction of `code` after `start()`, for every n."""
    watching = watched if hasattr(sys, "monitoring") else traced
    for number in range(10_000):
        left = [number]

        def step(left=left):
            left[0] -= 1
            return left[0] < 0

        handled = sys.exception()
        try:
            with watching(code, step) as start:
                act(start)
        finally:
            # At the end of an `except`, where no signal handler runs, an interrupt leaves its exception behind as the
            # one that the thread is handling; every later one would hold it.
            ctypes.pythonapi.PyErr_SetHandledException(ctypes.py_object(handled))
        if left[0] >= 0:
            assert number > 5  # it was interrupted at all
            return
    raise AssertionError


@contextmanager
def watched(code, step):
    """Raise where `step` says so: from 3.12 on."""
    monitoring = sys.monitoring

    def at_instruction(_code, _offset):
        if step():
            monitoring.set_local_events(TOOL, code, 0)
            raise Interrupt

    def start():
        monitoring.set_local_events(TOOL, code, monitoring.events.INSTRUCTION)

    monitoring.use_tool_id(TOOL, "interrupts")
    monitoring.register_callback(TOOL, monitoring.events.INSTRUCTION, at_instruction)
    try:
        yield start
    finally:
        monitoring.set_local_events(TOOL, code, 0)
        monitoring.register_callback(TOOL, monitoring.events.INSTRUCTION, None)
        monitoring.free_tool_id(TOOL)


@contextmanager
def traced(code, step):
    """The same on 3.11."""

    def in_frame(_frame, event, _arg):
        if event == "opcode" and step():
            sys.settrace(None)
            raise Interrupt
        return in_frame

    def entered(frame, _event, _arg):
        if frame.f_code is code:
            frame.f_trace_opcodes = True
            return in_frame
        return None

    before = sys.gettrace()
    try:
        yield lambda: sys.settrace(entered)
    finally:
        sys.settrace(before)
