"""How far a comparison is, on standard error: one moving line on a terminal, a line per part elsewhere."""

import sys
import time

WIDTH = 30


class Progress:
    """Counts rounds; made with how many there will be."""

    def __init__(self, total: int) -> None:
        self.total: int = total
        self.done: int = 0
        self.part: str = ""
        self.started: float = time.monotonic()
        self.moving: bool = sys.stderr.isatty()

    def begin(self, part: str) -> None:
        """Show that a part begins: its servers start."""
        self.part = part
        if self.moving:
            self._draw("starting servers")
        else:
            print(f"[{self._elapsed():4.0f} s] {part}", file=sys.stderr, flush=True)

    def advance(self, arm: str, *, extra: bool = False) -> None:
        """Show that a round of `arm` is over."""
        self.done += 1
        self.total += extra
        if self.moving:
            self._draw(arm)

    def close(self) -> None:
        """Leave the line."""
        if self.moving:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _elapsed(self) -> float:
        return time.monotonic() - self.started

    def _draw(self, arm: str) -> None:
        share = min(1.0, self.done / self.total)
        bar = "█" * round(share * WIDTH)
        left = f"{self._elapsed() / share * (1 - share):3.0f} s left" if self.done else ""
        line = f"\r\033[K{bar:░<{WIDTH}} {share:4.0%} {left}  {self.part} · {arm}"
        print(line, end="", file=sys.stderr, flush=True)
