"""What is asked: a Locust file and, where it asks several things, tags."""

from dataclasses import dataclass
from pathlib import Path

from poolware_compare.apps.objects import KINDS

LOCUSTFILES = Path(__file__).with_name("locustfiles")


@dataclass(frozen=True)
class Scenario:
    """A Locust file's tasks with these tags; all of them if there are none."""

    name: str
    locustfile: str
    tags: tuple[str, ...] = ()
    least_seconds: float = 0.0
    """No round is shorter, where getting ready costs the server more than a request does."""
    object_kind: str | None = None
    """The kind of object that it is about, for the gain map."""

    @property
    def needs_postgres(self) -> bool:
        """Tell whether it needs a PostgreSQL server."""
        return Path(self.locustfile) == LOCUSTFILES / "postgres.py"

    @property
    def needs_websockets(self) -> bool:
        """Tell whether it needs a framework with websockets."""
        return Path(self.locustfile) == LOCUSTFILES / "broadcast.py"


def _own(name: str, *tags: str, least_seconds: float = 0.0) -> Scenario:
    title = f"{name}:{tags[0]}" if tags else name
    return Scenario(title, str(LOCUSTFILES / f"{name}.py"), tags, least_seconds)


TABLE = (
    _own("context", "plain"),
    _own("context", "secret"),
    _own("scratch", "4m-held"),
    _own("scratch", "4m"),
    _own("scratch", "1m-eighth"),
    _own("scratch", "1m-full"),
    _own("scratch", "64k-full"),
    _own("compression"),
    _own("sqlite"),
    _own("postgres"),
    _own("upload"),
    _own("export"),
    _own("broadcast", least_seconds=1.0),
    _own("mixed"),
)
OBJECTS = tuple(
    Scenario(f"objects:{kind}", str(LOCUSTFILES / "objects.py"), (kind,), object_kind=kind) for kind in KINDS
)
ENDINGS = _own("endings")
DEMO = tuple(scenario for scenario in TABLE if scenario.name in {"context:plain", "scratch:4m-held", "compression"})
BY_NAME = {scenario.name: scenario for scenario in (*TABLE, *OBJECTS, ENDINGS)}
GROUPS: dict[str, tuple[Scenario, ...]] = {
    "all": TABLE,
    "demo": DEMO,
    "objects": OBJECTS,
    "context": tuple(scenario for scenario in TABLE if scenario.name.startswith("context:")),
    "scratch": tuple(scenario for scenario in TABLE if scenario.name.startswith("scratch:")),
}


def named(name: str) -> tuple[Scenario, ...]:
    """Return the scenario, or the group of them, with this name. Raises KeyError."""
    return GROUPS[name] if name in GROUPS else (BY_NAME[name],)


def of_file(locustfile: str, tags: tuple[str, ...] = ()) -> Scenario:
    """Return the scenario of a user's own Locust file."""
    path = Path(locustfile).resolve()
    return Scenario(":".join([path.stem, *tags]), str(path), tags)
