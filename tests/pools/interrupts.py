"""An exception between two instructions of a function, as a signal handler or gevent's Timeout may raise it."""

import sys


class Interrupt(BaseException):
    pass


def interrupted_everywhere(code, act):
    """Call `act(n)` with an interrupt before the n-th instruction of `code`, for each n that there is."""
    for number in range(10_000):
        left = [number]

        def in_frame(frame, event, _arg, left=left):
            if event == "opcode":
                left[0] -= 1
                if left[0] < 0:
                    sys.settrace(None)
                    raise Interrupt
            return in_frame

        def entered(frame, _event, _arg, in_frame=in_frame):
            if frame.f_code is code:
                frame.f_trace_opcodes = True
                return in_frame
            return None

        def start(entered=entered):
            sys._getframe().f_trace_opcodes = True  # from 3.12 on settrace() looks whether any frame has it
            sys.settrace(entered)

        before = sys.gettrace()
        try:
            act(start)
        finally:
            sys.settrace(before)
        if left[0] >= 0:
            assert number > 5  # it was interrupted at all
            return
    raise AssertionError
