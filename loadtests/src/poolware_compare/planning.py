"""From the command's options to a plan."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from poolware_compare import cores, scenarios
from poolware_compare.arms import APPS, KITS, MODES, USUAL, Arm, of_ours, of_yours
from poolware_compare.driver.order import Load
from poolware_compare.launch import ASGI_SERVERS, SERVERS
from poolware_compare.network import NETWORKS
from poolware_compare.plan import Case, Plan
from poolware_compare.revisions import checked_out
from poolware_compare.scenarios import Scenario

SECONDS = 0.1
"""Many short rounds: noise comes in bursts, and a burst spoils a short block without spoiling the median."""
STEADY_SECONDS = 5.0
SOAK_SECONDS = 600.0
SOAK_RATE = 100.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """The command's options, as they were given."""

    app: str
    locustfile: str | None
    tags: list[str] | None
    server: str | None
    scenario: list[Scenario] | None
    arms: list[str] | None
    revisions: list[str] | None
    rounds: int
    seconds: float | None
    users: int
    rate: float | None
    shape: str
    width: float | None
    time_limit: float
    processes: int
    workers: int
    network: str

    @property
    def soaking(self) -> bool:
        """Tell whether a soak is asked for instead of a comparison."""
        return self.shape == "soak"


@contextmanager
def planned(options: Options) -> Iterator[Plan]:
    """Yield the plan; what it needs, such as working trees, is there within the block. Raises click.UsageError."""
    with ExitStack() as stack:
        if ":" in options.app:
            cases = [_your_case(options, stack)]
        else:
            cases = [case for app in _names(options.app) for case in _our_cases(options, app)]
        if not cases:
            msg = f"none of these scenarios can run on {options.app!r} with {options.server or 'its server'}"
            raise click.UsageError(msg)
        yield Plan(
            cases=cases[:1] if options.soaking else cases,
            load=_load(options),
            rounds=options.rounds,
            width=options.width,
            limit_s=options.time_limit,
            processes=options.processes,
            workers=options.workers,
            cores=cores.choose(options.workers),
            network=stack.enter_context(NETWORKS[options.network]()),
        )


def _names(apps: str) -> list[str]:
    return list(dict.fromkeys(app.strip() for app in apps.split(",")))


def _load(options: Options) -> Load:
    if options.soaking:
        return Load(options.users, options.seconds or SOAK_SECONDS, options.rate or SOAK_RATE, "constant")
    steady = options.rate is not None or options.shape != "constant" or options.processes > 1
    seconds = options.seconds or (STEADY_SECONDS if steady else SECONDS)
    return Load(options.users, seconds, options.rate, options.shape)


def _your_case(options: Options, stack: ExitStack) -> Case:
    module, _, name = options.app.partition(":")
    if not all(part.isidentifier() for part in [*module.split("."), *name.split(".")]):
        msg = f"--app: {options.app!r}: it takes {', '.join(APPS)}, or your own application as module:app"
        raise click.UsageError(msg)
    if options.locustfile is None:
        msg = f"--app {options.app} needs --locustfile with the requests to load it with"
        raise click.UsageError(msg)
    if options.scenario is not None:
        msg = "--scenario is for the applications that come along; what yours is asked is in its Locust file"
        raise click.UsageError(msg)
    if not Path(options.locustfile).is_file():
        msg = f"--locustfile: there is no file {options.locustfile!r}"
        raise click.UsageError(msg)
    unknown = set(options.arms or ()) - set(MODES)
    if unknown:
        msg = f"--arms: your own application can be compared as {' and '.join(MODES)}, or with --revisions"
        raise click.UsageError(msg)
    scenario = scenarios.of_file(options.locustfile, tuple(options.tags or ()))
    arms = _your_arms(options, stack)
    return Case(options.app, options.server or "uvicorn", scenario, arms)


def _your_arms(options: Options, stack: ExitStack) -> Sequence[Arm]:
    if options.revisions:
        return stack.enter_context(checked_out(options.app, options.revisions))
    return of_yours(options.app, options.arms or (["on"] if options.soaking else MODES))


def _our_cases(options: Options, app: str) -> list[Case]:
    if app not in APPS:
        msg = f"--app: {app!r}: it takes {', '.join(APPS)}, or your own application as module:app"
        raise click.UsageError(msg)
    for name, value in (("locustfile", options.locustfile), ("tags", options.tags), ("revisions", options.revisions)):
        if value:
            msg = f"--{name} is for your own application: --app module:app"
            raise click.UsageError(msg)
    ours = APPS[app]
    server = options.server or ours.server
    asgi = server in ASGI_SERVERS
    if asgi and ours.wsgi and ours.asgi is None:
        msg = f"--server: {app} runs on {', '.join(name for name in SERVERS if name not in ASGI_SERVERS)}"
        raise click.UsageError(msg)
    if not asgi and not ours.wsgi:
        msg = f"--server: {app} runs on {', '.join(ASGI_SERVERS)}"
        raise click.UsageError(msg)
    path = ours.asgi if asgi and ours.asgi else ours.path
    arms = of_ours(path, options.arms or (["on"] if options.soaking else USUAL))
    chosen = [scenarios.ENDINGS] if options.soaking else options.scenario or scenarios.TABLE
    return [
        Case(app, server, scenario, arms) for scenario in chosen if ours.websockets or not scenario.needs_websockets
    ]


def checked(options: dict[str, Any]) -> Options:
    """Return the options of the command line. Raises click.UsageError for those that contradict each other."""
    found = Options(**options)
    if found.revisions and found.arms:
        msg = "--arms and --revisions: it takes one of them"
        raise click.UsageError(msg)
    if not found.soaking and found.arms is not None and len(found.arms) < 2:
        msg = f"--arms: it takes at least two of {', '.join(KITS)}"
        raise click.UsageError(msg)
    if found.width is not None:
        return replace(found, width=found.width / 100)
    return found
