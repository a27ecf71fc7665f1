"""How much chaos, and which: what the environment asks for, and what follows from the seed."""

from __future__ import annotations

import random
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

SEED = "POOLWARE_CHAOS_SEED"
STEPS = "POOLWARE_CHAOS_STEPS"
REQUESTS = "POOLWARE_CHAOS_REQUESTS"


class BadSetting(ValueError):
    """An environment variable has a value that it does not take."""


@dataclass(frozen=True)
class Bounds:
    """The amounts of one run. The same seed and the same amounts make the same choices."""

    seed: int
    steps: int
    """Steps inside of this process, over all tests together."""
    requests: int
    """Requests through sockets, over all servers together."""

    def random(self, *names: object) -> random.Random:
        """Return the source of choices for the part of the run that `names` tell."""
        return random.Random("/".join(map(str, (self.seed, *names))))

    def seed_for(self, *names: object) -> int:
        """Return a seed of its own for the part of the run that `names` tell."""
        return self.random(*names).getrandbits(64)

    def replay(self, test: str) -> str:
        """Return the command that makes the choices of `test` again."""
        given = f"{SEED}={self.seed} {STEPS}={self.steps} {REQUESTS}={self.requests}"
        return f"{given} make chaos PYTEST_ARGS='-k \"{test}\"'"


def bounded(environ: Mapping[str, str]) -> Bounds:
    """Return what a run of all tests does in a few seconds: the same choices each time, unless told otherwise."""
    return _read(environ, seed=20240229, steps=16_000, requests=2_400)


def long(environ: Mapping[str, str]) -> Bounds:
    """Return what `make chaos` does: new choices each time, unless told otherwise."""
    return _read(environ, seed=secrets.randbits(32), steps=1_600_000, requests=500_000)


def _read(environ: Mapping[str, str], seed: int, steps: int, requests: int) -> Bounds:
    return Bounds(
        _whole_number(environ, SEED, seed, at_least=0),
        _whole_number(environ, STEPS, steps, at_least=1),
        _whole_number(environ, REQUESTS, requests, at_least=1),
    )


def _whole_number(environ: Mapping[str, str], name: str, default: int, at_least: int) -> int:
    given = environ.get(name)
    if given is None:
        return default
    if given.isascii() and given.isdigit() and int(given) >= at_least:
        return int(given)
    msg = f"{name}={given!r}: it takes a whole number of at least {at_least}, in digits"
    raise BadSetting(msg)
