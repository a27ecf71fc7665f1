"""Each mutant in a process of its own, forked from one that has everything imported already."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

_MEMORY = 8 << 30
"""Bytes of address space: a mutant that appends forever is to fail, not to fill the machine."""


def in_child(job: Callable[[], Any], limit: float | None = None) -> tuple[str, Any]:
    """Run `job` in a fork; return "done" and its result, or "hung" or "crashed" and None."""
    sys.stdout.flush()
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _be_child(job, theirs)
    os.close(theirs)
    try:
        said, hung = _read_all(ours, limit)
    finally:
        os.close(ours)
        _kill_group(child)
        os.waitpid(child, 0)
    if hung:
        return "hung", None
    return ("done", json.loads(said)) if said else ("crashed", None)


def _be_child(job: Callable[[], Any], pipe: int) -> None:
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        said = json.dumps(job()).encode()
        while said:
            said = said[os.write(pipe, said) :]
    finally:
        os._exit(0)


def _read_all(pipe: int, limit: float | None) -> tuple[bytes, bool]:
    said, end = b"", None if limit is None else time.monotonic() + limit
    while True:
        left = None if end is None else max(0.0, end - time.monotonic())
        if not select.select([pipe], [], [], left)[0]:
            return b"", True
        more = os.read(pipe, 1 << 16)
        if not more:
            return said, False
        said += more


def _kill_group(child: int) -> None:
    """End whatever the child has started and left behind, too."""
    for kill in (os.killpg, os.kill):
        try:
            kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue
