"""What is compared: the arms (who answers) and the scenarios (what is asked)."""

from dataclasses import dataclass, field, replace

SCENARIOS = ("profile", "report", "transform", "feed", "upload")
DEMO_SCENARIOS = ("profile", "transform", "feed")


@dataclass(frozen=True)
class Arm:
    """One way of answering: an ASGI app and the environment variables that its server starts with."""

    name: str
    app: str
    variables: dict[str, str] = field(default_factory=dict)


ARMS = (
    Arm("plain", "loadtests.apps.plain:app"),
    Arm("by-hand", "loadtests.apps.by_hand:app"),
    Arm("off", "examples.starlette_app:app", {"POOLWARE_MODE": "off"}),
    Arm("on", "examples.starlette_app:app", {"POOLWARE_MODE": "on"}),
)

DATABASE_ARMS = (
    Arm("by-hand", "loadtests.apps.database:by_hand"),
    Arm("connect", "loadtests.apps.database:connect"),
    Arm("adapter", "loadtests.apps.database:adapter"),
    Arm("own", "loadtests.apps.database:own"),
)
"""How the scenario `database` is answered; the first is what the others are compared with."""


def arms_named(names: list[str], app: str | None = None) -> list[Arm]:
    """Return the arms with these names; `app` replaces the app of those that run with poolware."""
    by_name = {arm.name: arm for arm in ARMS}
    chosen = [by_name[name] for name in names]
    if app is None:
        return chosen
    return [replace(arm, app=app) if arm.variables else arm for arm in chosen]
