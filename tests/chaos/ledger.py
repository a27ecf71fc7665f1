"""What a run of chaos has done: printed as a table, and kept as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .bounds import Bounds

FIRST_WORD_AFTER = 2.0
THEN_EVERY = 10.0


@dataclass
class Part:
    """One test's share."""

    name: str
    wanted: int
    steps: int = 0
    requests: int = 0
    seconds: float = 0.0
    passed: bool = False
    figures: dict[str, Any] = field(default_factory=dict)
    """What a server told in the end: foreign, lost, begun, created, rss_second_third, …."""

    @property
    def a_second(self) -> float:
        return max(self.steps, self.requests) / self.seconds if self.seconds else 0.0


@dataclass
class Ledger:
    """All parts of one amount, bounded or long."""

    bounds: Bounds
    say: Callable[[str], object]
    parts: list[Part] = field(default_factory=list)

    @contextmanager
    def part(self, name: str, wanted: int) -> Iterator[tuple[Part, Callable[[int], None]]]:
        """Give a part to fill in, and a function that says how far it is; a failure says how to have it again."""
        part = Part(name, wanted)
        self.parts.append(part)
        begun = time.monotonic()
        next_word = begun + FIRST_WORD_AFTER

        def progress(done: int) -> None:
            nonlocal next_word
            now = time.monotonic()
            if now >= next_word:
                next_word = now + THEN_EVERY
                self.say(f"chaos, {name}: {done:,} of {wanted:,}, {done / (now - begun):,.0f} a second")

        try:
            yield part, progress
            part.passed = True
        except BaseException as error:
            error.add_note(f"chaos with seed {self.bounds.seed}; the same choices again: {self.bounds.replay(name)}")
            raise
        finally:
            part.seconds = time.monotonic() - begun

    def totals(self) -> dict[str, Any]:
        """Return everything, for a reader that knows no Python."""
        served = [part for part in self.parts if part.requests]
        begun, created = _sum(served, "begun"), _sum(served, "created")
        return {
            "seed": self.bounds.seed,
            "steps": sum(part.steps for part in self.parts) + sum(part.requests for part in served),
            "http_requests": sum(part.requests for part in served),
            "foreign": _sum(served, "foreign"),
            "lost": _sum(served, "lost"),
            "reused": round(1 - created / begun, 4) if begun else None,
            "rss_second_third": _sum(served, "rss_second_third"),
            "rss_last_third": _sum(served, "rss_last_third"),
            "passed": all(part.passed for part in self.parts),
            "parts": {part.name: asdict(part) | {"a_second": round(part.a_second)} for part in self.parts},
        }

    def write(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(self.totals(), indent=2) + "\n")

    def table(self) -> Iterator[str]:
        """Yield the lines of a table for a terminal."""
        totals = self.totals()
        yield f"{'':18} {'steps':>10} {'requests':>9} {'a second':>9} {'foreign':>8} {'lost':>5} {'reused':>7}  MiB"
        for part in self.parts:
            row = _row(part.name, part.steps, part.requests, f"{part.a_second:,.0f}", part.figures)
            yield row if part.passed else f"{row}  FAILED"
        yield _row("all", totals["steps"], totals["http_requests"], "", totals if totals["reused"] is not None else {})


def _sum(parts: list[Part], figure: str) -> int:
    return sum(part.figures.get(figure, 0) for part in parts)


def _row(name: str, steps: int, requests: int, a_second: str, figures: dict[str, Any]) -> str:
    row = f"{name:18} {steps or requests:10,} {f'{requests:,}' if requests else '':>9} {a_second:>9}"
    if figures:
        second, last = (figures[f"rss_{third}_third"] / 2**20 for third in ("second", "last"))
        row += f" {figures['foreign']:>8} {figures['lost']:>5} {figures['reused']:>7.2%}  {second:.1f} -> {last:.1f}"
    return row
