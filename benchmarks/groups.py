"""What a section is made of: groups of subjects, and the comparisons drawn from their times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Subject = str | Callable[[int], float]
"""A statement, or a function that repeats something so many times and returns the seconds."""


@dataclass(frozen=True)
class Comparison:
    """The time of `subject` over that of `over`; `without` is part of both and is subtracted from both."""

    subject: str
    over: str
    without: str | None = None
    target: float | None = None
    """The ratio is to be this at most."""


@dataclass(frozen=True)
class Group:
    """Subjects that are timed one after another in each round."""

    subjects: dict[str, Subject]
    comparisons: list[Comparison]
    names: dict[str, Any] = field(default_factory=dict)
    """What the statements refer to."""
    absent: dict[str, str] = field(default_factory=dict)
    """Subjects that cannot be had here, and why."""
    stretch: float = 1
    """How many times as long as others its subjects are timed in a round."""
    repeat: float = 1
    """How many times as many rounds it has: many short ones find a small difference of long times."""
    check: Callable[[], None] = lambda: None
    """Called at the end; raises if the measured was not what it claims to be."""


def made(makers: dict[str, Callable[[], Any]]) -> tuple[dict[str, Any], dict[str, str]]:
    """Make what can be made here; return it, and for the rest why not."""
    found: dict[str, Any] = {}
    absent: dict[str, str] = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except Exception as error:
            absent[name] = f"{type(error).__name__}: {error}"
    return found, absent
