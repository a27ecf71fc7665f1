"""What the options of the command take; each error names the option and what it takes."""

import math
from collections.abc import Collection
from typing import Any

import click

from poolware_compare import scenarios
from poolware_compare.scenarios import Scenario


class Names(click.ParamType[list[str]]):
    """A comma-separated list of known names, each once."""

    name = "names"

    def __init__(self, known: Collection[str], least: int = 1) -> None:
        self._known = known
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        if isinstance(value, list):
            return value
        names = list(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
        for name in names:
            if self._known and name not in self._known:
                self.fail(f"{name!r}: it takes {', '.join(self._known)}", param, ctx)
        if len(names) < self._least:
            of = f" of {', '.join(self._known)}" if self._known else ", separated by commas"
            self.fail(f"{value!r}: it takes at least {self._least}{of}", param, ctx)
        return names


class Scenarios(click.ParamType[list[Scenario]]):
    """A comma-separated list of scenarios and groups of them."""

    name = "scenarios"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[Scenario]:
        if isinstance(value, list):
            return value
        found: dict[str, Scenario] = {}
        for name in filter(None, (name.strip() for name in value.split(","))):
            try:
                found.update((scenario.name, scenario) for scenario in scenarios.named(name))
            except KeyError:
                known = ", ".join([*scenarios.GROUPS, *scenarios.BY_NAME])
                self.fail(f"{name!r}: it takes {known}", param, ctx)
        if not found:
            self.fail(f"{value!r}: it takes at least one scenario", param, ctx)
        return list(found.values())


class Finite(click.FloatRange):
    """A number within bounds; click lets NaN pass them all."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not in the range {self._describe_range()}.", param, ctx)
        return number


SCENARIOS = Scenarios()
