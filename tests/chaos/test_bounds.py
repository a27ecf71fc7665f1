"""What the environment may ask for, and that the same seed makes the same choices."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .bounds import BadSetting, Bounds, bounded, long
from .ledger import Ledger
from .machine import Machine
from .parts import PARTS

BAD = {
    "POOLWARE_CHAOS_SEED": ["", "x", "-1", "1.5", "\u0663"],
    "POOLWARE_CHAOS_STEPS": ["0", "many", "1e6", " 5"],
    "POOLWARE_CHAOS_REQUESTS": ["0", "-5", "1_000"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
@pytest.mark.parametrize("read", [bounded, long])
def test_bad_setting_is_refused_with_its_name(read, name, value):
    """H40."""
    with pytest.raises(BadSetting, match=f"{name}=.*: it takes a whole number of at least [01], in digits"):
        read({name: value})


def test_bad_setting_ends_the_run_with_one_line():
    """H40: no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__).parent)],
        env={"PATH": "", "POOLWARE_CHAOS_SEED": "tomorrow"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "POOLWARE_CHAOS_SEED='tomorrow': it takes a whole number of at least 0, in digits" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_settings_are_taken():
    given = {"POOLWARE_CHAOS_SEED": "17", "POOLWARE_CHAOS_STEPS": "1000", "POOLWARE_CHAOS_REQUESTS": "20"}
    assert bounded(given) == long(given) == Bounds(17, 1000, 20)


def test_seed_is_fixed_for_every_run_and_fresh_for_the_long_one():
    assert bounded({}) == bounded({})
    assert len({long({}).seed for _ in range(10)}) > 1


@pytest.mark.parametrize("name", PARTS)
def test_same_seed_makes_the_same_choices(name):
    run, _ = PARTS[name]

    def choices(seed: int) -> int:
        """What a machine drew in its first round; else how many steps came of what was drawn."""
        told: list[int] = []
        Machine.trail = 0
        run(Bounds(seed, 1, 1), 700, lambda steps: told.append(Machine.trail or steps), True)
        return told[0]

    assert choices(17) == choices(17) != choices(18)


def test_failure_says_how_to_have_it_again():
    ledger = Ledger(Bounds(17, 1000, 20), lambda _line: None)
    with pytest.raises(AssertionError) as failure, ledger.part("threads", 5):
        raise AssertionError
    (note,) = failure.value.__notes__
    assert note.endswith("POOLWARE_CHAOS_SEED=17 POOLWARE_CHAOS_STEPS=1000 POOLWARE_CHAOS_REQUESTS=20 "
                         "make chaos PYTEST_ARGS='-k \"threads\"'")  # fmt: skip


def test_results_are_written(tmp_path):
    ledger = Ledger(Bounds(17, 1000, 20), lambda _line: None)
    with ledger.part("threads", 5) as (part, _):
        part.steps = 5
    for server in ("flask", "django"):
        with ledger.part(server, 10) as (part, _):
            part.requests = 10
            part.figures = {"begun": 10, "created": 1, "foreign": 0, "lost": 0, "reused": 0.9}
            part.figures |= {"rss_second_third": 2**20, "rss_last_third": 2**20}
    ledger.write(tmp_path / "build" / "chaos.json")
    written = json.loads((tmp_path / "build" / "chaos.json").read_text())
    del written["parts"]
    assert written == {
        "seed": 17,
        "steps": 25,
        "http_requests": 20,
        "foreign": 0,
        "lost": 0,
        "reused": 0.9,
        "rss_second_third": 2**21,
        "rss_last_third": 2**21,
        "passed": True,
    }
    assert len(list(ledger.table())) == 5
