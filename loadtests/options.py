"""The command line's options; each error names the option and what it takes."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from loadtests.arms import ARMS, DEMO_SCENARIOS, SCENARIOS

N = TypeVar("N", int, float)

ARM_NAMES = tuple(arm.name for arm in ARMS)
# Many short rounds: noise comes in bursts, and a burst spoils a short block without spoiling the median.
ROUNDS = 32
SECONDS = 0.25
USERS = 16

DEMO = f"Compare {', '.join(ARM_NAMES)} in the scenarios {', '.join(DEMO_SCENARIOS)}; results go to build/demo."
COMPARE = "Compare arms: an A/A control first, then short interleaved rounds of every arm, scenario by scenario."

DATABASE = "Compare ways of coming by a connection to PostgreSQL, for a request that asks it for one row."


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    top = argparse.ArgumentParser(
        prog="python -m loadtests",
        description="Compare the server's CPU time per request, with and without poolware, under Locust's load.",
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="all arms, three scenarios, about two minutes", description=DEMO)
    demo.set_defaults(
        scenarios=list(DEMO_SCENARIOS),
        arms=list(ARM_NAMES),
        rounds=ROUNDS,
        seconds=SECONDS,
        users=USERS,
        app=None,
        out=Path("build/demo"),
    )
    add_compare(commands.add_parser("compare", help="the arms and scenarios of your choice", description=COMPARE))
    database = commands.add_parser("database", help="a query on PostgreSQL, four ways", description=DATABASE)
    database.set_defaults(scenarios=["database"], arms=None)
    add_load(database, Path("build/database"))
    return top


def add_compare(command: argparse.ArgumentParser) -> None:
    """Add the options of `compare`."""
    option = command.add_argument
    option("--scenarios", type=names_of("scenario", SCENARIOS), default=list(SCENARIOS), metavar="A,B",
           help=f"some of {','.join(SCENARIOS)} (default: all)")  # fmt: skip
    option("--arms", type=names_of("arm", ARM_NAMES, least=2), default=list(ARM_NAMES), metavar="A,B",
           help=f"two or more of {','.join(ARM_NAMES)} (default: all)")  # fmt: skip
    option("--app", type=app_path, metavar="MODULE:APP",
           help="an ASGI app of your own in place of the example's, for the arms off and on")  # fmt: skip
    add_load(command, Path("build/compare"))


def add_load(command: argparse.ArgumentParser, out: Path) -> None:
    """Add the options that say how hard and how long to load, and where the results go."""
    option = command.add_argument
    option("--rounds", type=number(int, 2, 10_000), default=ROUNDS, metavar="N",
           help="rounds of each arm in each scenario (default: %(default)s)")  # fmt: skip
    option("--seconds", type=number(float, 0.05, 3600), default=SECONDS, metavar="S",
           help="length of a round (default: %(default)s)")  # fmt: skip
    option("--users", type=number(int, 1, 1000), default=USERS, metavar="N",
           help="concurrent users, each asking without pause (default: %(default)s)")  # fmt: skip
    option("--out", type=Path, default=out, metavar="DIR",
           help="where results.json and report.html go (default: %(default)s)")  # fmt: skip


def names_of(kind: str, known: Sequence[str], least: int = 1) -> Callable[[str], list[str]]:
    """Return a type for a comma-separated list of at least so many known names."""

    def parse(text: str) -> list[str]:
        names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
        unknown = [name for name in names if name not in known]
        if unknown:
            msg = f"unknown {kind} {unknown[0]!r}; known: {', '.join(known)}"
            raise argparse.ArgumentTypeError(msg)
        if len(names) < least:
            msg = f"takes at least {least} {kind}{'s' if least > 1 else ''} of {', '.join(known)}"
            raise argparse.ArgumentTypeError(msg)
        return names

    return parse


def number(kind: type[N], low: N, high: N) -> Callable[[str], N]:
    """Return a type for a number from `low` to `high`."""

    def parse(text: str) -> N:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            msg = f"takes {low} to {high}, not {text!r}"
            raise argparse.ArgumentTypeError(msg)
        return value

    return parse


def app_path(text: str) -> str:
    """Check the form MODULE:APP."""
    module, colon, name = text.partition(":")
    if not (module and colon and name):
        msg = f"takes MODULE:APP such as shop.main:app, not {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return text
