"""What ends a run early: Ctrl-C, SIGTERM, or a terminal that is closed. Only the first counts."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def heard() -> Iterator[None]:
    """Have the first lead to KeyboardInterrupt within the block, also where a shell has had SIGINT ignored."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        # With nohup a terminal may close.
        if number != signal.SIGHUP or handler != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore() -> None:
    """Let none of them disturb what is left to do: to stop what runs, and to write the report."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(*_: object) -> NoReturn:
    ignore()
    raise KeyboardInterrupt
