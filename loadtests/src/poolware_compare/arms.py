"""Who answers: the applications and the arms in which they are compared."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from poolware_compare.apps import kits

MODE = "POOLWARE_MODE"


@dataclass(frozen=True)
class Arm:
    """One way of answering: an app, the environment variables and the directory that its server starts with."""

    name: str
    app: str
    variables: dict[str, str] = field(default_factory=dict)
    directory: str | None = None


@dataclass(frozen=True)
class App:
    """One of the applications that come along: where it is, and the server that it is compared on by default."""

    path: str
    server: str
    asgi: str | None = None
    """Where it is for ASGI servers, if that is elsewhere."""
    wsgi: bool = False
    websockets: bool = False


APPS = {
    "starlette": App("poolware_compare.apps.starlette_app:app", "uvicorn", websockets=True),
    "fastapi": App("poolware_compare.apps.fastapi_app:app", "uvicorn", websockets=True),
    "flask": App("poolware_compare.apps.flask_app:app", "gunicorn-gthread", wsgi=True),
    "django": App(
        "poolware_compare.apps.django_app:wsgi",
        "gunicorn-gthread",
        asgi="poolware_compare.apps.django_app:asgi",
        wsgi=True,
    ),
}
KITS = {
    "plain": {kits.VARIABLE: "plain"},
    "by-hand": {kits.VARIABLE: "by_hand"},
    "off": {kits.VARIABLE: "pooled", MODE: "off"},
    "adapter": {kits.VARIABLE: "adapter", MODE: "on"},
    "on": {kits.VARIABLE: "pooled", MODE: "on"},
}
"""The arms of the applications that come along, and what chooses them."""
USUAL = ("plain", "by-hand", "off", "on")
"""Those that are compared unless others are asked for; `adapter` differs with PostgreSQL only."""
MODES = ("off", "on")
"""The arms of a user's own application."""


def of_ours(path: str, names: Sequence[str]) -> list[Arm]:
    """Return arms of one of the applications that come along."""
    return [Arm(name, path, KITS[name]) for name in names]


def of_yours(path: str, names: Sequence[str]) -> list[Arm]:
    """Return arms of a user's own application: poolware's modes."""
    return [Arm(name, path, {MODE: name}) for name in names]
