"""Pools, buffers and requests against simple models: in every order hypothesis thinks of, by threads and by tasks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolware import PoolwareError

from .bounds import bounded
from .ledger import Ledger
from .parts import PARTS
from .sabotage import SABOTAGE


@pytest.mark.parametrize("name", PARTS)
def test_nothing_is_lost_shared_or_miscounted(name: str, ledger: Ledger) -> None:
    """H01 H06 H07 H09 H12 H13 H18 H23 H27 H29 H31 H32 H34 H35: nobody else's, as new, and all back."""
    run, share = PARTS[name]
    wanted = int(ledger.bounds.steps * share)
    with ledger.part(name, wanted) as (part, progress):
        part.steps = run(ledger.bounds, wanted, progress, True)


@pytest.mark.parametrize(
    ("protection", "name"), [(protection, name) for protection, (_, names) in SABOTAGE.items() for name in names]
)
@pytest.mark.one_core
def test_without_the_protection_it_is_noticed(protection: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above would turn red, within a few runs of as many steps as it has."""
    run, share = PARTS[name]
    SABOTAGE[protection][0](monkeypatch)
    bounds = bounded({})

    def several() -> None:
        for attempt in range(5):
            run(replace(bounds, seed=bounds.seed + attempt), int(bounds.steps * share), lambda _steps: None, False)

    with pytest.raises((AssertionError, AttributeError, PoolwareError)):  # the others where it is in use already
        several()
